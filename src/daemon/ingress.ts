/** The HTTP ingress of the settings, if there is one: its line, and the HTTP server in front of it. */
import { randomBytes } from 'node:crypto'
import { isLoopback, networksOf, readSecretFile, secretIn, type Log, type Metrics } from '../base/index.ts'
import type { Settings } from '../config/index.ts'
import {
  type CallerSettings,
  type IngressAccess,
  createIngressAccess,
  ingressContract,
  ingressLine,
  type IngressLineDeps,
  openIngress,
} from '../ingress/index.ts'
import type { Line } from '../smpp/index.ts'
import type { Spans } from '../spans/index.ts'
import type { Clock } from '../ussd/index.ts'

export interface ServedIngress {
  /** Undefined if there is no HTTP ingress. */
  line: Line | undefined
  /** 0 if there is no HTTP ingress. */
  port(): number
  open(): Promise<void>
  /** Reads the tokens and keys of the settings again: who is taken out is turned away. */
  lookAtTokens(): void
  stop(): Promise<void>
}

export interface ServedIngressDeps {
  settings: Settings
  clock: Clock
  log: Log
  metrics: Metrics
  instance: string
  onRequest: IngressLineDeps['onRequest']
  /** Undefined: there are no traces. */
  spans: Spans | undefined
}

export function createIngress({
  settings,
  clock,
  log,
  metrics,
  instance,
  onRequest,
  spans,
}: ServedIngressDeps): ServedIngress {
  const { door } = settings
  if (!door)
    return {
      line: undefined,
      port: () => 0,
      open: async () => undefined,
      lookAtTokens: () => undefined,
      stop: async () => undefined,
    }
  const { host, path } = door
  const callers = callersOf(door)
  if (callers.length === 0 && !isLoopback(host)) {
    log.warn(
      { host },
      'the HTTP ingress is open to everybody who reaches it: set door.tokenFile, or keep it on loopback',
    )
  }
  const { services } = settings
  const access = callers.length ? createIngressAccess({ callers, services, line: door.name }) : undefined
  const contract = ingressContract(door.contract)
  const line = ingressLine({ name: door.name, contract, clock, instance, onRequest })
  const tokens = access && followTokens(settings, access, { clock, log })
  let opened: Awaited<ReturnType<typeof openIngress>> | undefined
  return {
    line: line.line,
    port: () => opened?.port ?? 0,
    async open() {
      opened = await openIngress({
        host,
        port: door.port,
        path,
        contract,
        line,
        continued: spans?.continued,
        now: clock.now,
        counters: metrics,
        log,
        access,
        isProxy: networksOf(door.proxies),
      })
    },
    lookAtTokens: () => tokens?.look(),
    async stop() {
      tokens?.stop()
      await opened?.stop()
    },
  }
}

/** A revoked token or key is dead within this. */
const LOOK_MS = 5_000

/** A file that cannot be read changes nothing, and the log says so; one that has been emptied revokes its token. */
function followTokens(
  settings: Settings,
  access: IngressAccess,
  { clock, log }: Pick<ServedIngressDeps, 'clock' | 'log'>,
) {
  let wrong = ''
  let cancel = (): void => undefined
  let before = callersOf(settings.door!)

  function look(): void {
    cancel()
    try {
      const callers = callersOf(settings.door!)
      wrong = ''
      if (JSON.stringify(callers) !== JSON.stringify(before)) {
        access.follow(callers)
        const names = (all: readonly CallerSettings[]) => all.map(({ name }) => name)
        log.warn({ before: names(before), after: names(callers) }, 'HTTP ingress audit: tokens changed')
        before = callers
      }
    } catch (error) {
      const why = (error as Error).message
      if (why !== wrong) log.error({ why }, 'a token of the HTTP ingress is invalid: the old tokens stay in force')
      wrong = why
    }
    cancel = clock.after(LOOK_MS, look)
  }

  cancel = clock.after(LOOK_MS, look)
  return { look, stop: () => cancel() }
}

/** Nobody has the secret of an empty file. */
function secretOrNobody(file: string, place: string): string {
  const read = readSecretFile(file)
  return 'text' in read && read.text.trim() === '' ? randomBytes(32).toString('hex') : secretIn(file, place)
}

/** The one token of `door.tokenFile`, and the callers of `door.tokens`, with their secrets read. */
function callersOf({ name, tokenFile, tokens }: NonNullable<Settings['door']>): CallerSettings[] {
  const only = { name, msisdn: [], addresses: [], isolated: false }
  return [
    ...(tokenFile === undefined ? [] : [{ ...only, token: secretOrNobody(tokenFile, 'door.tokenFile') }]),
    ...tokens.map(({ hmac, tokenFile: file, ...caller }, i) => ({
      ...caller,
      isolated: true,
      ...(file === undefined ? {} : { token: secretOrNobody(file, `door.tokens.${i}.tokenFile`) }),
      ...(hmac ? { key: secretOrNobody(hmac.keyFile, `door.tokens.${i}.hmac.keyFile`) } : {}),
    })),
  ]
}

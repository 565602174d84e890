/** The HTTP ingress of the settings, if there is one: its line, and the HTTP server in front of it. */
import { isLoopback, networksOf, secretIn, type Log, type Metrics } from '../base/index.ts'
import type { Settings } from '../config/index.ts'
import {
  type CallerSettings,
  createIngressAccess,
  ingressContract,
  ingressLine,
  type IngressLineDeps,
  openIngress,
} from '../ingress/index.ts'
import type { Line } from '../smpp/index.ts'
import type { Clock } from '../ussd/index.ts'

export interface ServedIngress {
  /** Undefined if there is no HTTP ingress. */
  line: Line | undefined
  /** 0 if there is no HTTP ingress. */
  port(): number
  open(): Promise<void>
  stop(): Promise<void>
}

export interface ServedIngressDeps {
  settings: Settings
  clock: Clock
  log: Log
  metrics: Metrics
  instance: string
  onRequest: IngressLineDeps['onRequest']
}

export function createIngress({
  settings,
  clock,
  log,
  metrics,
  instance,
  onRequest,
}: ServedIngressDeps): ServedIngress {
  const { door } = settings
  if (!door) return { line: undefined, port: () => 0, open: async () => undefined, stop: async () => undefined }
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
        now: clock.now,
        counters: metrics,
        log,
        access,
        isProxy: networksOf(door.proxies),
      })
    },
    stop: async () => opened?.stop(),
  }
}

/** The one token of `door.tokenFile`, and the callers of `door.tokens`, with their secrets read. */
function callersOf({ name, tokenFile, tokens }: NonNullable<Settings['door']>): CallerSettings[] {
  const only = { name, msisdn: [], addresses: [], isolated: false }
  return [
    ...(tokenFile === undefined ? [] : [{ ...only, token: secretIn(tokenFile, 'door.tokenFile') }]),
    ...tokens.map(({ hmac, tokenFile: file, ...caller }, i) => ({
      ...caller,
      isolated: true,
      ...(file === undefined ? {} : { token: secretIn(file, `door.tokens.${i}.tokenFile`) }),
      ...(hmac ? { key: secretIn(hmac.keyFile, `door.tokens.${i}.hmac.keyFile`) } : {}),
    })),
  ]
}

/** The HTTP ingress of the settings, if there is one: its line, and the HTTP server in front of it. */
import { readFileSync } from 'node:fs'
import { isLoopback, UsageError, type Log, type Metrics } from '../base/index.ts'
import type { Settings } from '../config/index.ts'
import { ingressContract, ingressLine, type IngressLineDeps, openIngress } from '../ingress/index.ts'
import type { Line } from '../smpp/index.ts'
import type { Clock } from '../ussd/index.ts'

export interface ServedIngress {
  /** Undefined without an HTTP ingress. */
  line: Line | undefined
  /** 0 without an HTTP ingress. */
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
  const { host, path, tokenFile } = door
  const token = tokenFile === undefined ? undefined : tokenOf(tokenFile)
  if (token === undefined && !isLoopback(host)) {
    log.warn(
      { host },
      'the HTTP ingress is open to everybody who reaches it: set door.tokenFile, or keep it on loopback',
    )
  }
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
        ...(token === undefined ? {} : { token }),
      })
    },
    stop: async () => opened?.stop(),
  }
}

function tokenOf(file: string): string {
  try {
    const token = readFileSync(file, 'utf8').trim()
    if (token !== '') return token
  } catch (error) {
    throw new UsageError(`door.tokenFile: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  throw new UsageError(`door.tokenFile: ${file} is empty`)
}

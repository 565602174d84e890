/** The lines of the settings: each with its dialect, its binds, and what may be said on it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LineSettings, Settings } from '../config/schema.ts'
import type { Log } from '../log-port.ts'
import type { Metrics } from '../metrics.ts'
import { packageRoot } from '../root.ts'
import { loadDialect } from '../smpp/dialect-load.ts'
import type { Tap } from '../smpp/link.ts'
import { smppLine } from '../smpp/line.ts'
import { lineSettings, type TlsSettings } from '../smpp/settings.ts'
import type { Line, Link, Pdu } from '../smpp/types.ts'
import type { Late } from '../smpp/window.ts'
import type { Chance, Clock } from '../ussd/types.ts'

export interface Lines {
  all: readonly Line[]
  get(name: string): Line | undefined
  anyBound(): boolean
  boundCount(): number
  states(): Record<string, { bind: string; state: string; since: string }[]>
  start(): void
  stop(untilMs: number): Promise<void>
}

export interface LinesParts {
  settings: Settings
  clock: Clock
  chance: Chance
  log: Log
  metrics: Metrics
  instance: string
  onRequest(pdu: Pdu, line: Line, link: Link): Promise<void>
  /** A response that came after its deadline. */
  onLate(late: Late, line: string): Promise<void>
  onState?(line: string, bind: string, state: string): void
  tap?: Tap | undefined
}

export function createLines(parts: LinesParts): Lines {
  const lines = parts.settings.lines.map((settings) => createLine(settings, parts))
  const byName = new Map(lines.map((line) => [line.name, line]))
  return {
    all: lines,
    get: (name) => byName.get(name),
    anyBound: () => lines.some((line) => line.bound()),
    boundCount: () => lines.flatMap((line) => line.states()).filter((bind) => bind.state.startsWith('bound')).length,
    states: () => Object.fromEntries(lines.map((line) => [line.name,
      line.states().map((bind) => ({ ...bind, since: new Date(bind.since).toISOString() }))])),
    start: () => lines.forEach((line) => line.start()),
    stop: async (untilMs) => void await Promise.all(lines.map((line) => line.stop(untilMs))),
  }
}

function createLine(settings: LineSettings, parts: LinesParts): Line {
  const { clock, chance, log, metrics, instance } = parts
  const dialect = loadDialect(settings.dialect, profileDirs(parts.settings), { numbering: numberingOf(settings), chance })
  const line: Line = smppLine(wishesOf(settings), {
    dialect, clock, chance, log, instance, counters: metrics, ...(parts.tap ? { tap: parts.tap } : {}),
    onState: (bind, state) => parts.onState?.(settings.name, bind, state),
    onRequest: (pdu, link) => parts.onRequest(pdu, line, link),
    onLate: (late) => void parts.onLate(late, settings.name).catch((error: unknown) =>
      log.warn({ err: error, line: settings.name }, 'a late response is not kept')),
  })
  return line
}

/** A path stands for itself; a name is looked up in the operator's folder, then in ours. */
export function profileDirs(settings: Settings): string[] {
  return [...(settings.dialects.dir ? [settings.dialects.dir] : []), join(packageRoot, 'dialects')]
}

function numberingOf({ msisdn }: LineSettings) {
  const { countryCode, trunkPrefix, nationalDigits } = msisdn
  return { trunkPrefix, ...(countryCode ? { countryCode } : {}), ...(nationalDigits ? { nationalDigits } : {}) }
}

function wishesOf(settings: LineSettings): ReturnType<typeof lineSettings> {
  const { smsc, timers, sms } = settings
  return lineSettings({
    name: settings.name,
    ...(settings.group ? { group: settings.group } : {}),
    bind: settings.bind,
    links: settings.links,
    smsc: {
      hosts: [{ host: smsc.host, port: smsc.port }, ...smsc.more],
      systemId: smsc.systemId, password: smsc.password ?? '', systemType: smsc.systemType,
      addressRange: smsc.addressRange, addrTon: smsc.addrTon, addrNpi: smsc.addrNpi,
      ...(smsc.tls ? { tls: tlsOf(smsc.tls) } : {}),
    },
    ...(sms ? { sms: sourceOf(sms) } : {}),
    limits: {
      windowSlots: settings.window, pduReadMs: timers.pduReadMs, ...(sms ? { smsPerSecond: sms.perSecond } : {}),
    },
    times: {
      connectMs: timers.connectMs, bindMs: timers.bindMs, enquireMs: timers.enquireMs, enquireAnswerMs: timers.enquireRespMs,
      retryMinMs: timers.reconnectMs, retryMaxMs: timers.reconnectMaxMs,
      refusedMinMs: timers.refusedMs, refusedMaxMs: timers.refusedMaxMs,
    },
  })
}

function tlsOf(tls: NonNullable<LineSettings['smsc']['tls']>): TlsSettings {
  const file = (path: string | undefined) => path === undefined ? undefined : readFileSync(path)
  const [ca, cert, key] = [file(tls.ca), file(tls.cert), file(tls.key)]
  return {
    ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}),
    ...(tls.servername ? { servername: tls.servername } : {}),
  }
}

/** TON and NPI of an SMS source, as networks expect them: alphanumeric, short code, or international number. */
function sourceOf(sms: NonNullable<LineSettings['sms']>) {
  const digits = /^\d+$/.test(sms.source)
  return {
    source: sms.source,
    sourceTon: sms.sourceTon ?? (digits ? (sms.source.length <= 6 ? 3 : 1) : 5),
    sourceNpi: sms.sourceNpi ?? (digits ? 1 : 0),
  }
}

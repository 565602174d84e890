/** Changes of lines, for the admin routes of this daemon and for other daemons that ask for them. */
import type { CommandAnswer, FleetCommand } from '../fleet/index.ts'
import { FOLLOWED_MAX, type LogLevelRows } from '../base/index.ts'
import type { TestDialRow } from '../test-dials/index.ts'
import type { LineRow, LinesReloaded, LogAsked, Reloaded } from './service.ts'

export interface LineChanger {
  lines(): LineRow[]
  /** False: there is no line of this name. */
  haltLine(name: string): boolean
  resumeLine(name: string): boolean
  holdLine(name: string, how: { by: string; text: string | null }): boolean
  releaseLine(name: string): boolean
  reload(): Promise<LinesReloaded | { problem: string }>
  logLevels(): LogLevelRows
  /** False: too many subscribers are followed. */
  setLogLevel(asked: LogAsked): boolean
  resetLog(): void
  checkReload(): Promise<Reloaded | { problem: string }>
  /** What back ends answered about this subscriber goes out of memory. */
  forgetAnswers(msisdn: string): void
  /** Or why there is nothing to dial. */
  dialTest(asked: DialAsked): Promise<{ dials: TestDialRow[] } | { refused: string }>
}

export interface DialAsked {
  line?: string | undefined
  service?: string | undefined
}

/** An answer, and what the audit log says of it. */
export interface CarriedOut extends CommandAnswer {
  what: string
  /** Undefined: nothing was changed, so there is nothing to audit. */
  audit?: object
}

export async function changeLines(service: LineChanger, command: FleetCommand, by: string): Promise<CarriedOut> {
  const { what, line = '', text = null } = command
  if (what === 'lines-reload') return reloadLines(service)
  if (what === 'reload-check') return checkedReload(service)
  if (what === 'forget-subscriber') return forgotten(service, command)
  if (what === 'test-dial') return dialled(service, command)
  if (what === 'log-level' || what === 'log-reset') return changedLog(service, command)
  const rows = service.lines()
  const before = rows.find(({ name }) => name === line)
  const change = CHANGES[what](service, { line, by, text })
  const [told] = [what.replace('-', ' ')]
  if (!change) {
    const error = `there is no line '${line}'`
    return { what: told, status: 404, body: { error, lines: rows.map(({ name }) => name) } }
  }
  const after = service.lines().find(({ name }) => name === line)
  return {
    what: told,
    status: 200,
    body: { line, stopped: after?.stopped, held: after?.held ?? null },
    audit: { line, before: stateOf(before), after: stateOf(after) },
  }
}

interface Asked {
  line: string
  by: string
  text: string | null
}

/** False: there is no such line. */
const CHANGES: Record<
  Extract<FleetCommand['what'], 'line-stop' | 'line-start' | 'line-hold' | 'line-release'>,
  Change
> = {
  'line-stop': (service, { line }) => service.haltLine(line),
  'line-start': (service, { line }) => service.resumeLine(line),
  'line-hold': (service, { line, by, text }) => service.holdLine(line, { by, text }),
  'line-release': (service, { line }) => service.releaseLine(line),
}

type Change = (service: LineChanger, asked: Asked) => boolean

function stateOf(row: LineRow | undefined): string {
  return row?.stopped ? 'stopped' : row?.held ? 'held' : 'serving'
}

/** Numbers are not in the answer, and masked in the audit. */
function changedLog(service: LineChanger, { what, log }: FleetCommand): CarriedOut {
  const told = what.replace('-', ' ')
  if (what === 'log-reset') service.resetLog()
  else if (!service.setLogLevel(log as LogAsked))
    return { what: told, status: 409, body: { error: `${FOLLOWED_MAX} subscribers are followed: ${TOO_MANY}` } }
  return { what: told, status: 200, body: service.logLevels(), audit: { ...log } }
}

/** The audit of who erases the subscriber says it. */
function forgotten(service: LineChanger, { msisdn = '' }: FleetCommand): CarriedOut {
  service.forgetAnswers(msisdn)
  return { what: 'subscriber forgotten', status: 200, body: {} }
}

const TOO_MANY = 'wait until one ends, or end all (ussd-connector log reset)'

async function dialled(service: LineChanger, { line, service: code }: FleetCommand): Promise<CarriedOut> {
  const told = await service.dialTest({ line, service: code })
  const what = 'test dial'
  if ('refused' in told) return { what, status: 400, body: { error: told.refused } }
  return { what, status: 200, body: told, audit: { line: line ?? 'all', dials: told.dials.length } }
}

async function checkedReload(service: LineChanger): Promise<CarriedOut> {
  const what = 'reload checked'
  const would = await service.checkReload()
  return 'problem' in would ? { what, status: 409, body: { error: would.problem } } : { what, status: 200, body: would }
}

async function reloadLines(service: LineChanger): Promise<CarriedOut> {
  const what = 'settings reloaded'
  const done = await service.reload()
  if ('problem' in done) return { what, status: 409, body: { error: done.problem }, audit: { refused: done.problem } }
  const audit = { after: done }
  if (done.refused.length === 0) return { what, status: 200, body: done, audit }
  return { what, status: 409, body: { ...done, ...refusalOf(done) }, audit }
}

function refusalOf(done: LinesReloaded): { error: string; problems: string[] } {
  const names = done.refused.map(({ line }) => line).join(', ')
  const problems = done.refused.map(
    ({ line, peer, why, detail, remedy }) => `${line} at ${peer}: ${why}: ${detail}: ${remedy}`,
  )
  const others = (['added', 'changed', 'removed'] as const)
    .filter((what) => done[what].length)
    .map((what) => `${what}: ${done[what].join(' ')}`)
  return { error: `these lines go on with their old settings: ${names}`, problems: [...problems, ...others] }
}

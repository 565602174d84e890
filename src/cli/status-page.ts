/** The one screen of `status`: what is wrong first, then daemons, lines, alarms and silences. */
import type { FleetTold, InstanceRow } from '../admin/index.ts'
import type { SilenceRow } from '../watch/index.ts'
import { sinceSaid } from './ages.ts'
import { coloured, tableOf } from './table.ts'

/** As it comes over the wire. */
export type SaidFleet = Omit<FleetTold, 'silences'> & { silences: (Omit<SilenceRow, 'until'> & { until: string })[] }

export interface FleetVerdict {
  code: 0 | 1 | 2
  /** What made it so, the worst first. */
  why: string[]
}

const WORDS = ['well', 'WARNING', 'CRITICAL'] as const
const COLOURS = ['green', 'yellow', 'red'] as const

/** Critical: nobody is served, or a line is served by no daemon, or an alarm says so. */
export function fleetVerdict({ instances }: SaidFleet): FleetVerdict {
  const live = instances.filter(({ isGone }) => !isGone)
  const critical = [
    ...(live.some(({ state }) => state.ready) ? [] : ['no daemon is ready']),
    ...linesDown(live).map((line) => `no daemon has line ${line}`),
    ...alarmsOf(live, 'critical'),
  ]
  const versions = new Set(live.map(({ version }) => version))
  const warnings = [
    ...instances.filter(({ isGone }) => isGone).map((one) => `${one.name} was last seen ${sinceSaid(one.ageMs)} ago`),
    ...live.filter(({ state }) => !state.ready && !isStandby(state)).map(({ name }) => `${name} is not ready`),
    ...live.flatMap(({ name, state }) => downBinds(state).map((bind) => `${bind} is down on ${name}`)),
    ...live.flatMap(({ name, state }) =>
      state.flows.map((flow) => `the file of flow ${flow} is not what serves on ${name}`),
    ),
    ...live.flatMap(({ name, state }) =>
      heldLines(state).map((line) => `${line} is held on ${name}: new dials are turned away`),
    ),
    ...alarmsOf(live, 'warning'),
    ...(versions.size > 1 ? [`versions differ: ${[...versions].join(', ')}`] : []),
  ]
  return { code: critical.length ? 2 : warnings.length ? 1 : 0, why: [...critical, ...warnings] }
}

export function statusLines(fleet: SaidFleet, nowMs: number): string[] {
  const { code, why } = fleetVerdict(fleet)
  const word = coloured(WORDS[code], COLOURS[code])
  const live = fleet.instances.filter(({ isGone }) => !isGone)
  const sum = (key: 'dials' | 'turns' | 'sms') => said(live.reduce((all, { state }) => all + state.rates[key], 0))
  const rates = `${sum('dials')} dials, ${sum('turns')} turns, ${sum('sms')} SMS a second`
  const blocks = [
    [`${word}  ${live.length} of ${fleet.instances.length} daemons, ${rates}`, ...why.map((one) => `  ${one}`)],
    tableOf(
      ['DAEMON', 'STATE', 'VERSION', 'NODE', 'UP', 'SEEN', 'DIALS/S', 'TURNS/S', 'SMS/S', 'BINDS'],
      fleet.instances.map((one) => daemonRow(one, nowMs)),
    ),
    tableOf(['BIND', 'DAEMON', 'STATE', 'SINCE', 'PEER', 'WHY', 'NEXT TRY'], live.flatMap(bindRows)),
    tableOf(['ALARM', 'SUBJECT', 'DAEMON', 'SINCE', 'WHY'], live.flatMap(alarmRows)),
    tableOf(
      ['SILENCE', 'LINE', 'UNTIL', 'BY', 'NOTE'],
      fleet.silences.map(({ id, line, until, asked_by: by, note }) => [id, line ?? 'everything', until, by, note]),
    ),
  ]
  return blocks.filter((block) => block.length > 0).flatMap((block, n) => (n ? ['', ...block] : block))
}

function daemonRow({ name, version, node, startedAt, ageMs, isGone, state }: InstanceRow, nowMs: number): string[] {
  const binds = state.lines.map((line) => {
    const up = line.binds.filter((bind) => bind.state === 'bound').length
    if (line.stopped) return `${line.name} stopped`
    return `${line.name} ${up}/${line.binds.length}${line.held ? ' held' : ''}`
  })
  const { dials, turns, sms } = state.rates
  const is = isGone ? 'GONE' : state.ready ? 'ready' : isStandby(state) ? 'standby' : 'NOT READY'
  const up = isGone ? '-' : sinceSaid(nowMs - Date.parse(startedAt))
  return [name, is, version, node, up, sinceSaid(ageMs), said(dials), said(turns), said(sms), binds.join(', ')]
}

/** Only those that are not as they should be. */
function bindRows({ name, state }: InstanceRow): string[][] {
  return state.lines.flatMap(({ binds }) =>
    binds
      .filter((bind) => bind.state !== 'bound')
      .map(({ bind, state: is, since, peer, why = '', detail, tries, next = '' }) => [
        bind,
        name,
        is,
        since,
        peer,
        why && `${why}: ${detail}, ${tries} ${tries === 1 ? 'try' : 'tries'}`,
        next,
      ]),
  )
}

function alarmRows({ name, state }: InstanceRow): string[][] {
  return state.alarms.map(({ alarm, subject, since, why, silenced }) => [
    silenced ? `${alarm} (silenced)` : alarm,
    subject,
    name,
    since,
    why,
  ])
}

/** Lines that should serve and that no live daemon has bound. */
function linesDown(live: readonly InstanceRow[]): string[] {
  const rows = live.flatMap(({ state }) => state.lines).filter(({ stopped }) => !stopped)
  const bound = new Set(
    rows.filter(({ binds }) => binds.some(({ state }) => state === 'bound')).map(({ name }) => name),
  )
  return [...new Set(rows.map(({ name }) => name))].filter((name) => !bound.has(name))
}

function heldLines({ lines }: InstanceRow['state']): string[] {
  return lines.flatMap(({ name, held, stopped }) => (held && !stopped ? [name] : []))
}

function downBinds({ lines }: InstanceRow['state']): string[] {
  return lines.flatMap(({ binds }) =>
    binds.filter(({ state }) => state !== 'bound' && state !== 'standby').map(({ bind }) => bind),
  )
}

function isStandby({ lines }: InstanceRow['state']): boolean {
  return lines.some(({ binds }) => binds.some(({ state }) => state === 'standby'))
}

function alarmsOf(live: readonly InstanceRow[], severity: 'critical' | 'warning'): string[] {
  return live.flatMap(({ name, state }) =>
    state.alarms
      .filter((one) => one.severity === severity && !one.silenced)
      .map(({ alarm, subject }) => `alarm ${alarm}: ${subject} on ${name}`),
  )
}

function said(rate: number): string {
  return rate.toFixed(1)
}

/** The one screen of `status`: what is wrong first, then daemons, lines, alarms and silences. */
import type { FleetTold, InstanceRow } from '../admin/index.ts'
import { type FleetFinding, findingsOf, isStandby } from '../fleet/index.ts'
import { sinceSaid } from './ages.ts'
import { alarmTable, silenceTable, type SaidSilence } from './alarm-tables.ts'
import { coloured, tableOf } from './table.ts'

/** As it comes over the wire. */
export type SaidFleet = Omit<FleetTold, 'silences'> & { silences: SaidSilence[] }

export interface FleetVerdict {
  code: 0 | 1 | 2
  /** What made it so, the worst first. */
  why: string[]
}

const WORDS = ['well', 'WARNING', 'CRITICAL'] as const
const COLOURS = ['green', 'yellow', 'red'] as const

/** Critical: nobody is served, or a line is served by no daemon, or an alarm says so. */
export function fleetVerdict({ instances }: SaidFleet): FleetVerdict {
  const found = findingsOf(instances)
  const isCritical = found.some(({ severity }) => severity === 'critical')
  return { code: isCritical ? 2 : found.length ? 1 : 0, why: found.map(findingSaid) }
}

function findingSaid(found: FleetFinding): string {
  switch (found.is) {
    case 'nobody-ready':
      return 'no daemon is ready'
    case 'line-down':
      return `no daemon has line ${found.line}`
    case 'alarm':
      return `alarm ${found.alarm}: ${found.subject} on ${found.daemon}`
    case 'gone':
      return `${found.daemon} was last seen ${sinceSaid(found.ageMs)} ago`
    case 'not-ready':
      return `${found.daemon} is not ready`
    case 'bind-down':
      return `${found.bind} is down on ${found.daemon}`
    case 'flow-file':
      return `the file of flow ${found.flow} is not what serves on ${found.daemon}`
    case 'line-held':
      return `${found.line} is held on ${found.daemon}: new dials are turned away`
    case 'versions-differ':
      return `versions differ: ${found.versions.join(', ')}`
  }
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
    alarmTable(live.flatMap(({ name, state }) => state.alarms.map((one) => ({ ...one, instance: name })))),
    silenceTable(fleet.silences),
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

function said(rate: number): string {
  return rate.toFixed(1)
}

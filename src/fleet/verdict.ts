/** What is wrong with a fleet, the worst first. Words for it are those of who shows it. */
import type { Instance } from './fleet.ts'

/** What a finding needs of the state that a daemon writes of itself. */
export interface JudgedState {
  ready: boolean
  lines: readonly {
    name: string
    stopped: boolean
    held?: unknown
    binds: readonly { bind: string; state: string }[]
  }[]
  alarms: readonly { alarm: string; subject: string; severity: 'critical' | 'warning'; silenced: boolean }[]
  /** Flows whose files are broken or recalled. */
  flows: readonly string[]
}

export type Judged = Pick<Instance<JudgedState>, 'name' | 'version' | 'ageMs' | 'isGone' | 'state'>

export type FleetFinding = { severity: 'critical' | 'warning' } & (
  | { is: 'nobody-ready' }
  | { is: 'line-down'; line: string }
  | { is: 'alarm'; alarm: string; subject: string; daemon: string }
  | { is: 'gone'; daemon: string; ageMs: number }
  | { is: 'not-ready'; daemon: string }
  | { is: 'bind-down'; bind: string; daemon: string }
  | { is: 'flow-file'; flow: string; daemon: string }
  | { is: 'line-held'; line: string; daemon: string }
  | { is: 'versions-differ'; versions: string[] }
)

/** Critical: nobody is served, or a line is served by no daemon, or an alarm says so. */
export function findingsOf(all: readonly Judged[]): FleetFinding[] {
  const live = all.filter(({ isGone }) => !isGone)
  const [critical, warning] = ['critical', 'warning'] as const
  const versions = [...new Set(live.map(({ version }) => version))]
  return [
    ...(live.some(({ state }) => state.ready) ? [] : [{ severity: critical, is: 'nobody-ready' as const }]),
    ...linesDown(live).map((line) => ({ severity: critical, is: 'line-down' as const, line })),
    ...alarmsOf(live, critical),
    ...all
      .filter(({ isGone }) => isGone)
      .map(({ name, ageMs }) => ({ severity: warning, is: 'gone' as const, daemon: name, ageMs })),
    ...live
      .filter(({ state }) => !state.ready && !isStandby(state))
      .map(({ name }) => ({ severity: warning, is: 'not-ready' as const, daemon: name })),
    ...live.flatMap(({ name, state }) =>
      downBinds(state).map((bind) => ({ severity: warning, is: 'bind-down' as const, bind, daemon: name })),
    ),
    ...live.flatMap(({ name, state }) =>
      state.flows.map((flow) => ({ severity: warning, is: 'flow-file' as const, flow, daemon: name })),
    ),
    ...live.flatMap(({ name, state }) =>
      heldLines(state).map((line) => ({ severity: warning, is: 'line-held' as const, line, daemon: name })),
    ),
    ...alarmsOf(live, warning),
    ...(versions.length > 1 ? [{ severity: warning, is: 'versions-differ' as const, versions }] : []),
  ]
}

/** Another daemon, or another program, holds its bind. */
export function isStandby({ lines }: Pick<JudgedState, 'lines'>): boolean {
  return lines.some(({ binds }) => binds.some(({ state }) => state === 'standby'))
}

/** Lines that should serve and that no live daemon has bound. */
function linesDown(live: readonly Judged[]): string[] {
  const rows = live.flatMap(({ state }) => state.lines).filter(({ stopped }) => !stopped)
  const bound = new Set(
    rows.filter(({ binds }) => binds.some(({ state }) => state === 'bound')).map(({ name }) => name),
  )
  return [...new Set(rows.map(({ name }) => name))].filter((name) => !bound.has(name))
}

function heldLines({ lines }: JudgedState): string[] {
  return lines.flatMap(({ name, held, stopped }) => (held && !stopped ? [name] : []))
}

function downBinds({ lines }: JudgedState): string[] {
  return lines.flatMap(({ binds }) =>
    binds.filter(({ state }) => state !== 'bound' && state !== 'standby').map(({ bind }) => bind),
  )
}

function alarmsOf(live: readonly Judged[], severity: 'critical' | 'warning'): FleetFinding[] {
  return live.flatMap(({ name, state }) =>
    state.alarms
      .filter((one) => one.severity === severity && !one.silenced)
      .map(({ alarm, subject }) => ({ severity, is: 'alarm' as const, alarm, subject, daemon: name })),
  )
}

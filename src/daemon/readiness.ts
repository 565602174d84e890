/** What /ready reports: whether a message could be served now, and the state of each part. */
import type { Readiness } from '../admin/index.ts'
import type { Settings } from '../config/index.ts'
import type { Flows } from '../flow/release/index.ts'
import type { LineHolds, Lines } from './lines/index.ts'
import type { ClockCheck } from './clock-check.ts'
import type { Stores } from './stores/index.ts'

export interface ReadinessOf {
  settings: Settings
  name: string
  stores: Stores
  lines: Lines
  flows: Flows
  clockCheck: ClockCheck
  holds: Pick<LineHolds, 'of'>
}

export async function readinessOf({
  settings,
  name,
  stores,
  lines,
  flows,
  clockCheck,
  holds,
}: ReadinessOf): Promise<Readiness> {
  const store = await stores.check()
  const states = lines.states()
  const isReachable = lines.anyBound() || settings.lines.length === 0
  // Healthy, and waiting for the bind of the other daemon: that is not a fault.
  const standby =
    !isReachable &&
    Object.values(states)
      .flat()
      .some((bind) => bind.state === 'standby')
  const time = clockCheck.state()
  const stopped = settings.lines.filter((line) => lines.get(line.name) === undefined).map((line) => line.name)
  const held = settings.lines.filter((line) => holds.of(line.name)).map((line) => line.name)
  return {
    ready: store.ok && isReachable && time.ok,
    parts: { instance: name, standby, lines: states, stopped, held, stores: store, flows: flows.names(), clock: time },
  }
}

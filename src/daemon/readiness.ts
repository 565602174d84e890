/** What /ready reports: whether a message could be served now, and the state of each part. */
import type { Readiness } from '../admin/index.ts'
import type { Flows } from '../flow/release/index.ts'
import type { Lines } from './lines/index.ts'
import type { ClockCheck } from './clock-check.ts'
import type { Stores } from './stores.ts'

export async function readinessOf(stores: Stores, lines: Lines, flows: Flows, clock: ClockCheck): Promise<Readiness> {
  const store = await stores.check()
  const states = lines.states()
  const isReachable = lines.anyBound() || lines.all.length === 0
  // Healthy, and waiting for the bind of the other daemon: that is not a fault.
  const standby =
    !isReachable &&
    Object.values(states)
      .flat()
      .some((bind) => bind.state === 'standby')
  const time = clock.state()
  return {
    ready: store.ok && isReachable && time.ok,
    parts: { standby, lines: states, stores: store, flows: flows.names(), clock: time },
  }
}

/** What /ready says: whether a message could be served now, and of what that is made. */
import type { Readiness } from '../admin/index.ts'
import type { Flows } from '../flow/release/index.ts'
import type { Lines } from './lines/index.ts'
import type { Stores } from './stores.ts'

export async function readinessOf(stores: Stores, lines: Lines, flows: Flows): Promise<Readiness> {
  const store = await stores.check()
  const states = lines.states()
  const isReachable = lines.anyBound() || lines.all.length === 0
  // Healthy, and waiting for the bind of the other daemon: not the same as broken.
  const standby =
    !isReachable &&
    Object.values(states)
      .flat()
      .some((bind) => bind.state === 'standby')
  return { ready: store.ok && isReachable, parts: { standby, lines: states, stores: store, flows: flows.names() } }
}

/** The desk of a daemon, made of what its admin server has. */
import type { AdminService, DaemonState, FleetService, FlowService, WatchedTokens } from '../admin/index.ts'
import type { Audit } from '../audit/index.ts'
import { createDesk, type Desk, type DeskDemo, type TrustedProxy } from '../desk/index.ts'
import type { Fleet } from '../fleet/index.ts'
import type { FlowEvents, LineEvents } from '../watch/index.ts'
import type { Runtime } from './runtime.ts'
import type { Stores } from './stores/index.ts'

export interface OpenDesk {
  stores: Pick<Stores, 'sql'>
  tokens: WatchedTokens
  fleet: Fleet<DaemonState>
  lineEvents: LineEvents
  flowEvents: FlowEvents
  service: AdminService
  audit: Audit
  fleetService: FleetService
  flows: FlowService
  /** Now: rates over a second. */
  state(): Promise<DaemonState>
  proxy: TrustedProxy
  demo?: DeskDemo | undefined
}

export function openDesk(runtime: Runtime, { stores, tokens, ...parts }: OpenDesk): Promise<Desk> {
  return createDesk({
    ...runtime,
    ...parts,
    sql: stores.sql,
    tokens: tokens.tokens,
    counters: runtime.metrics,
  })
}

/** The HTTP server for operators, and what it needs from other rooms. */
export {
  createFleetService,
  type DaemonState,
  type FleetLineRow,
  type FleetTold,
  type InstanceRow,
  type DaemonRates,
} from './fleet-service.ts'
export { changeLines } from './line-changes.ts'
export { OLD_TOKEN_REMEDY, tokensOf } from './access.ts'
export { type WatchedTokens, watchTokens } from './token-file.ts'
export { CENSUS_MAX, createFlowService, type FlowRow, type FlowStand, type RevisionRows } from './flow-service.ts'
export { type Admin, type Readiness, startAdmin } from './server.ts'
export {
  type AlarmsTold,
  type BindState,
  type CapState,
  createAdminService,
  type DialogueSummary,
  type LineHold,
  type LineRefusal,
  type LineRow,
  type LinesChange,
  type OperatedLines,
  type ReloadBegun,
  type Reloaded,
  type SettingTaken,
  type SettingWaiting,
  type SmsSummary,
  type TraceTold,
} from './service.ts'

/** The HTTP server for operators, and what it needs from other rooms. */
export {
  createFleetService,
  type FleetService,
  type DaemonState,
  type AlarmsTold,
  type FleetAlarmRow,
  type FleetLineRow,
  type FleetTold,
  type InstanceRow,
  type DaemonRates,
  type EndedCount,
  type OpenCounted,
} from './fleet-service.ts'
export type { FunnelTold } from './flow-funnels.ts'
export type { DialogueTold, StoryTold } from './subscriber-stories.ts'
export { changeLines } from './line-changes.ts'
export { createAccess, type Token, tokensOf } from './access.ts'
export { withoutNumbers } from './notes.ts'
export { type WatchedTokens, watchTokens } from './token-file.ts'
export {
  CENSUS_MAX,
  createFlowService,
  type FlowChange,
  type FlowRow,
  type FlowService,
  type KeptRevision,
  type OpenCount,
  type FlowStand,
  type RevisionRows,
} from './flow-service.ts'
export { type Admin, type Readiness, startAdmin } from './server.ts'
export {
  type BindState,
  type CapState,
  type AdminService,
  createAdminService,
  type DialogueSummary,
  type LineHold,
  type LineRefusal,
  type LineRow,
  type LineTraffic,
  type LinesChange,
  type OperatedLines,
  type ReloadBegun,
  type Reloaded,
  type SettingTaken,
  type SettingWaiting,
  type ReasonCount,
  type SmsSummary,
  type TraceTold,
} from './service.ts'

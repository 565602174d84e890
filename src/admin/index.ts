/** The HTTP server for those who run the daemon, and the port of what it asks of it. */
export { readTokens, type Token } from './access.ts'
export type {
  By,
  FlowChange,
  FlowRow,
  FlowService,
  FlowSources,
  FlowStand,
  Refused,
  RevisionRow,
  RevisionRows,
} from './flow-service.ts'
export { type Admin, type Readiness, startAdmin } from './server.ts'
export type { AdminService, DialogueSummary, LineRow, LinesReloaded, PushTold, SmsSummary } from './service.ts'

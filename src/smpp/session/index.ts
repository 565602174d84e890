/** One line to one SMSC: its binds, links and windows. START HERE: line.ts. */
export { percentileMs } from './answer-times.ts'
export { bindRequest, type BindRole, withoutPassword } from './bind-request.ts'
export { LineCap, type LineShares, type ShareAsk, type ShareGrant } from './cap.ts'
export { LineLabels, noCounters } from './counters.ts'
export { type LineDeps, type LineTuning, smppLine, type TunableLine } from './line.ts'
export type { Tap } from './link.ts'
export {
  type Endpoint,
  LINE_LIMITS,
  lineSettings,
  type LineSettings,
  type SmscSettings,
  type TlsSettings,
} from './settings.ts'
export { type Connect, openSocket } from './socket.ts'
export type { LateResponse } from './window.ts'

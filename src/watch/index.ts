/** What an operator watches: the history of lines and of flows, and alarms. */
export { createFlowEvents, type FlowEventRow, type FlowEvents } from './flow-events.ts'
export { createLineEvents, type LineEventRow, type LineEvents } from './line-events.ts'

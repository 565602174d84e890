/** What an operator watches: the history of lines, and alarms. */
export { createLineEvents, type LineEventRow, type LineEvents } from './line-events.ts'

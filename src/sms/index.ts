/** SMS over the lines: sends the outbox, and reads SMS from subscribers. */
export { longestResponseMs } from './sending.ts'
export { createSmsSide } from './service.ts'

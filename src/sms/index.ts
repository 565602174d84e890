/** SMS over the lines: the service that sends what the outbox owes and reads what subscribers write. */
export { longestResponseMs } from './sending.ts'
export { createSmsSide } from './service.ts'

/** SMS over the lines: the service that sends what the outbox owes and reads what subscribers write. */
export { createSmsSide, longestResponseMs } from './service.ts'

/** The desk: pages for operators, served by the admin server. */
export { createDesk, type Desk, type DeskDemo } from './desk.ts'
export { type TrustedProxy, trustedProxy } from './proxy.ts'

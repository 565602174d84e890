/** The sample wallet: an HTTP back end. */
export { startWallet } from './server.ts'

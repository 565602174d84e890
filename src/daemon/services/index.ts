/** What serves subscribers besides the gateway: back ends, USSD push, deferred answers, and SMS. */
export { daemonPushLimits } from './push.ts'
export { createServices, type DaemonServices } from './services.ts'
export { createSmsAsking, createSmsHooks } from './sms-requests.ts'

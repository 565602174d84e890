/** START HERE: one deliver_sm, from the SMSC's octets to our answer. */
export { createOverload, type Overload } from './admission.ts'
export { createEnding, createRelease, type EndingDeps } from './ending.ts'
export { createGateway, type Gateway, type GatewayDeps } from './gateway.ts'
export { createIntake, type Intake } from './intake.ts'
export type { Service } from './steps.ts'

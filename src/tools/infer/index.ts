/** Infers a dialect profile from a recording. */
export { infer } from './infer.ts'
export { nearestProfile } from './nearest-profile.ts'
export { printProfile } from './print.ts'
export { newProbe, type Probe } from './probe.ts'

/** The SMSC: links of ESMEs, their requests, what is delivered to them, and the faults that strike. */
export { answerFault, answerTold, statusNamed } from './answers.ts'
export { seededChance } from './chaos.ts'
export type { Peer } from './peer.ts'
export { startSmsc, type Smsc, type SmscOptions } from './smsc.ts'
export { describePdu, wireOf, type Traced } from './trace.ts'

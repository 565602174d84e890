/** The daemons that share a database: who they are, how they are, and what one asks of another. */
export { type CommandAnswer, createFleet, type Fleet, type FleetCommand, type Instance } from './fleet.ts'
export { type FleetFinding, findingsOf, isStandby, type Judged } from './verdict.ts'

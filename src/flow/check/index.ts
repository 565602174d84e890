/** Finds what is wrong with a flow, or doubtful, before anybody dials it. */
export { acceptedAnew, accepting } from './accepts.ts'
export { assumedIn } from './assumed.ts'
export { checkingFlow, checkSource, type FlowProblem, vettingFlow } from './check.ts'
export { liveKeys } from './still-read.ts'
export { setPathOf } from './paths.ts'
export { trailsOf } from './shortest-ways.ts'

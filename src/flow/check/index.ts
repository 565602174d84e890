/** Finds what is wrong with a flow, or doubtful, before anybody dials it. */
export { checkingFlow, checkSource, type FlowProblem } from './check.ts'
export { readsByScreen, setOn, setPathOf } from './paths.ts'
export { trailsOf } from './trail.ts'

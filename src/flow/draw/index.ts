/** Pictures of a flow: statechart, storyboard, Mermaid, XState JSON. */
export { drawFlow } from './mermaid.ts'
export { storyboard } from './storyboard.ts'
export { svgOf } from './svg.ts'
export { xstateJson } from './xstate-json.ts'

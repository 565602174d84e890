/** Reads flow files into one definition: YAML, catalogues, parts, back ends and plug-ins. */
export { type BackendSaid, saidOfCall } from './declared.ts'
export { type DeclaredBackend, flowNames, sourceOf, unusedParts, withBackends } from './loader.ts'
export { loadScreenTypes } from './plugin.ts'
export { type FlowFiles, type FlowSource, readFlow, type ReadFlow, readingFlow } from './read.ts'
export { stampOf } from './stamp.ts'

/** Reads flow files into one definition: YAML, catalogues, parts and plug-ins. */
export { flowNames, sourceOf, unusedParts } from './loader.ts'
export { loadScreenTypes } from './plugin.ts'
export { type FlowFiles, type FlowSource, readFlow, type ReadFlow, readingFlow } from './read.ts'
export { stampOf } from './stamp.ts'

/** The process that draws flows: a layout with many ways takes seconds, and its parent must go on meanwhile. */
import { compileFlow } from '../load/index.ts'
import type { WantedPicture } from './pictures.ts'
import { svgOf } from '../draw/index.ts'

process.on('message', ({ revision, definition, source }: WantedPicture) => {
  // A flow with screens of a plug-in does not compile here: then this process ends, and there is no picture.
  const drawn = definition ?? compileFlow(source!).definition
  process.send!({ revision, svg: svgOf({ definition: drawn, flow: { revision } }, true) })
})

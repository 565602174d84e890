/** The process that draws flows: the layout of one with many ways takes seconds, and the page must go on meanwhile. */
import { svgOf } from '../../flow/draw/index.ts'

type Wanted = Pick<Parameters<typeof svgOf>[0], 'definition'> & { revision: string }

process.on('message', ({ definition, revision }: Wanted) => {
  process.send!({ revision, svg: svgOf({ definition, flow: { revision } }, true) })
})

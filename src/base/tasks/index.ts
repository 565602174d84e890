/** How work is shared out: in pieces, in bulks, so many at once; and how long it holds the event loop. */
export { QUIET_SAMPLER, registerEventLoopLag } from './event-loop-lag.ts'
export { gathering, type Gathering } from './gathering.ts'
export { type Gate, gate, semaphore } from './semaphore.ts'
export { inPieces, toEnd } from './sliced-work.ts'
export { stretch, STRETCH_MS_MAX, watchStretches } from './stretch.ts'

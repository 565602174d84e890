/** The flight recorder: the last PDUs of each bind, masked. */
export { createDrops } from './drops.ts'
export { traceCapture, traceText } from './export.ts'
export { createMasking } from './masking.ts'
export { createRecorder, type Recorder, type TraceAsked } from './recorder.ts'
export type { SeenMessage } from './ring.ts'

/** Can somebody dial now? Test dials, on a schedule or when asked, inside the daemon or through the network. */
export { TEST_LINE_LEAD } from './caught-line.ts'
export { testGateway } from './guarded.ts'
export { dialHere } from './here.ts'
export type { TestDialHeard } from './outcome.ts'
export type { PlannedDial } from './plan.ts'
export { createTestDials, type TestDialRow, type TestDials } from './test-dials.ts'
export { createDialler, type Dialler } from './through.ts'

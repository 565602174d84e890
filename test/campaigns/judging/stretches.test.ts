import assert from 'node:assert/strict'
import { stretch } from '../../../src/base/tasks/stretch.ts'
import { guardStretches, stretchesOf } from './stretches.ts'

/** Work of the processor, however busy the machine is. */
function burn(ms: number): void {
  const { user } = process.cpuUsage()
  while (process.cpuUsage().user - user < ms * 1_000);
}

describe('the check for stretches', () => {
  it('reads the figures of a daemon, and tells what is new in them', async () => {
    let [steps, patterns] = [0, 0]
    const figures = async () =>
      `# TYPE slow_stretches_total counter\nslow_stretches_total{where="flow-step"} ${steps}\n` +
      `slow_stretches_total{where="pattern"} ${patterns}\nbugs_total{where="x"} 1\n`
    const since = stretchesOf(figures)
    assert.deepEqual(await since(), [])
    steps = 3
    assert.deepEqual(await since(), ['flow-step held the event loop for over 50 ms, 3 times'])
    assert.deepEqual(await since(), [])
    patterns = 1
    steps = 4
    assert.deepEqual(await since(), [
      'flow-step held the event loop for over 50 ms, 1 times',
      'pattern held the event loop for over 50 ms, 1 times',
    ])
  })

  it('notices work that is too long each time, and none that was so once', () => {
    const guard = guardStretches()
    try {
      assert.match(guard.held(() => stretch('pattern', burn, 80)).join(), /^pattern held the event loop for \d+ ms$/)
      let runs = 0
      assert.deepEqual(
        guard.held(() => stretch('pattern', burn, runs++ ? 1 : 80)),
        [],
      )
      assert.deepEqual(
        guard.held(() => stretch('pattern', burn, 1)),
        [],
      )
    } finally {
      guard.stop()
    }
  })
})

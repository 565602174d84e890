import assert from 'node:assert/strict'
import { createStretches, STRETCH_MS_MAX, type StretchPlace } from '../../../src/base/tasks/stretch.ts'

describe('stretches', () => {
  let wall: number
  let cpu: number
  let seen: [StretchPlace, number][]
  let unwatch: () => void
  let stretch: ReturnType<typeof createStretches>['stretch']
  let reads: number
  beforeEach(() => {
    ;[wall, cpu, seen, reads] = [1_000, 500, [], 0]
    const own = createStretches({ wallMs: () => wall, cpuMs: () => (reads++, cpu) })
    stretch = own.stretch
    unwatch = own.watch((where, ms) => void seen.push([where, ms]))
  })
  const works = (ms: number) => {
    wall += ms
    cpu += ms
  }

  it('that are too long have a name; others cost two looks at the clock', () => {
    assert.equal(
      stretch('pattern', (a: number, b: number) => (works(STRETCH_MS_MAX), a + b), 1, 2),
      3,
    )
    assert.deepEqual(seen, [])
    stretch('pattern', works, STRETCH_MS_MAX + 1)
    assert.deepEqual(seen, [['pattern', STRETCH_MS_MAX + 1]])
    const before = reads
    for (let n = 0; n < 1_000; n++) stretch('pattern', works, 0.01)
    assert.ok(reads - before <= 3, 'and seldom one at the time of the processor')
  })

  it('count for themselves, not for what is around them', () => {
    stretch('smpp-octets', () => {
      works(30)
      stretch('dialect-read', () => {
        works(30)
        stretch('pattern', works, 60)
      })
      works(15)
    })
    assert.deepEqual(seen, [['pattern', 60]])
    stretch('smpp-octets', () => {
      works(40)
      stretch('pattern', works, 20)
      works(15)
    })
    assert.deepEqual(seen[1], ['smpp-octets', 55])
  })

  it('are no work while the machine does something else', () => {
    stretch('flow-step', () => {
      wall += 10_000
      cpu += 20
    })
    assert.deepEqual(seen, [])
    stretch('flow-step', () => {
      wall += 10_000
      cpu += 70
    })
    assert.deepEqual(seen, [['flow-step', 70]])
  })

  it('that throw are measured, too, and what follows is not blamed', () => {
    assert.throws(() =>
      stretch('back-end-answer', () => {
        works(80)
        throw new Error('nonsense')
      }),
    )
    stretch('pattern', works, 10)
    assert.deepEqual(seen, [['back-end-answer', 80]])
    unwatch()
    stretch('pattern', works, 100)
    assert.equal(seen.length, 1)
  })
})

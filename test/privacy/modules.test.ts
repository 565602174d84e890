/** Modules of back ends that are asked one after the other, on a clock of the test's own. */
import assert from 'node:assert/strict'
import { askModules, MODULE_MS, type PersonalModule } from '../../src/privacy/modules.ts'
import { fakeClock, settle } from '../support/clock.ts'

const erasing = (name: string, erase: () => Promise<number>): PersonalModule => ({
  name,
  module: { subscriber: { erase, export: async () => ({}) } },
})
const never = () => new Promise<number>(() => undefined)

describe('modules that are asked about a subscriber', () => {
  it('answer by name; one without the hook is passed over, one that throws is named', async () => {
    const modules: PersonalModule[] = [
      erasing('shop', async () => 2),
      { name: 'plain', module: {} },
      erasing('broken', () => Promise.reject(new Error('no table'))),
      erasing('rude', () => {
        throw 'a text' // eslint-disable-line no-throw-literal
      }),
      erasing('bank', async () => 0),
    ]
    assert.deepEqual(await askModules({ modules, clock: fakeClock() }, ({ subscriber }) => subscriber?.erase('1')), {
      answers: [
        { backend: 'shop', answer: 2 },
        { backend: 'bank', answer: 0 },
      ],
      failed: [
        { backend: 'broken', why: 'no table' },
        { backend: 'rude', why: 'a text' },
      ],
    })
  })

  it('are given up after a minute, with their signal aborted; the next one is asked then', async () => {
    const clock = fakeClock()
    const signals: AbortSignal[] = []
    const modules = [erasing('stuck', never), erasing('shop', async () => 1)]
    const asked = askModules({ modules, clock }, ({ subscriber }, signal) => {
      signals.push(signal)
      return subscriber!.erase('1')
    })
    await clock.advance(MODULE_MS - 1)
    assert.deepEqual([signals.length, signals[0]!.aborted], [1, false])
    await clock.advance(1)
    assert.deepEqual(await asked, {
      answers: [{ backend: 'shop', answer: 1 }],
      failed: [{ backend: 'stuck', why: `not done after ${MODULE_MS} ms` }],
    })
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true, false],
    )
  })

  it('are not waited for when the daemon stops, and nobody else is asked', async () => {
    const stop = new AbortController()
    let others = 0
    const modules = [erasing('stuck', never), erasing('shop', async () => ++others)]
    const asked = askModules({ modules, clock: fakeClock(), stop: stop.signal }, ({ subscriber }) =>
      subscriber!.erase('1'),
    )
    await settle()
    stop.abort()
    assert.deepEqual(await asked, { answers: [], failed: [{ backend: 'stuck', why: 'the daemon stops' }] })
    assert.equal(others, 0)
  })
})

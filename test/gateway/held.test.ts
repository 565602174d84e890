/** A line that is held: new dials are turned away, and what is open goes on. */
import assert from 'node:assert/strict'
import type { Want } from '../../src/flow/engine/types.ts'
import { gatewayFixture } from './gateway-fixture.ts'

const ask = (text: string): Want => ({ do: 'ask', text, screen: 's' })
const WANTS: Record<string, Want> = { first: ask('How many?'), asked: ask('And now?') }

describe('a line that is held', () => {
  function held(overload: 'text' | 'throttled' = 'text') {
    let hold: { text: string | null } | undefined
    const more = { heldLine: () => hold }
    const fixture = gatewayFixture({ wants: WANTS, next: () => 'asked', habits: { overload }, more })
    return { ...fixture, set: (text: string | null) => (hold = { text }), release: () => (hold = undefined) }
  }

  it('gives new dials the busy text, goes on with an open dialogue, and takes dials again', async () => {
    const { dial, press, told, set, release, messages, metrics, gateway } = held()
    await dial()
    set(null)
    told.length = 0
    await press('1')
    assert.match(told.join(), /screen And now\?/)
    told.length = 0
    await dial('0900')
    assert.deepEqual(told, ['status 0', 'screen busy'])
    assert.equal(await messages('held'), 1)
    assert.equal(await metrics.value('limits_total', { limit: 'line_held' }), 1)
    assert.equal(gateway.overload({ name: 'main', waitMs: () => 0 } as never), 'line_held', 'what a test dial is told')
    release()
    told.length = 0
    await dial('0a00')
    assert.match(told.join(), /screen How many\?/)
  })

  it('gives the text of the operator, if there is one', async () => {
    const { dial, told, set } = held('throttled')
    set('Back at six.')
    await dial()
    assert.deepEqual(told, ['status 0', 'screen Back at six.'])
  })

  it('answers with a status where the dialect has one for that', async () => {
    const { dial, told, set } = held('throttled')
    set(null)
    await dial()
    assert.deepEqual(told, ['status 88'])
  })
})

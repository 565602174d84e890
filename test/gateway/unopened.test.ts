import assert from 'node:assert/strict'
import type { Taking } from '../../src/dialogue/types.ts'
import type { Sent } from '../../src/gateway/reply.ts'
import { createUnopened, UNOPENED_MAX } from '../../src/gateway/unopened.ts'

const TOMBSTONE_MS = 120_000

function begin(msisdn: string, network = '17', more: Partial<Taking> = {}): Taking {
  return {
    key: { group: 'main', msisdn },
    network,
    code: '*123#',
    line: 'akiba',
    link: 'a',
    answer: { kind: 'begin', text: '', step: null },
    returnPath: { from: [1, 1, msisdn], to: [0, 1, '123'], serviceType: 'USSD', carrier: '' },
    token: 't',
    nowMs: 1_000,
    leaseUntilMs: 2_000,
    epoch: 'e',
    ...more,
  }
}

/** A store that is away or not, and what it was told. */
function stage() {
  const told: string[] = []
  const counted: string[] = []
  const state = { isAway: false, nowMs: 2_000, asked: 0 }
  const unopened = createUnopened({
    limits: { tombstoneMs: TOMBSTONE_MS },
    metrics: { count: (_: string, { limit }: { limit: string }) => void counted.push(limit) } as never,
    clock: { now: () => state.nowMs } as never,
    guarded: async (_, run) => (state.asked++, state.isAway ? undefined : run()),
    dialogues: { bury: async ({ key, network }, untilMs) => (told.push(`${key.msisdn} ${network} ${untilMs}`), true) },
  })
  return { unopened, told, counted, state }
}

describe('begins that met no store', () => {
  it('are written down once, when the store is back, each with the time until which it is known', async () => {
    const { unopened, told, state } = stage()
    unopened.note(begin('1'), 'ok')
    unopened.note(begin('1', '18'), 'gone')
    unopened.note(begin('2', '17', { copyMs: 20_000 }), 'stale')
    state.isAway = true
    assert.equal(await unopened.flush(), false)
    assert.deepEqual([told, state.asked], [[], 1], 'one call is enough to see that it is away')
    assert.equal(await unopened.flush(begin('1', '19')), false, 'so it need not be asked for this begin')
    assert.equal(await unopened.flush(begin('9')), true)
    state.isAway = false
    await Promise.all([unopened.flush(), unopened.flush()])
    assert.deepEqual([...new Set(told)], ['1 17 121000', '1 18 121000', '2 17 21000'])
    const before = told.length
    await unopened.flush()
    assert.equal(told.length, before)
  })
  it('of one subscriber are written down for the next begin, and leave those of the others', async () => {
    const { unopened, told } = stage()
    for (const msisdn of ['1', '2', '3']) unopened.note(begin(msisdn), 'ok')
    await unopened.flush(begin('2', '18'))
    await unopened.flush(begin('4', '18'))
    assert.deepEqual(told, ['2 17 121000'])
  })
  it('wait for another dial to open a dialogue where nobody knows whether the text was shown: the same may be delivered again', async () => {
    const { unopened, told } = stage()
    unopened.note(begin('1'), 'open' satisfies Sent)
    await unopened.flush()
    await unopened.flush(begin('1', '16'))
    unopened.opened(begin('1', '17'))
    unopened.opened(begin('2', '18'))
    await unopened.flush()
    assert.deepEqual(told, [])
    unopened.opened(begin('1', '18'))
    await unopened.flush()
    assert.deepEqual(told, ['1 17 121000'])
    unopened.note(begin('1', '19'), 'open')
    unopened.note(begin('1', '20'), 'open')
    unopened.opened(begin('1', '19'))
    await unopened.flush()
    assert.equal(told.length, 1, 'the later one may be what the subscriber waits for')
    unopened.opened(begin('1', '20'))
    await unopened.flush()
    assert.deepEqual(told.splice(1), ['1 19 121000'])
    unopened.note(begin('1'), 'open')
    unopened.note(begin('1'), 'ok')
    await unopened.flush()
    assert.equal(told.length, 2, 'of what came twice, what was heard last counts')
  })
  it('are nothing to know where there is no number, or it was an answer', async () => {
    const { unopened, told } = stage()
    unopened.note(begin('2', ''), 'ok')
    unopened.note(begin('3', '17', { answer: { kind: 'input', text: '1', step: null } }), 'ok')
    await unopened.flush()
    assert.deepEqual(told, [])
  })
  it('are let go when their time is over, the oldest of a subscriber and of all when they are too many, which is counted', async () => {
    const { unopened, told, counted, state } = stage()
    for (let n = 0; n < 9; n++) unopened.note(begin('1', `n ${n}`), 'ok')
    await unopened.flush()
    assert.deepEqual([told.length, told[0]], [8, '1 n 1 121000'])
    for (let n = 0; n <= UNOPENED_MAX; n++) unopened.note(begin(String(n)), 'ok')
    assert.deepEqual(counted, ['unopened_max'])
    state.nowMs = 121_000
    for (let n = 0; n <= UNOPENED_MAX; n += 200) await unopened.flush()
    assert.equal(told.length, 8)
  })
})

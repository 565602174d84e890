import assert from 'node:assert/strict'
import { journalDialogues } from '../../../src/store/journal/store.ts'
import { deadlines } from '../../../src/store/journal/memory-deadlines.ts'
import { LIMITS, dialogueFixture, recordingOf, T0 } from '../../contract/dialogue-fixture.ts'
import { dialogueStoreContract } from '../../contract/dialogue-store.ts'

describe('the dialogue store in memory', () => {
  dialogueStoreContract(async () => ({
    durable: false,
    open: (limits = LIMITS, { recording = recordingOf() } = {}) => journalDialogues({ limits, recording }),
    clear: async () => undefined,
  }))

  it('forgets tombstones when a sweep finds that they ran out', async () => {
    const store = await journalDialogues({ limits: LIMITS })
    const { asked, overdue, find } = dialogueFixture(store)
    await asked({}, { ended: 'completed' })
    await overdue(T0 + LIMITS.tombstoneMs - 1)
    assert.equal((await find())?.status, 'ended')
    await overdue(T0 + LIMITS.tombstoneMs)
    assert.equal(await find(), null)
  })
})

describe('deadlines', () => {
  it('come soonest first, then by name, and stay until they are set anew', () => {
    const due = deadlines()
    for (const [name, at] of [
      ['c', 5],
      ['a', 7],
      ['b', 5],
      ['d', 9],
    ] as const)
      due.set(name, at)
    assert.deepEqual(due.due(7, 10), ['b', 'c', 'a'])
    assert.deepEqual(due.due(7, 2), ['b', 'c'])
    due.set('b', null)
    due.set('c', 8)
    assert.deepEqual(due.due(8, 10), ['a', 'c'])
  })
  it('stay right, and small, over many changes', () => {
    const due = deadlines()
    const truth = new Map<string, number>()
    for (let n = 0; n < 20_000; n++) {
      const name = `n${(n * 7919) % 97}`
      const at = (n * 104_729) % 1_000
      const set = n % 11 === 0 ? null : at
      due.set(name, set)
      if (set === null) truth.delete(name)
      else truth.set(name, set)
    }
    const expected = [...truth]
      .filter(([, at]) => at <= 500)
      .toSorted(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
      .map(([name]) => name)
    assert.deepEqual(due.due(500, 1_000), expected)
  })
})

/** Read, decide, write: what two who are at one record at once, and a register that fails, come to. */
import assert from 'node:assert/strict'
import { StoreError } from '../../src/base/errors.ts'
import { OVERDUE_MS } from '../../src/dialogue/classify.ts'
import { DECIDES_MAX } from '../../src/dialogue/decider.ts'
import { createDialogues } from '../../src/dialogue/dialogues.ts'
import type { DialogueRegister, DialogueStore, PlayAtOnce, Taking, TurnOutcome } from '../../src/dialogue/types.ts'
import { dialogueRegister } from '../../src/store/dialogues.ts'
import { memoryRegister } from '../../src/store/journal/memory.ts'
import { dialogueFixture, expectIs, LIMITS, PATH, T0 } from '../contract/dialogue-fixture.ts'

/** A register that counts its calls, and in which something may happen before the next write, or after it. */
function stage() {
  const register = dialogueRegister({ register: memoryRegister({}), limits: LIMITS })
  const calls: string[] = []
  const reads: string[] = []
  const state: { beforeWrite: (() => unknown)[]; afterWrite: (() => unknown)[] } = { beforeWrite: [], afterWrite: [] }
  const watched: DialogueRegister = {
    ...register,
    read: (...of) => (calls.push('read'), reads.push(of[1].unreadable), register.read(...of)),
    async write(...of) {
      calls.push('write')
      await state.beforeWrite.shift()?.()
      const written = await register.write(...of)
      await state.afterWrite.shift()?.()
      return written
    },
    settle: (...of) => (calls.push('settle'), register.settle(...of)),
    touch: (...of) => (calls.push('touch'), register.touch(...of)),
  }
  const store = createDialogues({ register: watched, limits: LIMITS })
  return { store, calls, reads, state, ...dialogueFixture(store) }
}

let serial = 0
function said(text: string, more: Partial<Taking> = {}): Taking {
  const token = `key${++serial}`
  const answer = { kind: 'input', text, step: null } as const
  const about = { key: { group: 'main', msisdn: '67570000001' }, network: '17', code: '', line: 'akiba', token }
  return { ...about, answer, link: 'link-a', returnPath: PATH, nowMs: T0, leaseUntilMs: T0 + 3_000, epoch: '', ...more }
}

const OUTCOME: TurnOutcome = {
  nowMs: T0,
  revision: 'dental@9f2c01ab77de',
  snapshot: { value: 'next' },
  reply: { action: 'continue', text: 'Next screen', step: null, link: 'link-a' },
  ended: null,
}
const atOnce: PlayAtOnce = () => OUTCOME

async function pressed(store: DialogueStore, text: string, more: Partial<Taking> = {}, play = atOnce) {
  return store.take(said(text, more), play)
}

describe('the last key again where no counter tells a copy', () => {
  const again = { link: 'link-a', sameKeyMs: 1_000 }
  /** What `atOnce` is told of the second `1`, so long after the first. */
  async function told(more: Partial<Taking>, afterMs: number, first: Partial<Taking> = {}) {
    const { store, asked } = stage()
    await asked({ text: '' })
    await pressed(store, '1', first)
    const heard: boolean[] = []
    const play: PlayAtOnce = ({ mayBeCopy }) => (heard.push(mayBeCopy), 'show-again')
    const taken = await pressed(store, '1', { token: 'b', ...again, nowMs: T0 + afterMs, ...more }, play)
    return { heard, taken }
  }
  it('shows the screen again, and takes nothing, where that is wanted', async () => {
    const { heard, taken } = await told({}, 999)
    assert.deepEqual(heard, [true])
    const { record, resend } = expectIs(taken, 'repeat')
    assert.deepEqual([resend, record.status, record.turn], [true, 'resting', 2])
  })
  it('is no copy when its time is over, when it says something else, or where the network has no such time', async () => {
    assert.deepEqual((await told({}, 1_000)).heard, [false])
    assert.deepEqual((await told({ answer: { kind: 'input', text: '2', step: null } }, 1)).heard, [false])
    assert.deepEqual((await told({ sameKeyMs: undefined }, 1)).heard, [false])
  })
  it('is no copy where a counter counts', async () => {
    const step = (n: number) => ({ answer: { kind: 'input' as const, text: '1', step: n } })
    assert.deepEqual((await told(step(4), 1, step(2))).heard, [false])
  })
  it('may be a copy where the network counts, but our replies do not', async () => {
    const step = (n: number) => ({ answer: { kind: 'input' as const, text: '1', step: n } })
    assert.deepEqual((await told(step(2), 999, step(2))).heard, [true])
    assert.deepEqual((await told(step(2), 1_000, step(2))).heard, [false])
  })
})

describe('a turn that awaits nothing', () => {
  it('is one read and one write; one that awaits something is a write more', async () => {
    const { store, calls, asked, rest } = stage()
    const epoch = await asked({ text: '' })
    calls.length = 0
    const taken = expectIs(await pressed(store, '1'), 'next')
    assert.deepEqual([calls.splice(0), taken.isOver], [['read', 'write'], true])
    const waits = expectIs(await pressed(store, '2', { token: 'waits' }, () => null), 'next')
    assert.deepEqual([calls.splice(0), waits.isOver], [['read', 'write'], undefined])
    assert.equal(await rest({ token: 'waits', epoch, held: waits.held }), true)
    assert.deepEqual(calls, ['write'])
  })
  it('rests with its reply, which is settled by its turn', async () => {
    const { store, asked, find, overdue, confirm } = stage()
    const epoch = await asked({ text: '' })
    await pressed(store, '1')
    const { status, turn, reply, snapshot, answer } = (await find())!
    assert.deepEqual(
      [status, turn, reply?.text, snapshot, answer.text],
      ['resting', 2, 'Next screen', OUTCOME.snapshot, '1'],
    )
    await confirm(epoch, 2)
    assert.deepEqual(await overdue(T0 + LIMITS.confirmMs), [])
  })
  it('whose outcome is too large to be kept is taken all the same, and fails at its rest', async () => {
    const { store, asked } = stage()
    await asked({ text: '' })
    const large = { ...OUTCOME, snapshot: { text: 'x'.repeat(LIMITS.snapshotOctetsMax) } }
    const taken = expectIs(await pressed(store, '1', { token: 't' }, () => large), 'next')
    assert.equal(taken.isOver, undefined)
    const resting = { ...large, key: taken.record.key, epoch: taken.record.epoch, token: 't', held: taken.held }
    await assert.rejects(store.rest(resting), (error) => error instanceof StoreError && error.code === 'too-large')
  })
})

describe('two who decide from the same record', () => {
  it('the slower never takes its key for an answer to the next screen: the same key is a copy, another too early', async () => {
    for (const [text, is] of [
      ['1', 'repeat'],
      ['2', 'busy'],
    ] as const) {
      const { store, state, asked, find } = stage()
      await asked({ text: '' })
      state.beforeWrite.push(() => pressed(store, '1'))
      const slower = await pressed(store, text)
      assert.equal(slower.is, is)
      if (slower.is === 'repeat') assert.equal(slower.resend, false)
      assert.equal((await find())?.turn, 2)
    }
  })
  it('nothing is said to a key of a dialogue that ended, or began anew, meanwhile', async () => {
    for (const network of ['17', '']) {
      const { store, state, asked, drop, begin } = stage()
      await asked({ text: '', network })
      state.beforeWrite.push(() => drop())
      assert.equal((await pressed(store, '1', { network })).is, 'busy')
      await asked({ text: '', network: '' })
      state.beforeWrite.push(() => begin({ network: '', code: '*124#' }))
      assert.equal((await pressed(store, '1', { network: '' })).is, 'busy')
    }
  })
  it('a key whose screen a failover forgot gets the words for an unknown dialogue', async () => {
    const { store, state, asked, rest, find, answer } = stage()
    const epoch = await asked({ text: '' })
    const old = await answer({ token: 'second' })
    await rest({ token: 'second', epoch })
    assert.equal(old.is, 'next')
    state.beforeWrite.push(async () => {
      await store.erase('67570000001')
      await asked({ text: '', epoch })
    })
    assert.equal((await pressed(store, '1')).is, 'unknown')
    assert.equal((await find())?.turn, 1)
  })
  it('goes on where only a number was written down beside its turn', async () => {
    const { store, state, asked, bury, find } = stage()
    await asked({ text: '' })
    state.beforeWrite.push(() => bury({ network: '16' }))
    expectIs(await pressed(store, '1'), 'next')
    assert.equal((await find())?.turn, 2)
  })
  it('what cannot be read is replaced by a dial, and refused to a key', async () => {
    const { asked, answer, reads } = stage()
    await asked()
    assert.equal(reads[0], 'replace')
    reads.length = 0
    await answer()
    assert.deepEqual(reads, ['refuse'])
  })
  it('what a sweep cannot read behind a refused write is left to who can', async () => {
    const { store, state, asked, reads } = stage()
    await asked()
    state.beforeWrite.push(() => store.drop({ group: 'main', msisdn: '67570000001' }, {}, 'subscriber-abort', T0))
    reads.length = 0
    assert.deepEqual(await store.overdue(T0 + LIMITS.idleMs, 10, 'sweeper', T0 + LIMITS.idleMs), [])
    assert.deepEqual([reads[0], reads.at(-1)], ['leave', 'leave'])
  })
  it('is left to the SMSC to deliver again where others are faster each time', async () => {
    const { store, state, asked, bury, calls } = stage()
    await asked({ text: '' })
    for (let n = 0; n < DECIDES_MAX; n++)
      state.beforeWrite.push(
        () => bury({ network: `n${n}` }),
        () => undefined,
      )
    calls.length = 0
    assert.deepEqual(await pressed(store, '1'), { is: 'crowded' })
    assert.equal(calls.filter((call) => call === 'write').length, 2 * DECIDES_MAX)
  })
})

describe('a write whose answer was lost', () => {
  const lost = () => {
    throw new StoreError('down', 'no answer in time')
  }
  it('is done where our own version stands there', async () => {
    const { store, state, asked, find } = stage()
    await asked({ text: '' })
    state.afterWrite.push(lost)
    assert.equal(expectIs(await pressed(store, '1'), 'next').isOver, true)
    assert.equal((await find())?.turn, 2)
  })
  it('is the failure of its caller where it was not applied, or where nobody says', async () => {
    const { store, state, asked, find } = stage()
    await asked({ text: '' })
    state.beforeWrite.push(lost)
    await assert.rejects(pressed(store, '1'), /no answer in time/)
    assert.equal((await find())?.turn, 1)
  })
  it('of two hang-ups is told to one', async () => {
    const { state, asked, drop } = stage()
    await asked()
    state.beforeWrite.push(() => drop())
    assert.equal(await drop(), null)
  })
})

describe('a copy over another link', () => {
  it('gets the stored reply only once that link is closed, or the response is overdue', async () => {
    for (const [isGone, atMs, resend] of [
      [false, T0, false],
      [false, T0 + OVERDUE_MS - 1, false],
      [false, T0 + OVERDUE_MS, true],
      [true, T0, true],
    ] as const) {
      const { store, asked } = stage()
      await asked({ text: '' })
      await pressed(store, '1')
      const copy = await pressed(store, '1', { link: 'link-b', isGone: () => isGone, nowMs: atMs })
      assert.deepEqual([copy.is, 'resend' in copy && copy.resend], ['repeat', resend], `${isGone} ${atMs - T0}`)
    }
  })
  it('is not sent again where this daemon does not know that link', async () => {
    const { store, asked } = stage()
    await asked({ text: '' })
    await pressed(store, '1')
    const copy = await pressed(store, '1', { link: 'link-b' })
    assert.deepEqual([copy.is, 'resend' in copy && copy.resend], ['repeat', false])
  })
})

/** An entry, its copies, and the pure rules about one: which write it is of, how long it counts, and when it is due. */
import assert from 'node:assert/strict'
import {
  accepted,
  copyOf,
  copyPath,
  counts,
  deadlineMs,
  endMs,
  keepMs,
  nextVersion,
  PAST_MAX,
  pastUntilMs,
  pastWith,
  playedAtOnce,
  recordOf,
  tokenOf,
  type DialogueEntry,
} from '../../src/dialogue/entry.ts'
import { LIMITS, PATH } from '../contract/dialogue-fixture.ts'

/** Each field that there is: a new one must be here, and then in the copy. */
const WHOLE: Required<DialogueEntry> = {
  key: { group: 'test', msisdn: '67570000001' },
  epoch: 'e1',
  status: 'resting',
  network: '0102',
  turn: 3,
  revision: 'dental@9f2c01ab77de',
  code: '*123#',
  line: 'line1',
  snapshot: { at: 'main' },
  answer: { kind: 'input', text: '1', step: 2, isStalled: true },
  reply: { action: 'continue', text: 'Welcome', step: 3, link: 'l1' },
  returnPath: { from: [1, 1, '123'], to: [1, 1, '67570000001'], dialect: 'test' } as never,
  openedMs: 1,
  touchedMs: 2,
  ended: 'completed',
  version: 'v1',
  confirmed: false,
  past: ['0101', 5],
  untilMs: 7,
  previous: null,
  takeovers: 1,
  heard: '0',
  track: { path: 'main:1/4', waitMs: 4_000, backendMs: 0 },
  ifLeft: { key: 'k' },
}

describe('an entry', () => {
  it('is copied with all that it has, and nothing that it has not', () => {
    assert.deepEqual(copyOf(WHOLE), WHOLE)
    const { heard: _heard, track: _track, ifLeft: _ifLeft, ...plain } = WHOLE
    assert.deepEqual(Object.keys(copyOf(plain)).toSorted(), Object.keys(plain).toSorted())
  })

  it('knows until when a past number counts, and forgets the oldest', () => {
    const past = ['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].reduce(
      (all, network, n) => pastWith(all, network, n),
      pastWith([], 'a', 100),
    )
    assert.equal(pastUntilMs(past, 'j'), 8)
    assert.equal(pastUntilMs(past, 'a'), undefined)
    assert.equal(past.length % 2, 0)
  })

  it('shows its record, and of itself nothing that only the store needs', () => {
    const { version, confirmed, past, heard, track, ifLeft, untilMs, previous, takeovers, ...shown } = WHOLE
    assert.deepEqual(recordOf(WHOLE), shown)
    assert.deepEqual(recordOf({ ...WHOLE, status: 'taken' }), { ...shown, status: 'taken', takeovers })
    for (const none of [0, undefined])
      assert.deepEqual(recordOf({ ...WHOLE, status: 'taken', takeovers: none! }), { ...shown, status: 'taken' })
    assert.ok([version, confirmed, past, heard, track, ifLeft, untilMs, previous].every((one) => one !== undefined))
  })
  it('has no takeovers in its copy where it never had any', () => {
    const { takeovers: _takeovers, ...never } = WHOLE
    assert.equal(copyOf(never).takeovers, 0)
  })
  it('has a way back that shares nothing with its copy', () => {
    for (const path of [PATH, { ...PATH, beginOp: 1, more: { userMessageReference: 7 } as never }]) {
      const copy = copyPath(path)
      assert.deepEqual(copy, path)
      for (const part of ['from', 'to'] as const) assert.notEqual(copy[part], path[part])
      if (path.more) assert.notEqual(copy.more, path.more)
    }
  })
  it('remembers eight numbers before its own, the last one first', () => {
    assert.equal(PAST_MAX, 8)
    const all = Array.from({ length: 8 }, (_, n) => [`n${n}`, n]).flat()
    assert.deepEqual(pastWith(all, 'new', 99), ['new', 99, ...all.slice(0, 14)])
    assert.deepEqual(pastWith([], 'new', 99), ['new', 99])
    assert.deepEqual(
      ['n0', 'n7', 'n8'].map((network) => pastUntilMs(all, network)),
      [0, 7, undefined],
    )
    assert.equal(pastUntilMs(['a', 1, 'b', 2], 'b'), 2)
    assert.equal(pastUntilMs([], 'a'), undefined)
  })
  it('is of the turn whose token its version begins with', () => {
    assert.deepEqual(['t', 't/', 't/a', 't/a/b', '/a'].map(tokenOf), ['t', 't', 't', 't', ''])
    assert.deepEqual([nextVersion('t/a', 'b'), nextVersion('t', 'b'), playedAtOnce('t')], ['t/b', 't/b', 't/'])
  })
  it('says whether its reply was accepted, unless that is the text of a deadline, which answers nobody', () => {
    for (const confirmed of [true, false, null]) {
      assert.equal(accepted({ ...WHOLE, confirmed }), confirmed)
      assert.equal(accepted({ ...WHOLE, ended: null, confirmed }), confirmed)
      for (const ended of ['idle', 'total'] as const) assert.equal(accepted({ ...WHOLE, ended, confirmed }), null)
    }
  })
  it('counts while it is open, or until its tombstone has run out', () => {
    assert.equal(counts(undefined, 0), false)
    assert.equal(counts({ ...WHOLE, untilMs: null }, Infinity), true)
    assert.deepEqual(
      [6, 7, 8].map((nowMs) => counts({ ...WHOLE, untilMs: 7 }, nowMs)),
      [true, false, false],
    )
  })
  it('is kept as a tombstone, and longer where it may be resumed', () => {
    assert.equal(keepMs('completed', LIMITS), LIMITS.tombstoneMs)
    assert.equal(keepMs('idle', LIMITS), LIMITS.resumeMs)
    assert.equal(keepMs('idle', { ...LIMITS, resumeMs: LIMITS.tombstoneMs - 1 }), LIMITS.tombstoneMs)
  })
  it('ends when nothing comes in for long, or when all of it takes too long', () => {
    const { idleMs, totalMs, confirmMs } = LIMITS
    assert.equal(endMs({ openedMs: 0, touchedMs: 1_000 }, LIMITS), 1_000 + idleMs)
    assert.equal(endMs({ openedMs: 0, touchedMs: totalMs }, LIMITS), totalMs)
    const due = (of: Partial<DialogueEntry>) => deadlineMs({ ...WHOLE, openedMs: 0, touchedMs: 1_000, ...of }, LIMITS)
    assert.equal(due({ confirmed: false }), 1_000 + confirmMs)
    assert.equal(due({ confirmed: true }), 1_000 + idleMs)
    assert.equal(due({ confirmed: null }), 1_000 + idleMs)
    assert.equal(due({ confirmed: false, touchedMs: totalMs - 1 }), totalMs, 'before its reply is overdue')
    assert.equal(due({ status: 'ended', confirmed: false }), 1_000 + confirmMs)
    for (const confirmed of [true, null]) assert.equal(due({ status: 'ended', confirmed }), null)
  })
})

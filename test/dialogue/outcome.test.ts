import assert from 'node:assert/strict'
import {
  deadlineMs,
  keepMs,
  nextVersion,
  playedAtOnce,
  recordOf,
  tokenOf,
  type DialogueEntry,
} from '../../src/dialogue/entry.ts'
import { drop, mayRest, rest, seize, type Dropping } from '../../src/dialogue/outcome.ts'
import type { DialogueRecord, Resting } from '../../src/dialogue/types.ts'
import type { EndReason } from '../../src/ussd/vocabulary.ts'
import { LIMITS, PATH, T0 } from '../contract/dialogue-fixture.ts'

const REPLY: Resting['reply'] = { action: 'continue', text: 'How many?', step: null, link: 'link-a' }
const TAKEN: DialogueEntry = {
  key: { group: 'main', msisdn: '67570000001' },
  epoch: 'E1',
  status: 'taken',
  network: '17',
  turn: 2,
  revision: 'shop@1',
  code: '*123#',
  line: 'akiba',
  snapshot: {},
  answer: { kind: 'input', text: '1', step: null },
  reply: null,
  returnPath: PATH,
  openedMs: T0,
  touchedMs: T0,
  ended: null,
  version: 'mine',
  confirmed: null,
  past: [],
  untilMs: null,
  previous: null,
}
const RESTED: DialogueEntry = { ...TAKEN, status: 'resting', reply: REPLY, confirmed: false }
const ENDED: DialogueEntry = { ...RESTED, status: 'ended', ended: 'completed', untilMs: T0 + LIMITS.tombstoneMs }

describe('an entry after it was taken', () => {
  const seizing = (atMs: number) => ({ nowMs: atMs, token: 'sweeper', leaseUntilMs: atMs + 3_000 })
  const resting = (more: Partial<Resting> = {}): Resting => ({
    key: TAKEN.key,
    epoch: 'E1',
    token: 'mine',
    nowMs: T0 + 9,
    revision: 'shop@1',
    snapshot: {},
    reply: REPLY,
    ended: null,
    ...more,
  })

  it('has another version each time that one daemon takes it over: what was decided before is refused', () => {
    let entry: DialogueEntry = { ...TAKEN, version: 'sweeper' }
    const versions = [entry.version]
    for (let times = 0; times < 4; times++) {
      const seized = seize(entry, seizing(T0 + 3_000 * (times + 1)), LIMITS)
      assert.equal(seized.is, 'abandoned')
      ;({ entry } = seized)
      versions.push(entry.version)
      assert.equal(entry.takeovers, times + 1)
    }
    assert.equal(new Set(versions).size, versions.length, versions.join(' '))
    assert.deepEqual([...new Set(versions.slice(1).map(tokenOf))], ['sweeper'])
  })

  it('rests once for the token that has it, which is told when it comes again; others are refused', () => {
    assert.equal(mayRest(TAKEN, resting()), TAKEN)
    for (const rested of [RESTED, { ...RESTED, confirmed: true }, { ...RESTED, version: 'mine/a' }])
      assert.equal(mayRest(rested, resting()), 'again')
    for (const other of [resting({ token: 'other' }), resting({ epoch: 'E0' })])
      assert.equal(mayRest(TAKEN, other), 'refused')
    assert.equal(mayRest(undefined, resting()), 'refused')
    assert.equal(mayRest({ ...ENDED, confirmed: null }, resting()), 'refused', 'it was hung up')
    assert.equal(mayRest(ENDED, resting({ nowMs: ENDED.untilMs! })), 'refused', 'its tombstone has run out')
    const rested = rest(TAKEN, resting({ snapshot: { n: 1 } }), 'a', LIMITS)
    assert.deepEqual(rested, { ...RESTED, version: 'mine/a', snapshot: { n: 1 }, touchedMs: T0 + 9, takeovers: 0 })
  })
  it('rests no earlier than it was taken, where the clock was set back meanwhile: it would be idle at once', () => {
    const rested = rest(TAKEN, resting({ nowMs: T0 - 3_600_000 }), 'a', LIMITS)
    assert.equal(rested.touchedMs, TAKEN.touchedMs)
    assert.ok(deadlineMs({ ...rested, confirmed: true }, LIMITS)! > TAKEN.touchedMs)
  })
  it('has a version that no two writers give, and that tells its turn', () => {
    assert.equal(tokenOf(nextVersion(nextVersion('mine', 'a'), 'b')), 'mine')
    assert.equal(playedAtOnce('mine'), 'mine/', 'as in every release')
    assert.notEqual(nextVersion('mine', 'a'), nextVersion('mine', 'b'))
    const { entry } = seize(TAKEN, seizing(T0 + 3_000), LIMITS)
    assert.deepEqual(
      [entry.version, tokenOf(seize(entry, seizing(T0 + 6_000), LIMITS).entry.version)],
      ['sweeper', 'sweeper'],
    )
    assert.notEqual(seize(entry, seizing(T0 + 6_000), LIMITS).entry.version, 'sweeper', 'also for the same sweeper')
  })
  it('is nothing to tell anybody once its last screen was accepted, or its tombstone has run out, and is looked at no more', () => {
    const nothing = (entry: DialogueEntry) => ({ is: 'nothing', entry, deadlineMs: null })
    const accepted = { ...ENDED, confirmed: true }
    assert.deepEqual(seize(accepted, seizing(T0 + 1), LIMITS), nothing(accepted))
    assert.deepEqual(seize(ENDED, seizing(ENDED.untilMs!), LIMITS), nothing(ENDED))
    assert.deepEqual(seize(ENDED, seizing(ENDED.untilMs! - 1), LIMITS), {
      is: 'unconfirmed',
      entry: ENDED,
      deadlineMs: ENDED.untilMs! - 1 + LIMITS.confirmMs,
    })
  })
  it('is nothing to tell anybody while an accepted screen waits for its answer, and is looked at when that must be here', () => {
    const accepted = { ...RESTED, confirmed: true }
    assert.deepEqual(seize(accepted, seizing(T0 + 1), LIMITS), {
      is: 'nothing',
      entry: accepted,
      deadlineMs: T0 + LIMITS.idleMs,
    })
    const late = T0 + LIMITS.idleMs - 1
    assert.deepEqual(
      seize(RESTED, seizing(late), LIMITS),
      { is: 'unconfirmed', entry: RESTED, deadlineMs: T0 + LIMITS.idleMs },
      'not after its end',
    )
  })
  it('is kept for resume where the subscriber may want to go on, and else only to know late copies', () => {
    const keeps: Record<EndReason, number> = {
      completed: 0,
      exit: 0,
      'too-many-wrong': 0,
      'flow-gone': 0,
      operator: 0,
      recalled: 0,
      'answer-later': 0,
      'subscriber-abort': 1,
      'network-abort': 1,
      idle: 1,
      total: 1,
      'backend-failed': 1,
      'store-failed': 1,
      'bind-lost': 1,
      refused: 1,
      superseded: 1,
      overload: 1,
      failed: 1,
      drained: 1,
    }
    for (const [reason, isForResume] of Object.entries(keeps)) {
      assert.equal(keepMs(reason as EndReason, LIMITS), isForResume ? LIMITS.resumeMs : LIMITS.tombstoneMs, reason)
    }
    assert.equal(keepMs('idle', { ...LIMITS, resumeMs: 0 }), LIMITS.tombstoneMs, 'late copies are known in any case')
  })
  it('is due when its reply is unsure, when it has waited too long, or never', () => {
    const accepted = { ...RESTED, confirmed: true }
    assert.equal(deadlineMs(RESTED, LIMITS), T0 + LIMITS.confirmMs)
    assert.equal(deadlineMs(accepted, LIMITS), T0 + LIMITS.idleMs)
    assert.equal(deadlineMs({ ...accepted, touchedMs: T0 + LIMITS.totalMs - 1 }, LIMITS), T0 + LIMITS.totalMs)
    assert.equal(deadlineMs(ENDED, LIMITS), T0 + LIMITS.confirmMs)
    assert.equal(deadlineMs({ ...ENDED, confirmed: true }, LIMITS), null)
  })
})

describe('a taken turn with its outcome', () => {
  const outcome = { nowMs: T0 + 9, revision: 'shop@2', snapshot: { value: 'b' }, reply: REPLY, ended: null }
  const taken = { ...TAKEN, previous: RESTED, takeovers: 2, confirmed: null }
  it('rests, or has ended, with all that came of it', () => {
    const rested = rest(taken, outcome, 'f', LIMITS)
    const same = { ...taken, ...outcome, touchedMs: outcome.nowMs, version: 'mine/f', previous: null, takeovers: 0 }
    const { nowMs: _nowMs, ...expected } = { ...same, confirmed: false }
    assert.deepEqual(rested, { ...expected, status: 'resting', untilMs: null })
    assert.notEqual(rested.reply, REPLY)
    for (const [reason, keptMs] of [
      ['completed', LIMITS.tombstoneMs],
      ['backend-failed', LIMITS.resumeMs],
    ] as const)
      assert.deepEqual(rest(taken, { ...outcome, ended: reason }, 'f', LIMITS), {
        ...expected,
        status: 'ended',
        ended: reason,
        untilMs: T0 + 9 + keptMs,
      })
  })
  it('is on the way of the dialogue if there is anything to tell of it', () => {
    const before = { path: 'main:*/4', waitMs: 4_000, backendMs: 5 }
    const call = { turn: 2, n: 0, backend: 'b', operation: 'o', changes: true, said: 'data', ms: 7, atMs: 9 }
    const track = (step: Resting['step'], of: DialogueEntry['track'] = before) =>
      rest({ ...TAKEN, ...(of && { track: of }) }, { ...outcome, step }, 'f', LIMITS).track
    assert.equal(track(undefined), before)
    assert.equal(track({ backendMs: 0 }), before)
    assert.deepEqual(track({ backendMs: 1 }), { ...before, backendMs: 6 })
    assert.deepEqual(track({ backendMs: 0, choice: '1' }), { ...before, path: 'main:1/4' })
    assert.deepEqual(track({ backendMs: 0, calls: [call] }), { ...before, calls: '2.0!b.o=data/7@9' })
    const exact = { typed: '1', isSecret: false }
    assert.deepEqual(track({ backendMs: 0, exact }), { ...before, texts: [[2, '1', REPLY.text]] })
    const { track: _track, ...bare } = TAKEN
    const first = rest(bare, { ...outcome, step: { backendMs: 3 } }, 'f', LIMITS).track
    assert.deepEqual(first, { path: '', waitMs: 0, backendMs: 3 })
    assert.equal('track' in rest(bare, { ...outcome, step: { backendMs: 0 } }, 'f', LIMITS), false)
  })
  it('keeps what to do for who leaves it, while it can be left', () => {
    const ifLeft = { key: 'k' }
    const left = (ended: EndReason | null) =>
      rest(TAKEN, { ...outcome, ended, step: { backendMs: 0, ifLeft } }, 'f', LIMITS)
    assert.deepEqual(left(null).ifLeft, ifLeft)
    assert.equal('ifLeft' in left('completed'), false)
    assert.equal('ifLeft' in rest(TAKEN, { ...outcome, step: { backendMs: 0 } }, 'f', LIMITS), false)
  })
  it('is refused where the dialogue ended at a deadline since: its text is no reply of the turn', () => {
    for (const ended of ['idle', 'total'] as const)
      assert.equal(mayRest({ ...ENDED, ended }, { epoch: 'E1', token: 'mine', nowMs: T0 + 9 }), 'refused')
  })
})

describe('a dialogue that ends', () => {
  const nowMs = T0 + 5_000
  const waited = { path: '', waitMs: 5_000, backendMs: 0 }
  const over = { status: 'ended', touchedMs: nowMs, confirmed: null, previous: null } as const
  const dropping = (which: Dropping['which'] = {}, reason: EndReason = 'operator'): Dropping => ({
    which,
    reason,
    nowMs,
    fresh: 'f',
  })
  it('from outside says why, and is kept as long as that wants; only a question was waited at', () => {
    const keptMs = nowMs + LIMITS.tombstoneMs
    const ended = { ...over, version: 'mine/f', ended: 'operator', untilMs: keptMs }
    assert.deepEqual(drop({ ...RESTED, previous: TAKEN }, dropping(), LIMITS), {
      entry: { ...RESTED, ...ended, track: waited },
      dropped: true,
    })
    assert.deepEqual(drop(TAKEN, dropping(), LIMITS), { entry: { ...TAKEN, ...ended }, dropped: true })
    const refused = drop(TAKEN, dropping({}, 'refused'), LIMITS)!
    assert.equal(refused.entry.untilMs, nowMs + LIMITS.resumeMs)
  })
  it('from outside is the one that was named', () => {
    for (const [which, isIt] of [
      [{}, true],
      [{ epoch: 'E1' }, true],
      [{ epoch: 'E0' }, false],
      [{ network: '17' }, true],
      [{ network: '' }, true],
      [{ network: '18' }, false],
      [{ network: '17', epoch: 'E0' }, false],
    ] as const)
      assert.equal(drop(RESTED, dropping(which), LIMITS) !== undefined, isIt, JSON.stringify(which))
    assert.equal(drop(undefined, dropping(), LIMITS), undefined)
  })
  it('that had ended stays as it ended; a last screen that nobody saw accepted is not sent again', () => {
    assert.deepEqual(drop(ENDED, dropping(), LIMITS), {
      entry: { ...ENDED, version: 'mine/f', confirmed: null },
      dropped: false,
    })
    for (const confirmed of [true, null]) assert.equal(drop({ ...ENDED, confirmed }, dropping(), LIMITS), undefined)
    assert.equal(drop(ENDED, { ...dropping(), nowMs: ENDED.untilMs! }, LIMITS), undefined, 'it has run out')
  })

  const seizing = (atMs: number, farewell?: Parameters<typeof seize>[1]['farewell']) => ({
    nowMs: atMs,
    token: 'sweeper',
    leaseUntilMs: atMs + 3_000,
    farewell,
  })
  const idleMs = T0 + LIMITS.idleMs
  const totalMs = T0 + LIMITS.totalMs
  it('at its deadline says which that was', () => {
    const long = { ...RESTED, confirmed: true, touchedMs: totalMs - LIMITS.idleMs }
    const seized = (entry: DialogueEntry, atMs: number) => {
      const { is, entry: after, deadlineMs: dueMs } = seize(entry, seizing(atMs), LIMITS)
      return [is, after.ended, dueMs]
    }
    assert.deepEqual(seized(RESTED, idleMs - 1), ['unconfirmed', null, idleMs])
    assert.deepEqual(seized(RESTED, idleMs), ['ended', 'idle', null])
    assert.deepEqual(seized({ ...long, touchedMs: long.touchedMs - 1 }, totalMs - 1), ['ended', 'idle', null])
    assert.deepEqual(seized(long, totalMs), ['ended', 'total', null])
    assert.deepEqual(seized(TAKEN, totalMs - 1), ['abandoned', null, totalMs - 1 + 3_000])
    assert.deepEqual(seized(TAKEN, totalMs), ['ended', 'total', null])
    assert.deepEqual(seized({ ...RESTED, touchedMs: T0 + 1_000 }, T0 + 2_000), [
      'unconfirmed',
      null,
      T0 + 2_000 + LIMITS.confirmMs,
    ])
  })
  it('at its deadline says goodbye, where there are words for it, until those are accepted', () => {
    const said: unknown[] = []
    const farewell = (record: DialogueRecord) => (said.push(record), { action: 'end', text: 'Too late' } as const)
    const ended: DialogueEntry = {
      ...RESTED,
      ...over,
      ended: 'idle',
      version: 'mine/sweeper',
      touchedMs: idleMs,
      untilMs: idleMs + LIMITS.resumeMs,
      track: { ...waited, waitMs: LIMITS.idleMs },
    }
    assert.deepEqual(seize(RESTED, seizing(idleMs), LIMITS), { is: 'ended', entry: ended, deadlineMs: null })
    assert.deepEqual(seize(RESTED, seizing(idleMs, farewell), LIMITS), {
      is: 'ended',
      entry: { ...ended, reply: { action: 'end', text: 'Too late', step: null, link: '' }, confirmed: false },
      deadlineMs: idleMs + LIMITS.confirmMs,
    })
    assert.deepEqual(said, [recordOf(ended)])
  })
  it('no more than its turn is taken over as it stands, and counted', () => {
    const { entry, deadlineMs: dueMs, is } = seize({ ...TAKEN, takeovers: 2 }, seizing(T0 + 4_000), LIMITS)
    assert.deepEqual([is, dueMs], ['abandoned', T0 + 7_000])
    assert.deepEqual(entry, { ...TAKEN, version: 'sweeper', takeovers: 3 })
    const again = seize(entry, seizing(T0 + 8_000), LIMITS).entry
    assert.deepEqual(again, { ...entry, version: 'sweeper/3', takeovers: 4 })
    assert.equal(seize({ ...TAKEN, version: 'sweeper' }, seizing(T0), LIMITS).entry.version, 'sweeper/0')
  })
})

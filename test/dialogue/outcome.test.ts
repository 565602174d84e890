import assert from 'node:assert/strict'
import { deadlineMs, keepMs, nextVersion, playedAtOnce, tokenOf, type DialogueEntry } from '../../src/dialogue/entry.ts'
import { mayRest, rest, seize } from '../../src/dialogue/outcome.ts'
import type { Resting } from '../../src/dialogue/types.ts'
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

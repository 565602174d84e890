/** What a begin, or an answer, means for the entry that it meets: each condition on both of its sides. */
import assert from 'node:assert/strict'
import { bury, classifyAnswer, classifyBegin, decidedAgain, type Classified } from '../../src/dialogue/classify.ts'
import type { DialogueEntry } from '../../src/dialogue/entry.ts'
import { heardWith } from '../../src/dialogue/heard.ts'
import type { Answer, Taking } from '../../src/dialogue/types.ts'
import { LIMITS, PATH, T0 } from '../contract/dialogue-fixture.ts'

const NOBODY = { action: 'continue', text: 'Welcome', step: null } as const
/** It rests on its first question, which went out over link-a; nobody has seen it accepted. */
const RESTING: DialogueEntry = {
  key: { group: 'main', msisdn: '67570000001' },
  epoch: 'E1',
  status: 'resting',
  network: '17',
  turn: 1,
  revision: 'shop@1',
  code: '*123#',
  line: 'akiba',
  snapshot: { value: 'main', context: {} },
  answer: { kind: 'begin', text: '', step: null },
  reply: { ...NOBODY, link: 'link-a' },
  returnPath: PATH,
  openedMs: T0,
  touchedMs: T0,
  ended: null,
  version: 'old/1',
  confirmed: false,
  past: [],
  untilMs: null,
  previous: null,
  takeovers: 0,
}
const ENDED: DialogueEntry = { ...RESTING, status: 'ended', ended: 'completed', untilMs: T0 + LIMITS.resumeMs }
const TAKEN: DialogueEntry = { ...RESTING, status: 'taken', version: 'old', reply: null, confirmed: null }
const KEY: Answer = { kind: 'input', text: '1', step: null }
/** It rests on the answer to its first key. */
const ASKED: DialogueEntry = { ...RESTING, turn: 2, answer: KEY }

type Entry = Partial<DialogueEntry>
const BEGIN: Taking = {
  key: RESTING.key,
  network: '17',
  code: '*123#',
  line: 'akiba',
  answer: { kind: 'begin', text: '', step: null },
  link: 'link-a',
  returnPath: PATH,
  token: 'new',
  nowMs: T0,
  leaseUntilMs: T0 + 3_000,
  epoch: 'E2',
}
const isGone = (link: string) => link === 'link-a'

/** In a word, with what is to be sent again, or is due so long after the last write. */
function told(is: Classified, touchedMs = T0): string {
  if (is.is === 'repeat')
    return is.resend ? 'again' : is.overdueMs === undefined ? 'repeat' : `due ${is.overdueMs - touchedMs}`
  if (is.is === 'next' && is.mayBeCopy) return 'next, or a copy'
  return 'again' in is && is.again ? `${is.is} before` : is.is
}
const begun = (old: DialogueEntry | undefined, more: Partial<Taking> = {}, limits = LIMITS) =>
  classifyBegin(old, { ...BEGIN, ...more }, limits)
const answered = (old: DialogueEntry | undefined, more: Partial<Taking> = {}, limits = LIMITS) =>
  classifyAnswer(old, { ...BEGIN, code: '', epoch: '', answer: KEY, ...more }, limits)

type Case<T> = readonly [of: DialogueEntry | undefined, with_: T, is: string, why: string]
function beginsAre(cases: readonly Case<Partial<Taking>>[]): void {
  for (const [old, more, is, why] of cases) assert.equal(told(begun(old, more), old?.touchedMs), is, why)
}
function answersAre(cases: readonly Case<Partial<Taking>>[]): void {
  for (const [old, more, is, why] of cases) assert.equal(told(answered(old, more), old?.touchedMs), is, why)
}
const entry = (of: DialogueEntry, more: Entry): DialogueEntry => ({ ...of, ...more })

describe('a begin', () => {
  const opened: DialogueEntry = {
    ...RESTING,
    epoch: 'E2',
    status: 'taken',
    revision: '',
    snapshot: null,
    answer: BEGIN.answer,
    reply: null,
    version: 'new',
    confirmed: null,
  }
  it('opens a dialogue with all that it says, where none stands or only a tombstone that has run out', () => {
    const more = { network: '18', code: '*1#', line: 'other', nowMs: T0 + LIMITS.resumeMs }
    const { network, code, line, nowMs } = more
    const expected = { ...opened, network, code, line, openedMs: nowMs, touchedMs: nowMs }
    for (const old of [undefined, ENDED]) {
      const is = begun(old, more)
      assert.deepEqual(is, { is: 'opened', entry: expected })
    }
    assert.notDeepEqual(begun(ENDED, { ...more, nowMs: nowMs - 1 }), { is: 'opened', entry: expected })
  })
  it('comes again by its token: its turn is still taken, or it is over, and then nothing is sent', () => {
    beginsAre([
      [TAKEN, { token: 'old' }, 'opened before', 'taken'],
      [entry(TAKEN, { turn: 2 }), { token: 'old' }, 'repeat', 'a later turn'],
      [RESTING, { token: 'old' }, 'repeat', 'it rests'],
      [RESTING, { token: 'old', link: 'link-b', isGone }, 'repeat', 'it rests, and its link is gone'],
    ])
    const again = begun(TAKEN, { token: 'old' })
    assert.equal('entry' in again && again.entry, TAKEN)
  })
  it('with the number of the open dialogue gets the screen where it may be lost, or the phone has it and dials again', () => {
    const late = T0 + 2_000
    const b = { link: 'link-b' }
    const second = entry(RESTING, { turn: 2 })
    beginsAre([
      [RESTING, {}, 'repeat', 'a moment ago, over the same link'],
      [RESTING, { nowMs: late - 1 }, 'repeat', 'its response may still come'],
      [RESTING, { nowMs: late }, 'again', 'its response is overdue'],
      [entry(RESTING, { confirmed: true }), {}, 'again', 'it is on the phone'],
      [entry(RESTING, { confirmed: true }), b, 'repeat', 'it is on the phone: over another link this is a copy'],
      [RESTING, b, 'due 2000', 'another link: it may be lost'],
      [RESTING, { ...b, isGone: () => false }, 'due 2000', 'that link is there'],
      [RESTING, { ...b, isGone }, 'again', 'that link is gone'],
      [RESTING, { ...b, nowMs: late }, 'again', 'overdue'],
      [second, { ...b, isGone }, 'due 2000', 'a later screen is no answer to a begin'],
      [entry(second, { confirmed: true }), {}, 'again', 'but to a redial'],
      [entry(TAKEN, { turn: 2, reply: RESTING.reply }), { nowMs: late }, 'repeat', 'its screen is still to come'],
      [entry(TAKEN, { turn: 2, reply: RESTING.reply, confirmed: false }), { nowMs: late }, 'repeat', 'as above'],
    ])
    const hasty = { ...LIMITS, confirmMs: 500 }
    assert.equal(told(begun(RESTING, { nowMs: T0 + 500 }, hasty)), 'again', 'nobody waits longer than confirmMs')
    assert.equal(told(begun(RESTING, b, hasty)), 'due 500')
  })
  it('with the number of one that ended is a copy while tombstones are young', () => {
    const b = { link: 'link-b', isGone }
    const end = T0 + LIMITS.tombstoneMs
    beginsAre([
      [ENDED, {}, 'repeat', 'the same link'],
      [ENDED, b, 'again', 'its only screen may be lost'],
      [entry(ENDED, { turn: 2 }), b, 'due 2000', 'its last screen says something else'],
      [entry(ENDED, { confirmed: true }), {}, 'repeat', 'it was seen'],
      [ENDED, { nowMs: end - 1 }, 'repeat', 'young'],
      [ENDED, { nowMs: end }, 'opened', 'old'],
      [entry(ENDED, { network: '16' }), {}, 'opened', 'another number'],
    ])
  })

  describe('whose number comes round', () => {
    const copyMs = 20_000
    const lately = { copyMs, nowMs: T0 + copyMs - 1 }
    const late = { copyMs, nowMs: T0 + copyMs }
    const still = { fromMs: T0, toMs: T0 + 1 }
    it('belongs to the open dialogue if it is dialled alike, and is a redial of that once it is late', () => {
      const seen = entry(RESTING, { turn: 2, confirmed: true })
      beginsAre([
        [seen, { ...lately, link: 'link-b' }, 'repeat', 'a copy, likely'],
        [seen, { ...late, link: 'link-b' }, 'again', 'late'],
        [seen, { ...late, link: 'link-b', copyMs: undefined }, 'repeat', 'a number that is given once'],
        [seen, { ...late, code: '*124#' }, 'opened', 'another code'],
        [seen, { ...late, nowMs: T0 + 10 * copyMs, link: 'link-b' }, 'again', 'however late'],
        [
          entry(RESTING, { turn: 2, touchedMs: late.nowMs }),
          { ...late, link: 'link-b' },
          'due 2000',
          'late, and its screen is on its way',
        ],
      ])
    })
    it('belongs to one that ended while nobody saw its last screen accepted, or while that was its first', () => {
      beginsAre([
        [ENDED, lately, 'again', 'nobody saw it'],
        [ENDED, late, 'opened', 'late'],
        [entry(ENDED, { turn: 2 }), lately, 'again', 'nobody saw its second'],
        [entry(ENDED, { confirmed: true }), lately, 'again', 'its first was its last'],
        [entry(ENDED, { confirmed: true, turn: 2 }), lately, 'opened', 'it was seen'],
        [entry(ENDED, { confirmed: true, turn: 2 }), { ...late, still }, 'again', 'it may have waited here'],
        [entry(ENDED, { confirmed: null }), lately, 'opened', 'it was hung up'],
        [entry(ENDED, { confirmed: null }), { ...late, still }, 'repeat', 'it may have waited here'],
        [entry(ENDED, { ended: 'idle' }), lately, 'opened', 'its last text answers nobody'],
        [entry(ENDED, { ended: 'total' }), lately, 'opened', 'its last text answers nobody'],
        [entry(ENDED, { code: '*124#' }), lately, 'opened', 'another code'],
      ])
    })
    it('is never a copy for longer than tombstones are kept', () => {
      const nowMs = T0 + LIMITS.tombstoneMs
      const long = { copyMs: 10 * LIMITS.tombstoneMs }
      beginsAre([
        [ENDED, { ...long, nowMs: nowMs - 1 }, 'again', 'young'],
        [ENDED, { ...long, nowMs }, 'opened', 'old'],
      ])
    })
  })

  it('without a number is a copy of a young dialogue without one, dialled alike, at its first turn', () => {
    const none = entry(RESTING, { network: '' })
    const young = { network: '', nowMs: T0 + LIMITS.duplicateBeginMs - 1 }
    const old = { network: '', nowMs: T0 + LIMITS.duplicateBeginMs }
    const still = { fromMs: young.nowMs, toMs: old.nowMs }
    beginsAre([
      [none, { network: '' }, 'again', 'who redials must not meet silence'],
      [none, young, 'again', 'still young'],
      [none, old, 'opened', 'not young'],
      [none, { ...old, still }, 'again', 'it may have waited here since'],
      [none, { ...young, code: '*124#' }, 'opened', 'another code'],
      [RESTING, young, 'opened', 'a copy would have the number'],
      [entry(ENDED, { network: '' }), young, 'opened', 'over'],
      [entry(none, { turn: 2 }), young, 'opened', 'it was answered'],
      [entry(none, { turn: 2 }), { ...young, still: { ...still, fromMs: T0 } }, 'again', 'answered meanwhile, maybe'],
      [entry(TAKEN, { network: '', turn: 2 }), { ...young, still }, 'repeat', 'its screen is still to come'],
      [entry(none, { confirmed: true, reply: null, touchedMs: 0 }), { ...young, link: 'x' }, 'repeat', 'no screen'],
      [entry(TAKEN, { network: '' }), young, 'repeat', 'its screen is still to come'],
    ])
  })
  it('with a past number is a copy of that one until it counts no more, and nothing is sent', () => {
    const past = ['15', T0 + 100, '16', T0 + 50]
    const [open, over] = [entry(RESTING, { past, confirmed: true }), entry(ENDED, { past, confirmed: true })]
    const copyMs = 20_000
    beginsAre([
      [open, { network: '16', nowMs: T0 + 49 }, 'repeat', 'the older one'],
      [open, { network: '16', nowMs: T0 + 50 }, 'opened', 'it has run out'],
      [open, { network: '15', nowMs: T0 + 99 }, 'repeat', 'the younger one'],
      [open, { network: '14' }, 'opened', 'no such number'],
      [over, { network: '16' }, 'repeat', 'after the end'],
      [open, { network: '16', copyMs }, 'repeat', 'it comes round, the dialogue is open'],
      [over, { network: '16', copyMs }, 'opened', 'it comes round, the dialogue is over'],
      [entry(over, { confirmed: null }), { network: '16', copyMs }, 'opened', 'it was hung up'],
      [entry(over, { confirmed: false }), { network: '16', copyMs }, 'repeat', 'not yet, as far as is known'],
      [over, { network: '16', copyMs, still: { fromMs: T0, toMs: T0 } }, 'repeat', 'it may have waited here'],
    ])
  })
  it('that replaces a dialogue ends it as superseded, and waited for its subscriber until now', () => {
    const nowMs = T0 + 7_000
    const track = { path: '', waitMs: 0, backendMs: 0 }
    const replaced = (old: DialogueEntry) => {
      const is = begun(old, { network: '18', nowMs })
      return 'entry' in is && is.entry.previous
    }
    const before = entry(RESTING, { previous: TAKEN })
    const gone: Entry = { status: 'ended', ended: 'superseded', touchedMs: nowMs, untilMs: nowMs, confirmed: null }
    const superseded = { ...RESTING, ...gone, previous: null }
    assert.deepEqual(replaced(before), { ...superseded, track: { ...track, waitMs: 7_000 } })
    assert.deepEqual(replaced(entry(TAKEN, { previous: ENDED })), { ...TAKEN, ...gone, previous: null })
    assert.deepEqual(replaced(entry(ENDED, { previous: TAKEN })), ENDED, 'what has ended stays as it ended')
  })
  it('remembers the numbers before it: the last first, from their ends on, each once, none that has run out', () => {
    const nowMs = T0 + 7_000
    const end = LIMITS.tombstoneMs
    const past = ['15', nowMs + 1, '14', nowMs, '13', nowMs + 2]
    const rest = ['15', nowMs + 1, '13', nowMs + 2]
    const kept = (old: Entry, more: Partial<Taking> = {}) => {
      const is = begun(entry(RESTING, { past, ...old }), { network: '18', nowMs, ...more })
      return 'entry' in is && is.entry.past
    }
    assert.deepEqual(kept({}), ['17', nowMs + end, ...rest], 'from now on')
    assert.deepEqual(kept({ status: 'ended', untilMs: nowMs + 1 }), ['17', T0 + end, ...rest], 'from its end on')
    assert.deepEqual(kept({}, { copyMs: 20_000 }), ['17', T0 + 20_000, ...rest], 'from its begin on')
    assert.deepEqual(kept({}, { copyMs: 10 * end }), ['17', T0 + end, ...rest], 'no longer than tombstones')
    assert.deepEqual(kept({}, { copyMs: 6_999 }), rest, 'it has run out')
    assert.deepEqual(kept({ network: '' }), rest, 'it has none')
    assert.deepEqual(kept({ network: '18', code: '*9#' }, { copyMs: 20_000 }), rest, 'it is the same again')
    const over: Entry = { status: 'ended', confirmed: true, untilMs: nowMs + 1 }
    assert.deepEqual(
      kept({ ...over, past: ['18', nowMs + 1, ...past] }, { copyMs: 6_999 }),
      rest,
      'a past one came round',
    )
    const many = Array.from({ length: 8 }, (_, n) => [`n${n}`, nowMs + 1]).flat()
    assert.deepEqual(kept({ past: many }), ['17', nowMs + end, ...many.slice(0, 14)], 'eight of them')
  })
})

describe('an answer', () => {
  const key = (text: string, step: number | null = null): Partial<Taking> => ({ answer: { kind: 'input', text, step } })
  it('is for the dialogue of its number, where either gives one, while that stands', () => {
    answersAre([
      [undefined, {}, 'unknown', 'nothing stands'],
      [RESTING, {}, 'next', 'it rests'],
      [RESTING, { network: '18' }, 'unknown', 'another number'],
      [RESTING, { network: '' }, 'next', 'no number'],
      [entry(RESTING, { network: '' }), {}, 'next', 'the begin had none'],
      [entry(ENDED, { answer: KEY }), { nowMs: T0 + LIMITS.resumeMs }, 'unknown', 'run out'],
    ])
  })
  it('comes again by its token: its turn is still taken, or it is over', () => {
    const taken = entry(TAKEN, { turn: 2, answer: KEY })
    answersAre([
      [taken, { token: 'old' }, 'next before', 'taken'],
      [ASKED, { token: 'old', ...key('2') }, 'repeat', 'it rests'],
      [entry(ASKED, { status: 'ended', ended: 'exit' }), { token: 'old', ...key('2') }, 'repeat', 'it ended'],
    ])
    const again = answered(taken, { token: 'old' })
    assert.equal('entry' in again && again.entry, taken)
  })
  it('while a turn is taken is a copy of its answer, or too early', () => {
    const taken = (answer: Partial<Answer>, step: number | null = null) =>
      entry(TAKEN, { turn: 2, answer: { ...KEY, ...answer }, reply: { ...NOBODY, step, link: 'link-a' } })
    answersAre([
      [taken({}), key('1'), 'repeat', 'the same'],
      [taken({}), { ...key('1'), link: 'link-b', isGone }, 'repeat', 'there is nothing to send yet'],
      [taken({}), key('2'), 'busy', 'another text'],
      [taken({ kind: 'notify-ack' }), key('1'), 'busy', 'another kind'],
      [taken({ step: 4 }), key('1', 4), 'repeat', 'the same step'],
      [taken({ step: 4 }), key('1', 6), 'busy', 'another step'],
      [taken({ step: 4 }), key('1'), 'repeat', 'no step'],
      [taken({}), key('1', 4), 'repeat', 'the first had no step'],
      [taken({ step: 4, isStalled: true }, 5), key('1', 2), 'repeat', 'the counter is not believed'],
      [taken({ step: 4, isStalled: true }, 5), key('1', 6), 'busy', 'the counter is ahead again'],
      [taken({ step: 4 }, 5), key('1', 2), 'busy', 'the counter is believed'],
    ])
  })
  it('to one that ended is a copy of its last answer while its tombstone is young, and else for nobody', () => {
    const over = entry(ENDED, { turn: 2, answer: KEY })
    const nowMs = T0 + LIMITS.tombstoneMs
    answersAre([
      [over, {}, 'repeat', 'a copy'],
      [over, { link: 'link-b' }, 'due 2000', 'a copy, its screen may be lost'],
      [over, { link: 'link-b', isGone }, 'again', 'its screen is lost'],
      [over, key('2'), 'unknown', 'another key'],
      [over, { nowMs: nowMs - 1 }, 'repeat', 'young'],
      [over, { nowMs }, 'unknown', 'old'],
      [entry(over, { confirmed: true }), { link: 'link-b' }, 'repeat', 'it was seen'],
      [entry(over, { confirmed: null }), {}, 'unknown', 'it was hung up'],
      [entry(over, { ended: 'idle' }), {}, 'unknown', 'its last text answers nobody'],
      [entry(over, { ended: 'total' }), {}, 'unknown', 'its last text answers nobody'],
    ])
  })
  it('that waited while this daemon stood still gets the screen that came since, unless a counter tells', () => {
    const nowMs = T0 + 9_000
    const waited = (fromMs: number, toMs: number, of = key('2')) => ({ ...of, nowMs, still: { fromMs, toMs } })
    const counted = entry(ASKED, { answer: { ...KEY, step: 4 } })
    const stalled = entry(ASKED, { answer: { ...KEY, step: 4, isStalled: true } })
    answersAre([
      [ASKED, waited(T0, nowMs), 'again', 'since the first moment'],
      [ASKED, waited(T0 + 1, nowMs), 'next', 'it stood before'],
      [ASKED, waited(T0 - 9, T0 + 1), 'again', 'up to the last moment'],
      [ASKED, waited(T0 - 9, T0), 'next', 'it came after'],
      [ASKED, { ...key('2'), nowMs }, 'next', 'nobody stood still'],
      [counted, waited(T0, nowMs, key('2', 6)), 'next', 'a counter tells'],
      [counted, waited(T0, nowMs, key('2')), 'again', 'it has no step'],
      [stalled, waited(T0, nowMs, key('2', 6)), 'again', 'the counter is not believed'],
    ])
  })
  it('equal to the last one is a copy if the counter says so, or if it comes over another link', () => {
    const last = (step: number | null, replied: number | null, more: Entry = {}) =>
      entry(ASKED, { answer: { ...KEY, step }, reply: { ...NOBODY, step: replied, link: 'link-a' }, ...more })
    const b = { link: 'link-b' }
    answersAre([
      [last(6, 7), key('1', 6), 'repeat', 'our reply counted on, this did not'],
      [last(6, 7), key('1', 8), 'next', 'this did, too'],
      [last(6, 7), key('2', 6), 'next', 'another text'],
      [last(6, 6), key('1', 6), 'next', 'our replies do not count'],
      [last(6, null), key('1', 6), 'next', 'our replies have no step'],
      [last(null, 5), key('1'), 'next', 'the network has no step'],
      [last(null, null), key('1'), 'next', 'pressed twice'],
      [last(null, null), { ...key('1'), ...b }, 'due 2000', 'another link'],
      [last(null, null), { ...key('2'), ...b }, 'next', 'another link, another text'],
      [last(null, null, { confirmed: true }), { ...key('1'), ...b }, 'next', 'its screen was seen'],
      [last(null, null, { reply: null }), { ...key('1'), ...b }, 'next', 'no screen went out'],
      [last(null, null), { ...key('1'), ...b, isGone }, 'again', 'its screen is lost'],
      [last(null, null), { ...key('1'), ...b, nowMs: T0 + 1_999 }, 'due 2000', 'its response may come'],
      [last(null, null), { ...key('1'), ...b, nowMs: T0 + 2_000 }, 'again', 'it is overdue'],
    ])
  })
  it('equal to the last one may be a copy where nothing tells, so soon after the screen as the dialect says', () => {
    const soon = { sameKeyMs: 1_000, nowMs: T0 + 999 }
    answersAre([
      [ASKED, soon, 'next, or a copy', 'soon'],
      [ASKED, { ...soon, nowMs: T0 + 1_000 }, 'next', 'not so soon'],
      [ASKED, { ...soon, ...key('2') }, 'next', 'another key'],
      [ASKED, { nowMs: T0 }, 'next', 'the dialect has no such time'],
      [RESTING, { ...soon, ...key('') }, 'next', 'the last one was the dial'],
      [
        entry(ASKED, { answer: { kind: 'notify-ack', text: '', step: null } }),
        { ...soon, answer: { kind: 'notify-ack', text: '', step: null } },
        'next',
        'an acknowledgement chooses nothing',
      ],
    ])
  })

  describe('under a counter', () => {
    /** A begin and keys, as step and text; the last one rests on our reply with that step. */
    function after(
      steps: readonly (readonly [number, string, 'stalled'?])[],
      replied: number | null,
      more: Entry = {},
    ) {
      const all = steps.map(([step, text, isStalled], n): Answer => {
        const answer: Answer = { kind: n === 0 ? 'begin' : 'input', text, step }
        return isStalled ? { ...answer, isStalled: true } : answer
      })
      let heard = ''
      for (const answer of all.slice(0, -1)) heard = heardWith(entry(RESTING, { heard, answer }), 0)
      const reply = { ...NOBODY, step: replied, link: 'link-a' }
      return entry(RESTING, { turn: all.length, answer: all.at(-1)!, heard, reply, ...more })
    }
    const counted = after(
      [
        [0, ''],
        [2, '1'],
        [4, '2'],
      ],
      5,
    )
    it('is a late copy if it was heard at that step, unless the step is the one that our reply asks for', () => {
      const back = (replied: number | null) =>
        after(
          [
            [0, ''],
            [2, '1'],
            [4, '2'],
            [6, '1'],
            [1, '9'],
          ],
          replied,
        )
      const wrapped = after(
        [
          [0, ''],
          [0, '1'],
          [2, '2'],
          [126, '1'],
        ],
        127,
      )
      answersAre([
        [counted, key('1', 2), 'repeat', 'heard'],
        [counted, key('9', 2), 'next', 'not heard'],
        [counted, key('1', 3), 'next', 'not at that step'],
        [counted, key('1'), 'next', 'it has no step'],
        [back(3), key('2', 4), 'next', 'asked for: one ahead of our reply'],
        [back(4), key('2', 4), 'next', 'asked for: the step of our reply'],
        [back(2), key('2', 4), 'repeat', 'two ahead'],
        [back(5), key('2', 4), 'repeat', 'behind'],
        [back(null), key('2', 4), 'repeat', 'our reply has none'],
        [wrapped, key('1', 0), 'next', 'asked for, around the end'],
      ])
    })
    it('is a late copy of the last one, too, if that stalled and the counter has counted before', () => {
      const stalled = after(
        [
          [0, ''],
          [2, '2'],
          [2, '1', 'stalled'],
        ],
        3,
      )
      const never = after(
        [
          [4, ''],
          [4, '2', 'stalled'],
          [4, '1', 'stalled'],
        ],
        5,
      )
      answersAre([
        [stalled, key('1', 2), 'repeat', 'the last one'],
        [stalled, key('2', 2), 'repeat', 'the one before'],
        [stalled, key('3', 2), 'next', 'neither'],
        [stalled, key('1', 4), 'next', 'it counts'],
        [never, key('1', 4), 'next', 'it has never counted'],
        [never, key('2', 4), 'next', 'it has never counted'],
      ])
    })
    it('that is such a copy gets its screen once that stands, if the counter is not steady: it may be a key', () => {
      const steps = [
        [0, ''],
        [2, '2'],
        [2, '1', 'stalled'],
        [6, '1'],
      ] as const
      const shaky = after(steps, 7, { confirmed: true })
      answersAre([
        [shaky, key('2', 2), 'again', 'on the phone'],
        [after(steps, 7), key('2', 2), 'repeat', 'on its way'],
        [after(steps, 7), { ...key('2', 2), nowMs: T0 + 2_000 }, 'again', 'overdue'],
        [entry(counted, { confirmed: true }), key('1', 2), 'repeat', 'a steady counter'],
        [shaky, key('1', 6), 'repeat', 'the last one, by a counter that counts'],
      ])
    })
    it('is a late copy by its distance where an earlier release kept nothing: at most 16 behind the last one', () => {
      const last = (step: number | null, more: Entry = {}) =>
        entry(ASKED, { turn: 3, answer: { ...KEY, step }, reply: { ...NOBODY, step: 41, link: 'link-a' }, ...more })
      answersAre([
        [last(40), key('9', 39), 'repeat', 'one behind'],
        [last(40), key('9', 24), 'repeat', 'sixteen behind'],
        [last(40), key('9', 23), 'next', 'seventeen'],
        [last(40), key('9', 40), 'next', 'the same, with another text'],
        [last(40), key('9', 41), 'next', 'ahead'],
        [last(2), key('9', 127), 'repeat', 'three behind, around the end'],
        [last(40, { answer: { ...KEY, step: 40, isStalled: true } }), key('9', 39), 'next', 'the counter stalled'],
        [last(40, { answer: { ...BEGIN.answer, step: 40 } }), key('9', 39), 'next', 'the begin counts by itself'],
        [last(null), key('9', 39), 'next', 'the last one has no step'],
        [last(40), key('9'), 'next', 'this one has none'],
      ])
    })
    it('is stored with its step, which is not believed where it stands, or begins behind ours', () => {
      const step = (of: Answer, replied: number | null, next: number | null) => {
        const old = entry(ASKED, { answer: of, reply: { ...NOBODY, step: replied, link: 'link-a' } })
        const { entry: taken } = answered(old, key('9', next)) as { entry: DialogueEntry }
        return `${taken.answer.step} ${taken.answer.isStalled ?? ''}`.trim()
      }
      const input = (of: number | null, isStalled?: true): Answer => ({
        ...KEY,
        step: of,
        ...(isStalled && { isStalled }),
      })
      const begin = (of: number | null): Answer => ({ ...BEGIN.answer, step: of })
      for (const [of, replied, next, is] of [
        [input(4), 5, 6, '6'],
        [input(4), 5, null, 'null'],
        [input(null), 5, 6, 'null'],
        [begin(null), 5, 6, '6'],
        [input(4), 5, 4, '4 true'],
        [input(4), 4, 4, '4'],
        [input(4), null, 4, '4'],
        [input(4), 9, 7, '7'],
        [input(4, true), 5, 6, '6'],
        [input(4, true), 5, 5, '5 true'],
        [input(4, true), 5, 2, '2 true'],
        [input(4, true), null, 6, '6 true'],
        [begin(null), 40, 40, '40'],
        [begin(null), 40, 39, '39 true'],
        [begin(null), 40, 24, '24 true'],
        [begin(null), 40, 23, '23'],
        [begin(null), 2, 127, '127 true'],
        [begin(null), null, 4, '4'],
        [begin(3), 40, 39, '39'],
      ] as const)
        assert.equal(step(of, replied, next), is, `after ${JSON.stringify(of)}, replied ${replied}: ${next}`)
    })
  })

  it('takes the next turn of the entry as it stands, and leaves nothing of the turn before', () => {
    const track = { path: 'first:1/2', waitMs: 2_000, backendMs: 5 }
    const old = entry(ASKED, {
      turn: 2,
      answer: { ...KEY, step: 2 },
      heard: '00AA',
      track,
      ifLeft: { key: 'k' },
      takeovers: 3,
      confirmed: true,
      returnPath: { ...PATH, beginOp: 7, more: { a: 1 } as never },
    })
    const path = { ...PATH, carrier: '0a02', more: { b: 2 } as never }
    const is = answered(old, { ...key('9', 4), line: 'other', nowMs: T0 + 3_000, returnPath: path })
    assert.equal(is.is, 'next')
    const { entry: taken } = is as { entry: DialogueEntry }
    const { ifLeft: _ifLeft, ...kept } = old
    assert.deepEqual(taken, {
      ...kept,
      status: 'taken',
      turn: 3,
      line: 'other',
      version: 'new',
      answer: { kind: 'input', text: '9', step: 4 },
      returnPath: { ...path, beginOp: 7 },
      touchedMs: T0 + 3_000,
      confirmed: null,
      takeovers: 0,
      heard: heardWith(old, 4),
      track: { path: 'first:1/2>main:*/3', waitMs: 5_000, backendMs: 5 },
    })
    assert.notEqual(taken.returnPath, path)
    assert.equal(old.ifLeft?.key, 'k', 'what stands in the store is not touched')
  })
  it('keeps the operation that began the dialogue, unless it brings one; and no memory where it has no step', () => {
    const takes = (old: DialogueEntry, more: Partial<Taking>) => (answered(old, more) as { entry: DialogueEntry }).entry
    const began = entry(ASKED, { returnPath: { ...PATH, beginOp: 7 } })
    assert.equal(takes(began, { returnPath: { ...PATH, beginOp: 9 } }).returnPath.beginOp, 9)
    assert.equal('beginOp' in takes(ASKED, {}).returnPath, false)
    assert.equal('heard' in takes(entry(ASKED, { heard: '00AA' }), {}), false)
    assert.equal('heard' in takes(ASKED, {}), false)
    assert.equal('ifLeft' in takes(ASKED, {}), false)
    assert.equal('isStalled' in takes(ASKED, {}).answer, false)
    assert.deepEqual(takes(RESTING, {}).track, { path: 'main:*/0', waitMs: 0, backendMs: 0 })
  })
})

describe('a begin that was answered without the store', () => {
  const untilMs = T0 + 90_000
  const buried = (old: DialogueEntry | undefined, more: Partial<Taking> = {}, nowMs = T0 + 5) =>
    bury(old, { ...BEGIN, network: '16', ...more }, { untilMs, nowMs, fresh: 'f' })
  it('is a tombstone where nothing stands', () => {
    const none: DialogueEntry = {
      ...RESTING,
      epoch: 'E2',
      status: 'ended',
      network: '',
      revision: '',
      snapshot: null,
      reply: null,
      version: 'new/f',
      ended: 'store-failed',
      confirmed: null,
      past: ['16', untilMs],
      touchedMs: T0 + 5,
      untilMs,
    }
    assert.deepEqual(buried(undefined), none)
    assert.deepEqual(buried(ENDED, {}, ENDED.untilMs!), { ...none, touchedMs: ENDED.untilMs! })
  })
  it('ends what it opened, if nobody was told of that', () => {
    const opened = entry(TAKEN, { previous: ENDED })
    const gone: Entry = {
      status: 'ended',
      ended: 'store-failed',
      touchedMs: T0 + 5,
      untilMs,
      confirmed: null,
      previous: null,
    }
    const own = { token: 'old', network: '17' }
    assert.deepEqual(buried(opened, own), { ...opened, version: 'old/f', ...gone })
    const atOnce = entry(RESTING, { version: 'old/' })
    assert.deepEqual(buried(atOnce, own), { ...atOnce, version: 'old/f', ...gone })
    for (const [why, seen] of Object.entries({
      'a later turn': entry(TAKEN, { turn: 2 }),
      'it was seen': entry(atOnce, { confirmed: true }),
      'it rests, and was written since': RESTING,
      'over already': entry(ENDED, { version: 'old' }),
      'of another': entry(TAKEN, { version: 'other' }),
    }))
      assert.equal(buried(seen, own), undefined, why)
  })
  it('is a past number of what stands, which counts as long; nothing, if it is known', () => {
    const past = ['15', T0 + 1]
    const kept = { version: 'old/f', past: ['16', untilMs, ...past] }
    assert.deepEqual(buried(entry(RESTING, { past })), { ...RESTING, ...kept })
    const [young, old] = [T0 + 60_000, T0 + LIMITS.resumeMs]
    assert.deepEqual(buried(entry(ENDED, { past, untilMs: young })), { ...ENDED, ...kept, untilMs })
    assert.deepEqual(buried(entry(ENDED, { past, untilMs: old })), { ...ENDED, ...kept, untilMs: old })
    assert.equal(buried(RESTING, { network: '17' }), undefined, 'its own number')
    assert.equal(buried(entry(RESTING, { past: ['16', T0 + 1] })), undefined, 'a past one')
  })
})

describe('a message whose entry went on while it was decided', () => {
  const next: Classified = { is: 'next', entry: entry(ASKED, { turn: 3 }) }
  it('is said to meet what stands there now, and of that nothing is sent again', () => {
    const later = entry(ASKED, { turn: 3 })
    const of = { ...BEGIN, answer: KEY }
    assert.deepEqual(decidedAgain(ASKED, later, next, of), { is: 'repeat', entry: later, resend: false })
    const other = entry(later, { answer: { ...KEY, text: '2' } })
    assert.deepEqual(decidedAgain(ASKED, other, next, of), { is: 'busy', entry: other })
    assert.deepEqual(decidedAgain(ASKED, undefined, next, of), { is: 'busy', entry: ASKED })
    assert.deepEqual(decidedAgain(ASKED, entry(ENDED, { turn: 2 }), next, of).is, 'busy')
  })
})

import assert from 'node:assert/strict'
import type { Backend, CallResult } from '../../src/backend/types.ts'
import { playHeld, playTurn, type HeldCall, type TurnDeps } from '../../src/dialogue/turn.ts'
import type { DialogueRecord } from '../../src/dialogue/types.ts'
import type { FlowEvent, FlowSnapshot, Want } from '../../src/flow/engine/types.ts'
import { fakeClock, settle, type FakeClock } from '../support/clock.ts'
import { ask, call, flowOf, PAGE, RECORD, START } from './turn-support.ts'

const PATIENCE = { afterMs: 2_000, waitMs: 60_000 }
const DATA: CallResult = { is: 'data', data: { limit: 500 } }
const CALLING: FlowSnapshot = { value: 'calls', context: { language: 'tpi' } }

const MADE = { turn: 3, n: 0, backend: 'shop', operation: 'buy', changes: true, atMs: 0 }

describe('a turn whose back end is patient', () => {
  let clock: FakeClock
  /** Timers that stand. */
  let standing: Set<object>
  let called: Parameters<Backend['call']>[]
  let respond: ((result: CallResult) => void)[]

  beforeEach(() => {
    clock = fakeClock(START)
    standing = new Set()
    called = []
    respond = []
    const { after } = clock
    clock.after = (ms, run) => {
      const timer = {}
      standing.add(timer)
      const cancel = after(ms, () => (standing.delete(timer), run()))
      return () => (standing.delete(timer), cancel())
    }
  })

  /** Answers '2', calls, and asks once the call is answered; `next` says otherwise. */
  const calling = (
    next: (event: FlowEvent) => string = ({ type }) => (type === 'ANSWER' ? 'calls' : 'asked'),
    want: Want = call,
  ) => flowOf('shop', 'shop@1', { calls: want, again: want, asked: ask }, next)

  const backend = (patience?: Backend['patience']): Backend => ({
    name: 'shop',
    ...(patience ? { patience } : {}),
    call: (...args) => (called.push(args), new Promise((done) => respond.push(done))),
  })
  function partsFor(
    flow: ReturnType<typeof calling>['flow'],
    more: Partial<TurnDeps> & { patience?: Backend['patience'] | null } = {},
  ) {
    const { patience = PATIENCE, ...rest } = more
    return {
      flows: {
        current: () => undefined,
        pinned: async (revision: string) => (revision === 'shop@1' ? flow : undefined),
      },
      backend: () => backend(patience ?? undefined),
      clock,
      language: 'en',
      page: PAGE,
      mayHold: (line: string) => line === 'digicel',
      ...rest,
    }
  }
  const play = (
    flow: ReturnType<typeof calling>['flow'],
    more: Parameters<typeof partsFor>[1] = {},
    record: Partial<DialogueRecord> = {},
  ) => playTurn({ ...RECORD, ...record }, null, { deadlineMs: START + 5_000 }, partsFor(flow, more))

  it('goes on as any other where the answer is here in time, and leaves no timer behind', async () => {
    const { flow, stepped } = calling()
    const playing = play(flow)
    await clock.advance(1_999)
    respond[0]!(DATA)
    const played = await playing
    assert.deepEqual(played, {
      flow,
      snapshot: { value: 'asked', context: {} },
      calls: 1,
      step: { backendMs: 1_999, calls: [{ ...MADE, said: 'data', ms: 1_999 }] },
      reply: { action: 'continue', text: 'How many?' },
      ended: null,
    })
    assert.deepEqual(stepped[1], { type: 'RESULT', data: { limit: 500 } })
    assert.equal(standing.size, 0)
  })
  it('ends with the holding text where it is not, in the language of the dialogue, and hands the promised answer on', async () => {
    for (const language of ['tpi', undefined]) {
      clock = fakeClock(START)
      const { flow } = calling()
      const spoken: unknown[] = []
      const playing = play(
        { ...flow, text: (...args) => (spoken.push(args), 'We will tell you.') },
        {},
        {
          snapshot: { value: 'asked', context: language ? { language } : {} },
        },
      )
      await clock.advance(2_000)
      const { held, ...played } = (await playing)!
      assert.deepEqual(
        { ...played, flow: null },
        {
          flow: null,
          snapshot: { value: 'calls', context: language ? { language } : {} },
          calls: 1,
          step: { backendMs: 2_000, calls: [{ ...MADE, said: 'held', ms: 2_000 }] },
          reply: { action: 'end', text: 'We will tell you.' },
          ended: 'answer-later',
        },
      )
      assert.deepEqual(spoken, [['holding', language ?? 'en']])
      assert.deepEqual([held!.n, held!.untilMs], [0, START + 62_000])
      respond.at(-1)!(DATA)
      assert.deepEqual(await held!.answer, DATA)
    }
  })
  it('counts the patience from when the answer came, and has none left for one that is played late', async () => {
    for (const [touchedMs, holdMs] of [
      [START, 2_000],
      [START - 500, 1_500],
      [START - 9_000, 0],
    ] as const) {
      const { flow } = calling()
      clock = fakeClock(START)
      let is = 'open'
      void play(flow, {}, { touchedMs }).then((played) => {
        is = played!.ended!
      })
      if (holdMs) {
        await clock.advance(holdMs - 1)
        assert.equal(is, 'open', String(holdMs))
        await clock.advance(1)
      } else await clock.advance(0)
      assert.equal(is, 'answer-later', String(holdMs))
    }
  })
  it('gives the call up at the end of the wait and not before, with no other timer left meanwhile', async () => {
    const { flow } = calling()
    const playing = play(flow)
    await clock.advance(2_000)
    await playing
    assert.equal(standing.size, 1)
    const { signal, deadlineMs } = called[0]![2]
    assert.equal(deadlineMs, START + 62_000)
    await clock.advance(59_999)
    assert.equal(signal.aborted, false)
    await clock.advance(1)
    assert.equal(signal.aborted, true)
  })
  it('leaves no timer behind once a promised answer is here', async () => {
    const playing = play(calling().flow)
    await clock.advance(2_000)
    await playing
    respond[0]!(DATA)
    await settle()
    assert.equal(standing.size, 0)
  })
  it('hands the second call on with its own number and intention', async () => {
    const results = ['again', 'asked']
    const { flow } = calling(({ type }) => (type === 'ANSWER' ? 'calls' : results.shift()!))
    const playing = play(flow)
    await clock.advance(100)
    respond[0]!(DATA)
    await clock.advance(1_900)
    const played = (await playing)!
    assert.deepEqual([played.calls, played.held!.n, played.snapshot.value], [2, 1, 'again'])
    assert.deepEqual(
      called.map(([, , { intention }]) => intention),
      ['E1:3:0', 'E1:3:1'],
    )
  })
  it('is never held where the subscriber cannot be told, where a secret would be written down, or where the back end is not patient', async () => {
    const hidden: Want = { ...call, hidden: ['pin'] }
    const cases: [why: string, Parameters<typeof play>[1], Want, context: FlowSnapshot['context']][] = [
      ['another line', { mayHold: (line) => line !== 'digicel' }, call, {}],
      ['nobody may', { mayHold: undefined }, call, {}],
      ['hidden', {}, hidden, {}],
      ['secrets', {}, call, { secrets: ['pin'] }],
      ['impatient', { patience: null }, call, {}],
    ]
    for (const [why, parts, want, context] of cases) {
      clock = fakeClock(START)
      called = []
      const { flow, stepped } = calling(undefined, want)
      let ended: unknown = 'open'
      void play(flow, parts, { snapshot: { value: 'asked', context } }).then((played) => {
        ended = played!.ended
      })
      await clock.advance(4_999)
      assert.deepEqual([ended, called[0]![2].signal.aborted], ['open', false], why)
      await clock.advance(1)
      assert.equal(called[0]![2].signal.aborted, true, `${why}: cut off with the turn`)
      respond.at(-1)!({ is: 'failed', why: 'late', detail: '' })
      await settle()
      assert.deepEqual([ended, stepped[1]], [null, { type: 'FAILED', why: 'late' }], why)
    }
  })

  describe('played to its end', () => {
    const taken = { ...RECORD, snapshot: CALLING }
    const resume = (held: HeldCall, flow: ReturnType<typeof calling>['flow'], record: DialogueRecord = taken) =>
      playHeld(record, held, partsFor(flow))

    it('goes on with the answer that was promised, and calls nobody for it', async () => {
      const { flow, stepped } = calling()
      const played = await resume({ n: 0, answer: Promise.resolve(DATA), untilMs: START + 60_000 }, flow)
      assert.deepEqual(played, {
        flow,
        snapshot: { value: 'asked', context: { language: 'tpi' } },
        calls: 1,
        step: {
          backendMs: 0,
          calls: [{ turn: 3, n: 0, backend: 'shop', operation: 'buy', changes: true, said: 'data', ms: 0, atMs: 0 }],
        },
        reply: { action: 'continue', text: 'How many?' },
        ended: null,
      })
      assert.deepEqual([called, stepped], [[], [{ type: 'RESULT', data: { limit: 500 } }]])
    })
    it('tells of a call that was held since when it was made, in the turn that made it', async () => {
      await clock.advance(3_000)
      const held = { n: 2, answer: Promise.resolve(DATA), askedMs: START + 1_000, untilMs: START + 60_000 }
      const { calls } = (await resume(held, calling().flow))!.step
      assert.deepEqual(
        calls!.map(({ turn, n, ms, atMs }) => [turn, n, ms, atMs]),
        [[3, 2, 2_000, 1_000]],
      )
    })
    it('says so where no answer came to the end of the wait, however it is with the clock', async () => {
      for (const [why, waitedOut] of [
        ['late', true],
        ['down', undefined],
      ] as const) {
        const answer = Promise.resolve<CallResult>({ is: 'failed', why, detail: '' })
        assert.equal(
          (await resume({ n: 0, answer, untilMs: START + 60_000 }, calling().flow))!.waitedOut,
          waitedOut,
          why,
        )
      }
    })
    it('makes the call again, with the same intention, where whoever made it is gone', async () => {
      const playing = resume({ n: 1, untilMs: START + 60_000 }, calling().flow)
      await settle()
      respond[0]!(DATA)
      assert.equal((await playing)!.reply.text, 'How many?')
      const [operation, , { signal: _signal, ...context }] = called[0]!
      assert.equal(operation, 'buy')
      assert.deepEqual(context, {
        intention: 'E1:3:1',
        epoch: 'E1',
        msisdn: '67570000001',
        language: 'tpi',
        line: 'digicel',
        flow: 'shop',
        todayMs: START,
        once: true,
        isSecret: false,
        deadlineMs: START + 60_000,
      })
    })
    it('makes what its flow calls next, numbered on, whatever the patience: it is cut off at the end of the wait', async () => {
      const results = ['again', 'asked']
      const { flow, stepped } = calling(() => results.shift()!)
      const playing = resume({ n: 1, answer: Promise.resolve(DATA), untilMs: START + 60_000 }, flow)
      await clock.advance(59_999)
      const { intention, signal } = called[0]![2]
      assert.deepEqual([called.length, intention, signal.aborted], [1, 'E1:3:2', false])
      await clock.advance(1)
      assert.equal(signal.aborted, true)
      respond[0]!({ is: 'failed', why: 'late', detail: '' })
      assert.equal((await playing)!.calls, 2)
      assert.deepEqual(stepped[1], { type: 'FAILED', why: 'late' })
    })
    it('leaves no timer behind', async () => {
      const playing = resume({ n: 0, untilMs: START + 60_000 }, calling().flow)
      await settle()
      assert.equal(standing.size, 1)
      respond[0]!(DATA)
      await playing
      assert.equal(standing.size, 0)
    })
    it('is nothing where its revision, or the snapshot, is not to be had', async () => {
      const { flow } = calling()
      const held = { n: 0, answer: Promise.resolve(DATA), untilMs: START + 60_000 }
      assert.equal(await resume(held, flow, { ...taken, revision: 'gone@1' }), undefined)
      assert.equal(await resume(held, flow, { ...taken, snapshot: null }), undefined)
    })
  })

  it('is known to back ends by the epoch that it began with, where it goes on in a dialogue that we pushed', async () => {
    for (const [began, epoch] of [
      ['E0', 'E0'],
      [7, 'E1'],
      [undefined, 'E1'],
    ] as const) {
      called = []
      void play(calling().flow, {}, { snapshot: { value: 'asked', context: began === undefined ? {} : { began } } })
      await settle()
      assert.deepEqual([called[0]![2].epoch, called[0]![2].intention], [epoch, 'E1:3:0'])
    }
  })
})

import assert from 'node:assert/strict'
import type { Backend, CallResult } from '../../src/backend/types.ts'
import { playAtOnce, playHeld, playTurn, type Begin, type Played, type TurnDeps } from '../../src/dialogue/turn.ts'
import type { DialogueRecord } from '../../src/dialogue/types.ts'
import type { CompiledFlow, Want } from '../../src/flow/engine/types.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'
import { ask, call, flowOf, PAGE, RECORD, START } from './turn-support.ts'

describe('one turn', () => {
  let clock: FakeClock
  let called: Parameters<Backend['call']>[]
  let answer: () => Promise<CallResult>

  beforeEach(() => {
    clock = fakeClock(START)
    called = []
    answer = async () => ({ is: 'data', data: { ok: true } })
  })

  interface Options {
    deadlineMs?: number
    backends?: string[]
    chosenLanguage?: (msisdn: string) => Promise<string | null>
    log?: TurnDeps['log']
  }
  function play(
    record: Partial<DialogueRecord>,
    begin: Begin | null,
    flows: Record<string, CompiledFlow>,
    options: Options = {},
  ) {
    const backend: Backend = { call: (...args) => (called.push(args), answer()) } as Backend
    return playTurn(
      { ...RECORD, ...record },
      begin,
      { deadlineMs: options.deadlineMs ?? START + 5_000 },
      {
        flows: { current: (name, msisdn) => flows[`${name} ${msisdn}`], pinned: async (revision) => flows[revision] },
        backend: (name) => ((options.backends ?? ['shop']).includes(name) ? backend : undefined),
        clock,
        language: 'en',
        page: PAGE,
        ...(options.chosenLanguage && { chosenLanguage: options.chosenLanguage }),
        ...(options.log && { log: options.log }),
      },
    )
  }
  const begin = (lost: DialogueRecord | null = null): Begin => ({ flow: 'shop', dialled: ['4', '5'], lost })
  const first = (flow: CompiledFlow) => ({ 'shop 67570000001': flow })

  it('begins the flow that serves this subscriber, with all that it may know', async () => {
    const { flow, begun, stepped } = flowOf('shop', 'shop@2', { first: ask })
    const played = await play({}, begin(), first(flow))
    assert.deepEqual(begun, [
      {
        msisdn: '67570000001',
        code: '*123#',
        line: 'digicel',
        language: 'en',
        dialled: ['4', '5'],
        page: PAGE,
        now: '2025-04-30T23:00:00.000Z',
      },
    ])
    assert.deepEqual(stepped, [])
    assert.deepEqual(played, {
      flow,
      snapshot: { value: 'first', context: { language: 'tpi' } },
      calls: 0,
      step: { backendMs: 0 },
      reply: { action: 'continue', text: 'How many?' },
      ended: null,
    })
  })
  it('is nothing where there is no such flow, no such revision, or no snapshot to go on from', async () => {
    const { flow } = flowOf('shop', 'shop@1', { asked: ask })
    assert.equal(await play({}, begin(), {}), undefined)
    assert.equal(await play({}, null, {}), undefined)
    assert.equal(await play({ snapshot: null }, null, { 'shop@1': flow }), undefined)
  })
  it('goes on with an answer, or with what the network acknowledged', async () => {
    const { flow, stepped } = flowOf('shop', 'shop@1', { asked: ask })
    await play({}, null, { 'shop@1': flow })
    await play({ answer: { kind: 'notify-ack', text: '', step: null } }, null, { 'shop@1': flow })
    assert.deepEqual(stepped, [{ type: 'ANSWER', text: '2' }, { type: 'ACK' }])
  })
  it('tells the log what of an answer the flow cannot use', async () => {
    const { flow } = flowOf('shop', 'shop@1', { asked: call, shown: ask }, ({ type }) =>
      type === 'ANSWER' ? 'asked' : 'shown',
    )
    const told: unknown[][] = []
    const log = { debug: () => undefined, warn: (...said: unknown[]) => void told.push(said) }
    const using = (useless: CompiledFlow['useless']) =>
      play({}, null, { 'shop@1': { ...flow, useless } as CompiledFlow }, { log })
    await using(() => undefined)
    await using(({ value }, outcome) => (value === 'asked' && outcome.is === 'data' ? { lacks: ['price'] } : undefined))
    assert.deepEqual(told, [
      [
        {
          flow: 'shop@1',
          screen: 's',
          backend: 'shop',
          operation: 'buy',
          lacks: ['price'],
          msisdn: '67570000001',
          line: 'digicel',
          epoch: 'E1',
        },
        'a back end answered what the flow cannot use',
      ],
    ])
  })
  it('offers the dialogue that was lost: of this flow, on its own revision, where it can be taken up again', async () => {
    const now = flowOf('shop', 'shop@2', { first: ask })
    const then = flowOf('shop', 'shop@1', { first: ask })
    const flows = { ...first(now.flow), 'shop@1': then.flow, 'bank@1': flowOf('bank', 'bank@1', {}).flow }
    const resumed = (lost: Partial<DialogueRecord>) => play({}, begin({ ...RECORD, ...lost }), flows)
    assert.equal((await resumed({}))!.flow, then.flow)
    assert.deepEqual(then.begun[0]!.resume, RECORD.snapshot)
    for (const lost of [
      { snapshot: { value: 'over', context: {} } },
      { snapshot: null },
      { revision: 'bank@1' },
      { revision: 'gone@1' },
    ]) {
      assert.equal((await resumed(lost))!.flow, now.flow, JSON.stringify(lost))
    }
    assert.ok(now.begun.every((input) => !('resume' in input)))
  })
  it('calls back ends with the intention of the turn, numbered, and all that they may know', async () => {
    const results = ['again', 'asked']
    const { flow, stepped } = flowOf('shop', 'shop@1', { calls: call, again: call, asked: ask }, (event) =>
      event.type === 'ANSWER' ? 'calls' : results.shift()!,
    )
    const played = await play({ snapshot: { value: 'asked', context: { language: 'tpi' } } }, null, { 'shop@1': flow })
    assert.equal(played!.calls, 2)
    const [operation, args, { signal, ...context }] = called[0]!
    assert.deepEqual([operation, args], ['buy', { n: 2 }])
    assert.deepEqual(context, {
      intention: 'E1:3:0',
      epoch: 'E1',
      msisdn: '67570000001',
      language: 'tpi',
      line: 'digicel',
      flow: 'shop',
      todayMs: START,
      deadlineMs: START + 5_000,
      once: true,
      isSecret: false,
    })
    assert.equal(signal.aborted, false)
    assert.equal(called[1]![2].intention, 'E1:3:1')
    assert.equal(called[1]![2].signal, signal, 'one time for the turn')
    assert.deepEqual(stepped.slice(1), [
      { type: 'RESULT', data: { ok: true } },
      { type: 'RESULT', data: { ok: true } },
    ])
  })
  it('tells the flow the key of a call that it wants to know, and the back end the key that a call settles', async () => {
    const keyed = { ...call, keyed: true as const }
    const settling = { ...call, once: false, settles: 'E1:3:0' }
    const results = ['state', 'asked']
    const { flow, stepped } = flowOf('shop', 'shop@1', { calls: keyed, state: settling, asked: ask }, (event) =>
      event.type === 'ANSWER' ? 'calls' : results.shift()!,
    )
    const turn = { snapshot: { value: 'asked', context: {} } }
    await play(turn, null, { 'shop@1': flow })
    assert.deepEqual(stepped.slice(1), [
      { type: 'RESULT', data: { ok: true }, key: 'E1:3:0' },
      { type: 'RESULT', data: { ok: true } },
    ])
    assert.equal(called[1]![2].settles, 'E1:3:0')
    // A daemon that takes the turn over makes the same calls under the same keys.
    results.push('state', 'asked')
    await play({ ...turn, takeovers: 1 }, null, { 'shop@1': flow })
    assert.deepEqual(
      called.map(([, , { intention }]) => intention),
      ['E1:3:0', 'E1:3:1', 'E1:3:0', 'E1:3:1'],
    )
  })
  it('speaks the language of the settings until the subscriber has chosen one', async () => {
    const { flow } = flowOf('shop', 'shop@1', { calls: call, asked: ask }, (event) =>
      event.type === 'ANSWER' ? 'calls' : 'asked',
    )
    for (const language of [undefined, 7])
      await play({ snapshot: { value: 'asked', context: language ? { language } : {} } }, null, { 'shop@1': flow })
    assert.deepEqual(
      called.map(([, , { language }]) => language),
      ['en', 'en'],
    )
  })

  it('begins in the language that the subscriber chose, where the flow has more than one', async () => {
    const asked: string[] = []
    const begunIn = async (languages: string[], chosen: string | null) => {
      const { flow, begun } = flowOf('shop', 'shop@2', { first: ask })
      await play({}, begin(), first({ ...flow, languages }), {
        chosenLanguage: async (msisdn) => (asked.push(msisdn), chosen),
      })
      return begun[0]!.language
    }
    assert.equal(await begunIn(['en'], 'tpi'), 'en')
    assert.deepEqual(asked, [], 'nobody is asked where there is nothing to choose')
    assert.equal(await begunIn(['en', 'tpi'], 'tpi'), 'tpi')
    assert.equal(await begunIn(['en', 'tpi'], null), 'en')
    assert.deepEqual(asked, ['67570000001', '67570000001'])
  })

  it('is played at once only where nobody need be asked for the language', () => {
    const atOnce = (languages: string[], chooses: boolean, mayChoose?: boolean) => {
      const { flow } = flowOf('shop', 'shop@2', { first: ask })
      const mayChooseLanguage = mayChoose === undefined ? {} : { mayChooseLanguage: () => mayChoose }
      return playAtOnce(RECORD, begin(), {
        flows: {
          current: () => ({ ...flow, languages }),
          pinned: async () => flow,
          loaded: () => flow,
          ...mayChooseLanguage,
        },
        backend: () => undefined,
        clock,
        language: 'en',
        page: PAGE,
        ...(chooses ? { chosenLanguage: async () => 'tpi' } : {}),
      } as never)
    }
    assert.ok(atOnce(['en'], true))
    assert.ok(atOnce(['en', 'tpi'], false))
    assert.ok(!atOnce(['en', 'tpi'], true))
    assert.ok(!atOnce(['en', 'tpi'], true, true))
    assert.ok(atOnce(['en', 'tpi'], true, false), 'no flow lets anybody choose')
  })

  const calling = () =>
    flowOf('shop', 'shop@1', { calls: call, asked: ask }, (event) => (event.type === 'ANSWER' ? 'calls' : 'asked'))

  it('fails the call, not the turn, where there is no such back end', async () => {
    const { flow, stepped } = calling()
    const played = await play({}, null, { 'shop@1': flow }, { backends: [] })
    assert.deepEqual(stepped[1], { type: 'FAILED', why: 'refused-call' })
    assert.equal(played!.reply.text, 'How many?')
  })
  it('calls no back end when the time of the turn is over', async () => {
    const { flow, stepped } = flowOf('shop', 'shop@1', { calls: call, again: call, asked: ask }, (event) =>
      event.type === 'ANSWER' ? 'calls' : stepped.length < 3 ? 'again' : 'asked',
    )
    answer = async () => (await clock.advance(5_000), { is: 'data', data: null })
    await play({}, null, { 'shop@1': flow })
    assert.equal(called.length, 1)
    assert.deepEqual(stepped[2], { type: 'FAILED', why: 'late' })
  })
  it('gives a call the time that the flow gives it, and never more than the turn has', async () => {
    for (const [timeoutMs, cutMs] of [
      [1_000, 1_000],
      [9_000, 5_000],
    ] as const) {
      const { flow } = flowOf('shop', 'shop@1', { calls: { ...call, timeoutMs }, asked: ask }, (event) =>
        event.type === 'ANSWER' ? 'calls' : 'asked',
      )
      const seen: boolean[] = []
      clock = fakeClock(START)
      answer = async () => {
        const { signal } = called.at(-1)![2]
        for (const ms of [cutMs - 1, 1]) {
          await clock.advance(ms)
          seen.push(signal.aborted)
        }
        return { is: 'data', data: null }
      }
      await play({}, null, { 'shop@1': flow })
      const { timeoutMs: told, deadlineMs } = called.at(-1)![2]
      assert.deepEqual([told, deadlineMs, seen], [timeoutMs, START + cutMs, [false, true]])
    }
  })
  it('cuts a back end off at the deadline and not before it, and at once where that is past', async () => {
    for (const [deadlineMs, cutMs] of [
      [START + 5_000, 5_000],
      [START - 5_000, 0],
    ] as const) {
      const { flow } = calling()
      const seen: boolean[] = []
      clock = fakeClock(START)
      answer = async () => {
        const { signal } = called.at(-1)![2]
        if (cutMs) await clock.advance(cutMs - 1)
        seen.push(signal.aborted)
        await clock.advance(cutMs ? 1 : 0)
        seen.push(signal.aborted)
        return { is: 'data', data: null }
      }
      await play({}, null, { 'shop@1': flow }, { deadlineMs })
      assert.deepEqual(seen, [false, true], String(deadlineMs))
    }
  })
  it('leaves no timer behind, whatever came of it', async () => {
    let standing = 0
    const { after } = clock
    clock.after = (ms, run) => {
      standing++
      const cancel = after(ms, run)
      return () => (standing--, cancel())
    }
    for (const timeoutMs of [undefined, 1_000]) {
      const { flow } = flowOf(
        'shop',
        'shop@1',
        { calls: { ...call, ...(timeoutMs ? { timeoutMs } : {}) }, asked: ask },
        (event) => (event.type === 'ANSWER' ? 'calls' : 'asked'),
      )
      answer = async () => ({ is: 'data', data: null })
      await play({}, null, { 'shop@1': flow })
      answer = () => Promise.reject(new Error('mine'))
      await assert.rejects(() => play({}, null, { 'shop@1': flow }), /mine/)
      assert.deepEqual([called.splice(0).length, standing], [2, 0])
    }
  })
  it('says what the flow wants said', async () => {
    const told = async (want: Want) => {
      const played = await play({}, null, { 'shop@1': flowOf('shop', 'shop@1', { asked: want }).flow })
      return [played!.reply, played!.ended]
    }
    assert.deepEqual(await told(ask), [{ action: 'continue', text: 'How many?' }, null])
    assert.deepEqual(await told({ do: 'notify', text: 'Hm', screen: 's' }), [{ action: 'notify', text: 'Hm' }, null])
    assert.deepEqual(await told({ do: 'end', text: 'Bye', screen: 's', reason: 'exit' }), [
      { action: 'end', text: 'Bye' },
      'exit',
    ])
  })
})

describe('what a turn is told, and tells', () => {
  const end: Want = { do: 'end', text: 'Bye', screen: 's', reason: 'completed' }
  const secret: Want = { ...(ask as Extract<Want, { do: 'ask' }>), secret: true }
  const dialled: Begin = { flow: 'shop', dialled: ['4'], lost: null }

  /** A flow that goes from `asked` to `shown` by what it is told, with these screens. */
  function playing(
    wants: Record<string, Want>,
    {
      flow: own,
      record,
      results = [],
      callMs = 300,
      next = () => 'shown',
      ...deps
    }: {
      flow?: Partial<CompiledFlow>
      callMs?: number
      record?: Partial<DialogueRecord>
      results?: CallResult[]
      next?: Parameters<typeof flowOf>[3]
    } & Partial<TurnDeps> = {},
  ) {
    const clock = fakeClock(START)
    const { flow: plain, stepped, begun } = flowOf('shop', 'shop@1', { asked: ask, ...wants }, next)
    const flow: CompiledFlow = { ...plain, ...own }
    const called: Parameters<Backend['call']>[] = []
    const debugged: Record<string, unknown>[] = []
    const warned: Record<string, unknown>[] = []
    const backend: Backend = {
      name: 'shop',
      call: async (...of) => {
        called.push(of)
        await clock.advance(callMs)
        return results.shift() ?? { is: 'data', data: { n: 1 } }
      },
    }
    const parts = {
      flows: { current: () => flow, pinned: async () => flow, loaded: () => flow },
      backend: () => backend,
      clock,
      language: 'en',
      page: PAGE,
      log: {
        debug: (fields: object, message: string) => void debugged.push({ ...fields, message }),
        warn: (fields: object) => void warned.push({ ...fields }),
      },
      ...deps,
    }
    const taken: DialogueRecord = { ...RECORD, ...record }
    return {
      flow,
      stepped,
      begun,
      called,
      debugged,
      warned,
      atOnce: (begin: Begin | null = null) => playAtOnce(taken, begin, parts),
      play: (how: { begin?: Begin; begun?: Parameters<typeof playTurn>[2]['begun'] } = {}) =>
        playTurn(taken, how.begin ?? null, { deadlineMs: START + 5_000, begun: how.begun }, parts),
    }
  }

  describe('at once, where it awaits nothing', () => {
    it('is what it is else', async () => {
      for (const [want, reply, ended] of [
        [ask, { action: 'continue', text: 'How many?' }, null],
        [end, { action: 'end', text: 'Bye' }, 'completed'],
        [{ do: 'notify', text: 'Hm', screen: 's' }, { action: 'notify', text: 'Hm' }, null],
      ] as const) {
        const { atOnce, play, flow } = playing({ shown: want })
        const played = atOnce()
        assert.deepEqual(played, await play())
        assert.deepEqual(played, {
          flow,
          snapshot: { value: 'shown', context: {} },
          calls: 0,
          step: { backendMs: 0 },
          reply,
          ended,
        })
      }
    })
    it('begins a flow of one language, or where nobody is asked which, and never one that may be taken up again', () => {
      const { atOnce, begun } = playing({ first: ask })
      const played = atOnce(dialled)
      assert.ok(played && 'reply' in played)
      assert.deepEqual([begun.length, begun[0]!.language, begun[0]!.dialled], [1, 'en', ['4']])
      assert.ok(atOnce({ ...dialled, lost: { ...RECORD, snapshot: null } }), 'nothing is known of where that was')
      assert.equal(atOnce({ ...dialled, lost: RECORD }), undefined)
    })
    it('goes as far as the first call, and is played on from there', async () => {
      const { atOnce, play, called, stepped, flow } = playing(
        { calls: call, shown: ask },
        { next: ({ type }) => (type === 'ANSWER' ? 'calls' : 'shown') },
      )
      const begun = atOnce()
      assert.deepEqual([begun, called], [{ flow, snapshot: { value: 'calls', context: {} }, event: null }, []])
      assert.deepEqual(stepped.splice(0), [{ type: 'ANSWER', text: '2' }])
      const played = await play({ begun: begun as never })
      assert.deepEqual([played!.reply.text, called.length], ['How many?', 1])
      assert.deepEqual(stepped, [{ type: 'RESULT', data: { n: 1 } }], 'the answer is played once')
    })
    it('is nothing where the flow is not in memory, not there, or where nothing rests', () => {
      const nowhere = { current: () => undefined, pinned: async () => undefined }
      assert.equal(playing({}, { flows: nowhere }).atOnce(), undefined)
      assert.equal(playing({}, { flows: { ...nowhere, loaded: () => undefined } }).atOnce(), undefined)
      assert.equal(playing({}, { flows: nowhere }).atOnce(dialled), undefined)
      assert.equal(playing({}, { record: { snapshot: null } }).atOnce(), undefined)
    })
  })

  it('knows which choice an answer was, and only an answer is one', async () => {
    const choice: CompiledFlow['choice'] = ({ value }, text) => (value === 'asked' && text === '2' ? '2' : undefined)
    const { atOnce, play } = playing({ shown: ask }, { flow: { choice } })
    assert.deepEqual(
      [(atOnce() as Played).step, (await play())!.step],
      [
        { choice: '2', backendMs: 0 },
        { choice: '2', backendMs: 0 },
      ],
    )
    for (const record of [
      { answer: { kind: 'input', text: '3', step: null } },
      { answer: { kind: 'notify-ack', text: '2', step: null } },
    ] as const)
      assert.deepEqual((playing({ shown: ask }, { flow: { choice }, record }).atOnce() as Played).step, {
        backendMs: 0,
      })
    const begun = playing({ first: ask }, { flow: { choice }, record: { snapshot: null } }).atOnce(dialled) as Played
    assert.deepEqual(begun.step, { backendMs: 0 })
  })
  it('tells what was typed and whether a secret is asked for, where exact texts are kept', async () => {
    for (const [want, isSecret] of [
      [ask, false],
      [secret, true],
      [end, false],
    ] as const) {
      const { atOnce, play } = playing({ shown: want }, { keepsTexts: true })
      const step = { backendMs: 0, exact: { typed: '2', isSecret } }
      assert.deepEqual([(atOnce() as Played).step, (await play())!.step], [step, step])
    }
    const hidden = playing({ asked: secret, shown: ask }, { keepsTexts: true })
    assert.deepEqual((hidden.atOnce() as Played).step.exact, { typed: null, isSecret: false }, 'a PIN was typed')
    assert.equal('exact' in (playing({ shown: ask }).atOnce() as Played).step, false)
  })
  it('tells the SMS for who leaves a question, and of nothing else', async () => {
    const ifLeft = ({ value }: { value: string }) => ({ at: value })
    for (const [want, left] of [
      [ask, { at: 'shown' }],
      [end, undefined],
      [{ do: 'notify', text: 'Hm', screen: 's' }, undefined],
    ] as const) {
      const { atOnce, play } = playing({ shown: want }, { flow: { ifLeft } })
      assert.deepEqual([(atOnce() as Played).step.ifLeft, (await play())!.step.ifLeft], [left, left])
    }
    const { flow } = flowOf('shop', 'shop@1', { asked: call, shown: secret }, () => 'shown')
    const held = { n: 0, answer: Promise.resolve({ is: 'data', data: 1 } as const), untilMs: START + 9 }
    const played = await playHeld(RECORD, held, {
      flows: { current: () => undefined, pinned: async () => ({ ...flow, ifLeft }) },
      backend: () => undefined,
      clock: fakeClock(START),
      language: 'en',
      keepsTexts: true,
    })
    assert.deepEqual([played!.step.ifLeft, played!.step.exact], [{ at: 'shown' }, { typed: null, isSecret: true }])
  })

  const calls = { next: (({ type }) => (type === 'ANSWER' ? 'calls' : 'shown')) as Parameters<typeof flowOf>[3] }
  it('tells of each call how long it took and since when, counted from the dial', async () => {
    const results: CallResult[] = [
      { is: 'refused', refusal: 'no-credit' },
      { is: 'failed', why: 'down', detail: 'x' },
    ]
    const order = ['more', 'shown']
    const { play } = playing(
      { calls: call, more: { ...call, once: false, operation: 'look' }, shown: ask },
      {
        results,
        next: ({ type }) => (type === 'ANSWER' ? 'calls' : order.shift()!),
        record: { openedMs: START - 4_000 },
      },
    )
    const { step } = (await play())!
    const of = { turn: 3, backend: 'shop', ms: 300 }
    assert.deepEqual(step, {
      backendMs: 600,
      calls: [
        { ...of, n: 0, operation: 'buy', changes: true, said: 'refused:no-credit', atMs: 4_000 },
        { ...of, n: 1, operation: 'look', changes: false, said: 'failed:down', atMs: 4_300 },
      ],
    })
    const early = playing({ calls: call, shown: ask }, { ...calls, record: { openedMs: START + 99 } })
    assert.equal((await early.play())!.step.calls![0]!.atMs, 0, 'the clock was set back')
  })
  it('tells a back end how long its answer may be kept, and what is secret, where the flow says so', async () => {
    const cache = { maxAgeSeconds: 5, staleIfErrorSeconds: 9 }
    const told = async (more: Partial<Extract<Want, { do: 'call' }>>) => {
      const { play, called } = playing({ calls: { ...call, ...more }, shown: ask }, calls)
      await play()
      const { cache: kept, isSecret, settles } = called[0]![2]
      return [kept, isSecret, settles, 'cache' in called[0]![2], 'settles' in called[0]![2]]
    }
    assert.deepEqual(await told({}), [undefined, false, undefined, false, false])
    assert.deepEqual(await told({ cache, hidden: ['pin'], settles: 'k' }), [cache, true, 'k', true, true])
  })
  it('gives a call that was not made its key, too', async () => {
    const keyed = { ...call, keyed: true as const }
    const none = playing({ calls: keyed, shown: ask }, { ...calls, backend: () => undefined })
    await none.play()
    assert.deepEqual(none.stepped[1], { type: 'FAILED', why: 'refused-call', key: 'E1:3:0' })
    const order = ['again', 'shown']
    const late = playing(
      { calls: keyed, again: keyed, shown: ask },
      { next: ({ type }) => (type === 'ANSWER' ? 'calls' : order.shift()!), callMs: 5_000 },
    )
    await late.play()
    assert.equal(late.called.length, 1)
    assert.deepEqual(late.stepped[2], { type: 'FAILED', why: 'late', key: 'E1:3:1' })
  })
  it('tells the log what a back end said, but nothing of its data, and no refusal that is not one word', async () => {
    const said = async (result: CallResult) => {
      const { play, debugged } = playing({ calls: call, shown: ask }, { ...calls, results: [result] })
      await play()
      return debugged[0]
    }
    const about = { msisdn: '67570000001', line: 'digicel', epoch: 'E1' }
    const of = { ...about, backend: 'shop', operation: 'buy', message: 'back end answered' }
    assert.deepEqual(await said({ is: 'data', data: { name: 'Mary' } }), { ...of, is: 'data' })
    assert.deepEqual(await said({ is: 'failed', why: 'late', detail: 'x' }), { ...of, is: 'failed', why: 'late' })
    assert.deepEqual(await said({ is: 'refused', refusal: 'full' }), { ...of, is: 'refused', refusal: 'full' })
    const odd = await said({ is: 'refused', refusal: 'Mary has none' })
    assert.equal(odd!.refusal, '(a name that is not one word)')
    const useless = playing(
      { calls: call, shown: ask },
      {
        ...calls,
        flow: { useless: (_, { is }) => (is === 'refused' ? { refusal: 'Mary has none' } : undefined) },
        results: [{ is: 'refused', refusal: 'Mary has none' }],
      },
    )
    await useless.play()
    assert.deepEqual(
      useless.warned.map(({ refusal }) => refusal),
      ['(a name that is not one word)'],
    )
  })
  it('begins in the language of the settings where nobody can be asked, though the flow has more than one', async () => {
    const { play, begun } = playing({ first: ask }, { flow: { languages: ['en', 'tpi'] }, record: { snapshot: null } })
    await play({ begin: dialled })
    assert.equal(begun[0]!.language, 'en')
  })
})

import assert from 'node:assert/strict'
import type { Backend, CallResult } from '../../src/backend/types.ts'
import { playAtOnce, playTurn, type Begin, type TurnDeps } from '../../src/dialogue/turn.ts'
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
    const atOnce = (languages: string[], chooses: boolean) => {
      const { flow } = flowOf('shop', 'shop@2', { first: ask })
      return playAtOnce(RECORD, begin(), {
        flows: { current: () => ({ ...flow, languages }), pinned: async () => flow, loaded: () => flow },
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

import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log/port.ts'
import type { DialogueRecord } from '../../src/dialogue/types.ts'
import { createDelivery } from '../../src/gateway/delivery.ts'
import type { Line, SubmitOptions, SubmitOutcome } from '../../src/smpp/types.ts'
import { statusPolicy } from '../../src/ussd/status-policy.ts'
import { fakeClock, settle } from '../support/clock.ts'

const LIMITS = { turnMs: 8_000, totalMs: 180_000 }

/** A delivery whose store answers `stands`, so many milliseconds after it was asked. */
function delivering(stands: Partial<DialogueRecord> | null, answerMs: number[] = []) {
  const clock = fakeClock()
  const written: number[] = []
  const results: string[] = []
  /** What happens while a screen waits for a slot of the window. */
  const waits: (() => Promise<unknown>)[] = []
  const record = {
    epoch: 'a',
    turn: 2,
    status: 'resting',
    ended: null,
    touchedMs: clock.now(),
    line: 'main',
    key: { group: 'main', msisdn: '1' },
  } as DialogueRecord
  const line = {
    name: 'main',
    dialect: { habits: { submitResp: 'immediate', deliverResp: 'immediate' }, write: () => ({ pdu: {} }) },
    submit: async (_: unknown, { mayLeave }: SubmitOptions) => {
      await waits.shift()?.()
      const may = mayLeave?.() ?? 'yes'
      if (may !== 'yes') return { kind: 'unsent', why: may }
      written.push(clock.now())
      return { kind: 'ok', messageId: '' }
    },
  } as unknown as Line
  const delivery = createDelivery({
    dialogues: {
      find: async () => {
        await clock.advance(answerMs.shift() ?? 0)
        return stands && { ...record, ...stands }
      },
      confirm: () => undefined,
    },
    guarded: (_, run) => run(),
    line: () => line,
    clock,
    chance: () => 0.5,
    log: silentLog,
    metrics: { count: (_: string, { result }: { result?: string }) => result && results.push(result) } as never,
    limits: LIMITS,
    drop: async () => undefined,
  })
  const send = () => delivery.deliver(record, line, { pdu: {} as never, action: 'continue' })
  return { clock, record, line, waits, written, results, delivery, send }
}

describe('a screen on its way for the first time', () => {
  it('is sent without a question when it was decided just now', async () => {
    const { send, clock, written } = delivering({ turn: 3 })
    await clock.advance(900)
    await send()
    assert.equal(written.length, 1)
  })
  it('is not sent when it is late and the dialogue has gone on: the daemon stood still after it was stored', async () => {
    const { send, clock, written, results } = delivering({ turn: 3 })
    await clock.advance(8_000)
    await send()
    assert.deepEqual([written, results], [[], ['unsent']])
  })
  it('is sent when it is late and still the newest', async () => {
    const { send, clock, written, results } = delivering({})
    await clock.advance(3_000)
    await send()
    assert.deepEqual([written.length, results], [1, ['ok']])
  })
  it('is asked for when it waited long for a slot of the window, and sent if it is still the newest', async () => {
    const { send, clock, waits, written, results } = delivering({})
    waits.push(() => clock.advance(2_000))
    await send()
    assert.deepEqual([written.length, results], [1, ['ok']])
  })
})

describe('a screen that is sent again', () => {
  it('is sent if the dialogue still stands at it, and left alone if the subscriber has answered', async () => {
    for (const [turn, writes] of [
      [2, 1],
      [3, 0],
    ] as const) {
      const { delivery, record, written } = delivering({ turn })
      const again = { ...record, reply: { action: 'continue', text: 'A', step: null, link: '' } } as DialogueRecord
      assert.equal(await delivery.resend(again, undefined), writes ? 'sent' : 'over')
      assert.equal(written.length, writes, `the dialogue is at turn ${turn}`)
    }
  })
  it('is asked for once more where the answer of the store is old: what it says may be over', async () => {
    const { delivery, record, written, clock } = delivering(
      { reply: { action: 'continue', text: 'A' } as never },
      [8_000],
    )
    const beganMs = clock.now()
    const again = { ...record, reply: { action: 'continue', text: 'A', step: null, link: '' } } as DialogueRecord
    assert.equal(await delivery.resend(again, undefined), 'sent')
    assert.deepEqual(written, [beganMs + 8_000])
  })
  it('is not sent where no answer of the store is fresh', async () => {
    const { delivery, record, written } = delivering({}, [8_000, 8_000, 8_000])
    const again = { ...record, reply: { action: 'continue', text: 'A', step: null, link: '' } } as DialogueRecord
    assert.equal(await delivery.resend(again, undefined), 'later', 'it is given again')
    assert.deepEqual(written, [])
  })
  it('is not written behind a later screen of this daemon that left since the store was asked', async () => {
    const { delivery, record, line, waits, written } = delivering({})
    const again = { ...record, reply: { action: 'continue', text: 'A', step: null, link: '' } } as DialogueRecord
    const later = { ...record, turn: 3 }
    waits.push(() => delivery.deliver(later, line, { pdu: {} as never, action: 'continue' }) as Promise<unknown>)
    await delivery.resend(again, undefined)
    assert.equal(written.length, 1, 'the later one')
  })
  it('is asked for again where a new dialogue of the subscriber got its screen in between', async () => {
    const { delivery, record, line, waits, written, clock } = delivering({ epoch: 'b', turn: 1 })
    const first = { pdu: {} as never, action: 'continue' } as const
    waits.push(async () => {
      await clock.advance(5)
      await delivery.deliver({ ...record, epoch: 'b', turn: 1, touchedMs: clock.now() }, line, first)
    })
    await delivery.deliver(record, line, first)
    assert.equal(written.length, 1, 'that of the new dialogue')
  })
  it('is sent where the clock was set back by an hour since the screen before: that one is no later one', async () => {
    const { delivery, record, line, written, clock } = delivering({ epoch: 'b', turn: 1 })
    const first = { pdu: {} as never, action: 'continue' } as const
    await delivery.deliver({ ...record, touchedMs: clock.now() + 3_600_000 }, line, first)
    written.length = 0
    await delivery.deliver({ ...record, epoch: 'b', turn: 1, touchedMs: clock.now() }, line, first)
    assert.equal(written.length, 1)
  })
})

const OK: SubmitOutcome = { kind: 'ok', messageId: '', pdu: {} as never }
const THROTTLED: SubmitOutcome = { kind: 'refused', status: 0x58 }
const NO_DIALOGUE: SubmitOutcome = { kind: 'refused', status: 0x45 }
const LOST: SubmitOutcome = { kind: 'lost' }
const PDU = { body: 'a screen' } as never
const HOW = { pdu: PDU, action: 'continue' } as const
const REPLY = { action: 'continue', text: 'Your balance', step: null, link: 'link-a' } as const

interface Scene {
  /** What the SMSC says to one write after the other; the last one is repeated. */
  outcomes?: SubmitOutcome[]
  habits?: Partial<Line['dialect']['habits']>
  /** What the store says. Undefined: nothing. */
  stands?: Partial<DialogueRecord> | null | undefined
  record?: Partial<DialogueRecord>
  /** How long the store takes for one look after the other. */
  findMs?: number[]
  /** A write waits that long. */
  waitMs?: number[]
  isLineThere?: boolean
  confirm?: () => void
  /** The SMSC says nothing before. */
  response?: Promise<void>
}

/** A delivery of which everything is written down. */
function scene({
  outcomes = [OK],
  habits,
  record: of,
  findMs = [],
  waitMs = [],
  isLineThere = true,
  ...more
}: Scene = {}) {
  const clock = fakeClock()
  const startMs = clock.now()
  const told: string[] = []
  const writes: (Omit<SubmitOptions, 'mayLeave'> & { atMs: number; pdu: unknown })[] = []
  const logged: Record<string, unknown>[] = []
  const counted: string[] = []
  const record = {
    epoch: 'a',
    turn: 2,
    status: 'resting',
    ended: null,
    touchedMs: startMs,
    line: 'main',
    key: { group: 'main', msisdn: '1' },
    returnPath: { carrier: '0a' },
    reply: REPLY,
    ...of,
  } as unknown as DialogueRecord
  const line = {
    name: 'main',
    dialect: {
      habits: { submitResp: 'immediate', deliverResp: 'immediate', ...habits },
      policy: statusPolicy,
      write: (reply: { text: string }, path: { carrier: string }) => ({ pdu: `${reply.text} ${path.carrier}` }),
    },
    submit: async (pdu: unknown, { mayLeave, ...options }: SubmitOptions): Promise<SubmitOutcome> => {
      told.push('submit')
      const wait = waitMs.shift()
      if (wait) await clock.advance(wait)
      const may = mayLeave?.() ?? 'yes'
      if (may !== 'yes') return { kind: 'unsent', why: may }
      writes.push({ ...options, atMs: clock.now() - startMs, pdu })
      await more.response
      return outcomes[Math.min(writes.length, outcomes.length) - 1]!
    },
  } as unknown as Line
  const say = (fields: object, message: string) => void logged.push({ ...fields, message })
  const delivery = createDelivery({
    dialogues: {
      find: async () => {
        told.push('find')
        const ms = findMs.shift()
        if (ms) await clock.advance(ms)
        return more.stands === null ? null : { ...record, ...more.stands }
      },
      confirm: () => (told.push('confirm'), more.confirm?.()),
    },
    guarded: (what, run) => {
      told.push(what === 'find' ? 'guarded' : what)
      return 'stands' in more && more.stands === undefined ? Promise.resolve(undefined) : run()
    },
    line: () => (isLineThere ? line : undefined),
    clock,
    chance: () => 0,
    log: { ...silentLog, debug: say, warn: say, error: say },
    metrics: {
      count: (name: string, labels: Record<string, string>) => counted.push([name, ...Object.values(labels)].join(' ')),
    } as never,
    limits: LIMITS,
    drop: async (_, reason) => void told.push(`drop ${reason}`),
  })
  /** What it came to, when all its time has passed. */
  const over = async (sending: Promise<unknown>) => {
    let result: unknown = 'not over'
    void sending.then((is) => (result = is))
    await clock.advance(20_000)
    return result
  }
  const end = () => told.filter((what) => what !== 'submit' && what !== 'guarded' && what !== 'find')
  const warned = () => logged.filter(({ remedy }) => remedy !== undefined)
  return { clock, startMs, told, writes, logged, counted, record, line, delivery, over, end, warned }
}

describe('the first write of a screen', () => {
  const link = (told: string[]) => ({
    id: 'link-f',
    respond: (pdu: unknown, status: number) => told.push(`${pdu} ${status}`),
  })
  const from = (told: string[], line: Line) => ({ pdu: 'deliver_sm', line, link: link(told) }) as never
  it('goes over the link of its message while its turn has time, and is confirmed when the SMSC has it', async () => {
    const { delivery, record, line, told, writes, counted, logged, startMs, over } = scene()
    assert.equal(await over(delivery.deliver(record, line, { ...HOW, from: from(told, line) })), 'ok')
    const deadline = startMs + LIMITS.turnMs
    assert.deepEqual(writes, [{ pdu: PDU, lane: 'ussd', deadline, tries: 0, link: 'link-f', atMs: 0 }])
    assert.deepEqual(told, ['submit', 'confirm'])
    assert.deepEqual(counted, ['ussd_replies_total main continue ok'])
    assert.deepEqual(logged, [
      { msisdn: '1', line: 'main', epoch: 'a', turn: 2, action: 'continue', is: 'ok', message: 'screen sent' },
    ])
  })
  it('goes over the link that is named, if one is; over any, if none is known', async () => {
    const { delivery, record, line, told, writes, over } = scene()
    await over(delivery.deliver(record, line, { ...HOW, link: 'link-n', from: from(told, line) }))
    await over(delivery.deliver({ ...record, turn: 3, touchedMs: Infinity }, line, HOW))
    assert.deepEqual(
      writes.map((write) => write.link),
      ['link-n', undefined],
    )
  })
  it('has at least five seconds, however late it is', async () => {
    for (const [lateMs, hasMs] of [
      [999, 7_001],
      [3_000, 5_000],
      [3_001, 5_000],
      [9_000, 5_000],
    ] as const) {
      const { delivery, record, line, writes, startMs, clock, over } = scene()
      await clock.advance(lateMs)
      assert.equal(await over(delivery.deliver(record, line, HOW)), 'ok')
      assert.equal(writes[0]!.deadline - lateMs - startMs, hasMs, String(lateMs))
    }
  })
  it('comes before the response to its message where the dialect wants that, and else that is no matter of it', async () => {
    const after = scene({ habits: { deliverResp: 'after-submit' } })
    await after.over(after.delivery.deliver(after.record, after.line, { ...HOW, from: from(after.told, after.line) }))
    assert.deepEqual(after.told, ['submit', 'deliver_sm 0', 'confirm'])
    const none = scene({ habits: { deliverResp: 'after-submit' } })
    assert.equal(await none.over(none.delivery.deliver(none.record, none.line, HOW)), 'ok')
  })
  it('says with which status it was refused', async () => {
    const { delivery, record, line, logged, over } = scene({ outcomes: [NO_DIALOGUE] })
    await over(delivery.deliver(record, line, HOW))
    assert.deepEqual([logged[0]!.is, logged[0]!.status], ['refused', 0x45])
  })
  it('waits for no response where that comes when the subscriber answers, and hears it as long as the dialogue may be', async () => {
    let respond = (): void => undefined
    const response = new Promise<void>((done) => (respond = done))
    const { delivery, record, line, told, writes, startMs } = scene({ habits: { submitResp: 'withheld' }, response })
    assert.equal(await delivery.deliver(record, line, HOW), 'open')
    assert.deepEqual(told, ['submit'])
    respond()
    await settle()
    assert.deepEqual(told, ['submit', 'confirm'])
    assert.equal(writes[0]!.deadline, startMs + LIMITS.totalMs)
    const faulty = () => {
      throw new Error('a bug')
    }
    const broken = scene({ habits: { submitResp: 'withheld' }, confirm: faulty })
    assert.equal(await broken.over(broken.delivery.deliver(broken.record, broken.line, HOW)), 'open')
    const { err, message, epoch } = broken.logged.at(-1)!
    assert.deepEqual([(err as Error).message, message, epoch], ['a bug', 'withheld response not sent', 'a'])
  })
})

describe('a screen that the SMSC does not take', () => {
  const delivered = async (parts: Scene) => {
    const it = scene(parts)
    return { ...it, sent: await it.over(it.delivery.deliver(it.record, it.line, HOW)) }
  }
  it('ends its dialogue where it will never be shown; but one that has ended is done with', async () => {
    const open = await delivered({ outcomes: [NO_DIALOGUE] })
    assert.deepEqual([open.sent, open.end(), open.writes.length], ['gone', ['drop refused'], 1])
    const ended = await delivered({ outcomes: [NO_DIALOGUE], record: { status: 'ended', ended: 'completed' } })
    assert.deepEqual([ended.sent, ended.end()], ['gone', ['confirm']])
    assert.deepEqual(open.warned(), [])
  })
  it('is left to the sweep where nobody knows whether it is shown', async () => {
    const { sent, end, writes } = await delivered({ outcomes: [LOST] })
    assert.deepEqual([sent, end(), writes.map(({ atMs }) => atMs)], ['lost', [], [0, 200]])
    const open = await delivered({ outcomes: [{ kind: 'timeout' }] })
    assert.deepEqual([open.sent, open.end()], ['open', []])
  })
  it('is given up when its turn is over, which ends its dialogue; that is said and counted', async () => {
    const { sent, end, counted, warned, writes } = await delivered({ outcomes: [THROTTLED] })
    assert.deepEqual([sent, end(), writes.length], ['throttled', ['drop refused'], 8])
    assert.equal(counted.at(-1), 'ussd_given_up_total main throttled')
    const [{ epoch, line, why, tries, ms, message, remedy }] = warned() as [Record<string, unknown>]
    assert.deepEqual([epoch, line, why, tries, ms], ['a', 'main', 'throttled', 8, 7_000])
    assert.equal(message, 'screen given up: the SMSC throttles us')
    assert.match(String(remedy), /submits\.perSecond/)
  })
  it('is given up where the dialogue went on meanwhile; but one that was not throttled only came late', async () => {
    const gone = scene({ outcomes: [THROTTLED], stands: { turn: 3 } })
    assert.equal(await gone.over(gone.delivery.deliver(gone.record, gone.line, HOW)), 'stale')
    assert.equal(gone.counted.at(-1), 'ussd_given_up_total main gone-on')
    assert.deepEqual([gone.end(), gone.warned()[0]!.tries, gone.warned()[0]!.ms], [['confirm'], 1, 1_000])
    const late = scene({ outcomes: [LOST], stands: { turn: 3 } })
    assert.equal(await late.over(late.delivery.deliver(late.record, late.line, HOW)), 'stale')
    assert.deepEqual([late.end(), late.warned()], [['confirm'], []])
    assert.equal(
      late.counted.some((what) => what.includes('given_up')),
      false,
    )
  })
  it('gets another round where it is the last one, whose words nobody can ask for again; and no third', async () => {
    const last = { status: 'ended', ended: 'completed' } as const
    const first = await delivered({ outcomes: [THROTTLED], record: last })
    assert.deepEqual([first.sent, first.end(), first.warned()], ['open', [], []])
    assert.equal(
      first.counted.some((what) => what.includes('given_up')),
      false,
    )
    const again = scene({ outcomes: [THROTTLED], record: last })
    assert.equal(await again.over(again.delivery.resend(again.record, undefined)), 'sent')
    assert.deepEqual([again.end(), again.warned().length], [['confirm'], 1])
  })
  it('is why its dialogue ended, if a new dial replaces that while it is throttled', async () => {
    const { delivery, record, line, clock, over } = scene({ outcomes: [THROTTLED, OK] })
    const previous: DialogueRecord = { ...record, status: 'ended', ended: 'superseded' }
    assert.equal(delivery.replaced(previous), previous, 'it was not throttled')
    const sending = delivery.deliver(record, line, HOW)
    await clock.advance(500)
    assert.deepEqual(delivery.replaced(previous), { ...previous, ended: 'refused' })
    for (const other of [
      { ...previous, epoch: 'b' },
      { ...previous, ended: 'idle' as const },
    ])
      assert.equal(delivery.replaced(other), other)
    assert.equal(await over(sending), 'ok')
    assert.equal(delivery.replaced(previous), previous, 'it was shown in the end')
  })
})

describe('a screen that is sent again, and what the store says', () => {
  const resent = async (parts: Scene, link?: string) => {
    const it = scene(parts)
    const sending = it.delivery.resend(it.record, link)
    // What takes time moves the clock itself.
    return { ...it, is: await (parts.findMs ? sending : it.over(sending)) }
  }
  it('is its stored reply in the dialect, over the link that is named, confirmed and counted', async () => {
    const { is, writes, counted, told, startMs } = await resent({}, 'link-r')
    assert.equal(is, 'sent')
    const deadline = startMs + LIMITS.turnMs
    assert.deepEqual(writes, [{ pdu: 'Your balance 0a', lane: 'ussd', deadline, tries: 0, link: 'link-r', atMs: 0 }])
    assert.deepEqual(counted, ['dialogue_takeovers_total resent', 'ussd_replies_total main continue ok'])
    assert.deepEqual(told, ['guarded', 'find', 'submit', 'confirm'])
  })
  it('is left alone, and not counted, where nothing is to be sent any more', async () => {
    const ended: Scene['record'] = { status: 'ended', ended: 'completed' }
    const cases: Record<string, Scene> = {
      'a turn is taken': { stands: { status: 'taken' } },
      'a later turn': { stands: { turn: 3 } },
      'an earlier turn': { stands: { turn: 1 } },
      'another dialogue': { stands: { epoch: 'b' } },
      'hung up': { stands: { status: 'ended' } },
      'nothing stands': { stands: null },
      'it had ended, and does not stand so': { record: ended, stands: { status: 'resting' } },
      'no reply': { record: { reply: null } },
      'no line': { isLineThere: false },
    }
    for (const [why, parts] of Object.entries(cases)) {
      const { is, writes, counted } = await resent(parts)
      assert.deepEqual([is, writes, counted], ['over', [], []], why)
    }
    assert.equal((await resent({ record: ended })).is, 'sent', 'its last screen is')
  })
  it('is given again where the store says nothing, or it was lost with its link', async () => {
    const { is, writes } = await resent({ stands: undefined })
    assert.deepEqual([is, writes], ['later', []])
    assert.equal((await resent({ outcomes: [LOST] })).is, 'later')
    assert.equal((await resent({ outcomes: [{ kind: 'timeout' }] })).is, 'sent', 'the SMSC has it')
  })
  it('believes the store for a second from when it was asked', async () => {
    const looks = async (parts: Scene) => {
      const { told, is } = await resent(parts)
      return [is, told.filter((what) => what === 'find').length]
    }
    assert.deepEqual(await looks({ findMs: [999] }), ['sent', 1])
    assert.deepEqual(await looks({ findMs: [1_000] }), ['sent', 2])
    assert.deepEqual(await looks({ findMs: [1_000, 1_000] }), ['sent', 3])
    assert.deepEqual(await looks({ findMs: [1_000, 1_000, 1_000] }), ['later', 3])
    assert.deepEqual(await looks({ findMs: [500], waitMs: [499] }), ['sent', 1])
    assert.deepEqual(await looks({ findMs: [500], waitMs: [500] }), ['sent', 2], 'it waited for the window meanwhile')
  })
})

describe('a screen beside others of its subscriber', () => {
  it('is asked for only where a later dialogue is known, not one that was noted in the same moment', async () => {
    const { delivery, record, line, told, over } = scene()
    await over(delivery.deliver({ ...record, epoch: 'b' }, line, HOW))
    await over(delivery.deliver({ ...record, touchedMs: record.touchedMs + 20_000 }, line, HOW))
    await over(delivery.deliver({ ...record, epoch: 'c', touchedMs: record.touchedMs + 39_001 }, line, HOW))
    assert.equal(told.includes('find'), false)
  })
  it('stays behind a later one of its dialogue, however often it comes', async () => {
    const { delivery, record, line, over, writes } = scene()
    await over(delivery.deliver({ ...record, turn: 3 }, line, HOW))
    for (let times = 0; times < 2; times++) assert.equal(await over(delivery.deliver(record, line, HOW)), 'stale')
    assert.equal(writes.length, 1)
  })
  it('stays behind that of a later dialogue, however often it comes', async () => {
    const { delivery, record, line, clock, over, told, writes } = scene({ stands: { epoch: 'b', turn: 1 } })
    await clock.advance(500)
    await delivery.deliver({ ...record, epoch: 'b', turn: 1, touchedMs: clock.now() }, line, HOW)
    told.length = 0
    const late = [delivery.deliver(record, line, HOW), delivery.deliver(record, line, HOW)]
    for (const one of late) assert.equal(await over(one), 'stale')
    assert.deepEqual([writes.length, told.filter((what) => what === 'find').length], [1, 2])
  })
  it('is believed to be wanted for a second after its turn', async () => {
    for (const [lateMs, isAsked] of [
      [999, false],
      [1_000, true],
    ] as const) {
      const { delivery, record, line, clock, over, told } = scene()
      await clock.advance(lateMs)
      assert.equal(await over(delivery.deliver(record, line, HOW)), 'ok')
      assert.equal(told.includes('find'), isAsked, String(lateMs))
    }
  })
})

describe('a text outside any dialogue', () => {
  const PATH = { carrier: '0b' } as never
  const words = { action: 'end', text: 'busy' } as const
  const said = async (parts: Scene) => {
    const it = scene(parts)
    const leaving = { byMs: it.startMs + 3_000, leaves: () => undefined, left: () => undefined }
    const sending = it.delivery.say(words, PATH, it.line, 'link-s', leaving)
    return { ...it, leaving, sent: await it.over(sending) }
  }
  it('is written in the dialect, over its link, and asked for and confirmed by nobody', async () => {
    const { sent, writes, told, counted, startMs, leaving } = await said({})
    const deadline = startMs + LIMITS.turnMs
    assert.equal(sent, 'ok')
    assert.deepEqual(writes, [{ pdu: 'busy 0b', lane: 'ussd', deadline, tries: 0, link: 'link-s', leaving, atMs: 0 }])
    assert.deepEqual(told, ['submit'])
    assert.deepEqual(counted, ['ussd_replies_total main end ok'])
  })
  it('is tried for some seconds only, and given up for its line, whose it is', async () => {
    const { sent, writes, counted, warned, told } = await said({ outcomes: [THROTTLED] })
    assert.deepEqual([sent, writes.map(({ atMs }) => atMs)], ['throttled', [0, 1_000, 2_000, 3_000, 4_000]])
    assert.equal(counted.at(-1), 'ussd_given_up_total main throttled')
    const { remedy: _remedy, message: _message, ...fields } = warned()[0]!
    assert.deepEqual(fields, { line: 'main', why: 'throttled', tries: 5, ms: 4_000 })
    assert.equal(told.includes('find'), false)
  })
})

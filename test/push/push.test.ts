/** USSD that we begin, with a real store in memory and a real dialect: what is stored, sent, counted and owed for it. */
import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log/port.ts'
import { createDialogues } from '../../src/dialogue/dialogues.ts'
import type { DialogueRecord, Taking } from '../../src/dialogue/types.ts'
import type { Want } from '../../src/flow/engine/types.ts'
import { createPush, WrongClockError, type PushDeps } from '../../src/push/push.ts'
import { pushCode, pushedFlow, replyIn } from '../../src/push/reply.ts'
import { loadDialect } from '../../src/smpp/dialect/load.ts'
import type { Dialect, Line, OutgoingPdu, SubmitOptions, SubmitOutcome } from '../../src/smpp/types.ts'
import { dialogueRegister } from '../../src/store/dialogues.ts'
import { memoryRegister } from '../../src/store/journal/memory.ts'
import { LIMITS, PATH } from '../contract/dialogue-fixture.ts'
import { ask, flowOf } from '../dialogue/turn-support.ts'
import { DIALECTS } from '../smpp/dialect/support.ts'
import { fakeClock } from '../support/clock.ts'

const JOHN = '67570000001'
const KEY = { group: 'main', msisdn: JOHN }
const OK: SubmitOutcome = { kind: 'ok', messageId: 'm1', pdu: {} as never }
const STANDARD = loadDialect('standard', DIALECTS)
const END: Want = { do: 'end', text: 'Paid.', reason: 'completed', screen: 'done' }

interface Setting {
  outcome?: SubmitOutcome
  /** What happens while the SMSC has the screen. */
  onSubmit?: () => Promise<unknown>
  dialect?: Partial<Dialect>
  bound?: boolean
  first?: Want
  hasFlow?: boolean
  clockRight?: boolean
  chosen?: string | null
  keepsTexts?: boolean
}

function pushing(setting: Setting = {}) {
  const { outcome = OK, onSubmit, dialect, bound = true, first = ask, hasFlow = true } = setting
  const clock = fakeClock()
  const dialogues = createDialogues({
    register: dialogueRegister({ register: memoryRegister({}), limits: LIMITS }),
    limits: LIMITS,
  })
  const sent: { pdu: OutgoingPdu; options: SubmitOptions }[] = []
  const lineOf = (name: string, isBound: boolean): Line =>
    ({
      name,
      group: 'main',
      dialect: { ...STANDARD, ...dialect },
      bound: () => isBound,
      submit: async (pdu: OutgoingPdu, options: SubmitOptions) => {
        sent.push({ pdu, options })
        await onSubmit?.()
        return outcome
      },
    }) as unknown as Line
  const lines = [lineOf('down', false), lineOf('up', bound)]
  const { flow: spoken, begun } = flowOf('bill', 'bill@1', { first })
  const flow = { ...spoken, languages: ['en', 'tpi'] }
  const counted: string[] = []
  const finished: DialogueRecord[] = []
  const owed: Parameters<PushDeps['enqueueSms']>[0][] = []
  let serial = 0
  const deps: PushDeps = {
    dialogues,
    clock,
    metrics: {
      count: (name: string, labels: Record<string, string>) =>
        void counted.push([name, ...Object.values(labels)].join(' ')),
    } as never,
    mint: { epoch: () => `e${++serial}`, token: () => `t${++serial}` },
    limits: { turnMs: 8_000, leaseMs: 3_000, confirmMs: LIMITS.confirmMs, language: 'en' },
    finish: (record) => void finished.push(record),
    lines: { all: lines, get: (name) => lines.find((one) => one.name === name) },
    chance: () => 0.25,
    sourceOf: (line, of) => `${line.length}${of === null ? '0' : '1'}`,
    flows: {
      current: (name: string) => (hasFlow && name === 'bill' ? flow : undefined),
      pinned: async () => flow,
      loaded: () => flow,
    } as never,
    backend: () => undefined,
    ...(setting.chosen === undefined ? {} : { chosenLanguage: async () => setting.chosen! }),
    log: silentLog,
    keepsTexts: setting.keepsTexts ?? false,
    isClockRight: () => setting.clockRight ?? true,
    enqueueSms: async (sms) => void owed.push(sms),
  }
  const texts = () => sent.map(({ pdu }) => (pdu.body.short_message as Buffer).toString('latin1'))
  const operations = () => sent.map(({ pdu }) => pdu.tlvs.find(({ tag }) => tag === 0x0501)?.value[0])
  const standing = () => dialogues.standing(KEY)
  return { push: createPush(deps), clock, dialogues, sent, texts, operations, counted, finished, owed, begun, standing }
}

const asked = { msisdn: JOHN, flow: 'bill', ttlMs: 20_000 }
const told = { msisdn: JOHN, text: 'Your bill is due.', ttlMs: 20_000 }

/** The subscriber dials, or answers. */
function taking(kind: 'begin' | 'input', nowMs: number, more: Partial<Taking> = {}): Taking {
  return {
    key: KEY,
    network: '',
    code: '*123#',
    line: 'up',
    link: 'l',
    returnPath: PATH,
    token: 'theirs',
    nowMs,
    epoch: 'theirs',
    answer: { kind, text: '1', step: null },
    leaseUntilMs: nowMs + 3_000,
    ...more,
  }
}

describe('a flow that we begin', () => {
  it('is stored with its question before that is sent, and rests on it once the SMSC has it', async () => {
    const stored: (string | undefined)[] = []
    const all = pushing({ onSubmit: async () => stored.push((await all.standing())?.status) })
    assert.deepEqual(await all.push.push(asked), { is: 'shown', epoch: 'e1', sms: false })
    assert.deepEqual([stored, all.texts(), all.operations()], [['resting'], ['How many?'], [2]])
    const record = (await all.standing())!
    assert.deepEqual(
      [record.status, record.code, record.line, record.network, record.turn, record.revision, record.reply?.action],
      ['resting', 'push:bill', 'up', '', 1, 'bill@1', 'push-begin'],
    )
    assert.equal(record.reply?.step, 0, 'a new dialogue, whose counter stands at its first step')
    assert.deepEqual(all.counted, ['ussd_replies_total up push-begin ok', 'ussd_pushes_total up shown'])
    assert.deepEqual(all.finished, [])
    const path = record.returnPath
    assert.deepEqual([path.from[2], path.to[2], path.carrier], [JOHN, '21', '0000'])
  })
  it('is sent by the time that the caller has, and before the sweep would send it again', async () => {
    const all = pushing()
    const startMs = all.clock.now()
    await all.push.push(asked)
    assert.deepEqual([all.sent[0]!.options.deadline - startMs, all.sent[0]!.options.lane], [9_600, 'ussd'])
    const short = pushing()
    await short.push.push({ ...asked, ttlMs: 500 })
    assert.equal(short.sent[0]!.options.deadline - startMs, 500)
  })
  it('is a notification, and over, if it ends with its first screen', async () => {
    const all = pushing({ first: END })
    assert.deepEqual(await all.push.push(asked), { is: 'shown', epoch: 'e1', sms: false })
    assert.deepEqual([all.texts(), all.operations()], [['Paid.'], [3]])
    assert.deepEqual(
      all.finished.map(({ ended, revision }) => [ended, revision]),
      [['completed', 'bill@1']],
    )
    assert.equal((await all.standing())?.status, 'ended')
  })
  it('speaks the language that was asked for, else that of the subscriber, else ours', async () => {
    const languageOf = async (setting: Setting, language?: string) => {
      const all = pushing(setting)
      await all.push.push({ ...asked, ...(language ? { language } : {}) })
      return all.begun[0]!.language
    }
    assert.equal(await languageOf({ chosen: 'tpi' }, 'fr'), 'fr')
    assert.equal(await languageOf({ chosen: 'tpi' }), 'tpi')
    assert.equal(await languageOf({ chosen: null }), 'en')
    assert.equal(await languageOf({}), 'en')
  })

  const refusals: [what: string, outcome: SubmitOutcome, is: object, ended: string][] = [
    ['refused', { kind: 'refused', status: 0x58 }, { is: 'later', status: 0x58 }, 'refused'],
    ['lost', { kind: 'lost' }, { is: 'unknown' }, 'bind-lost'],
    ['without a response', { kind: 'timeout' }, { is: 'unknown' }, 'bind-lost'],
    ['never sent', { kind: 'unsent', why: 'no-bind' }, { is: 'unsent' }, 'bind-lost'],
  ]
  for (const [what, outcome, is, ended] of refusals) {
    it(`leaves no dialogue behind when its screen is ${what}, and owes the SMS`, async () => {
      const all = pushing({ outcome })
      const said = await all.push.push({ ...asked, sms: 'Pay by SMS.' })
      assert.deepEqual(said, { ...is, epoch: 'e1', sms: true })
      assert.deepEqual(all.owed, [{ id: 'e1', msisdn: JOHN, line: 'up', text: 'Pay by SMS.' }])
      assert.deepEqual(
        all.finished.map((record) => record.ended),
        [ended],
      )
      assert.equal((await all.standing())?.status, 'ended')
    })
  }
  it('is shown if the subscriber answers it, whatever became of the response', async () => {
    const all = pushing({
      outcome: { kind: 'timeout' },
      onSubmit: () => all.dialogues.take(taking('input', all.clock.now())),
    })
    assert.deepEqual(await all.push.push({ ...asked, sms: 'x' }), { is: 'shown', epoch: 'e1', sms: false })
    assert.deepEqual([all.finished, (await all.standing())?.status], [[], 'taken'])
  })
  it('is not shown because another dialogue goes on by then', async () => {
    const all = pushing({
      outcome: { kind: 'timeout' },
      onSubmit: async () => {
        await all.dialogues.open(taking('begin', all.clock.now(), { epoch: 'other' }))
      },
    })
    assert.equal((await all.push.push(asked)).is, 'unknown')
    assert.equal((await all.standing())?.epoch, 'other', 'which is left alone')
  })
  it('waits for nobody where the network keeps its response until the answer', async () => {
    const habits = { ...STANDARD.habits, submitResp: 'withheld' as const }
    const all = pushing({ outcome: { kind: 'timeout' }, dialect: { habits } })
    assert.equal((await all.push.push(asked)).is, 'shown')
    assert.equal((await all.standing())?.status, 'resting')
    const notified = pushing({ outcome: { kind: 'timeout' }, dialect: { habits }, first: END })
    assert.equal((await notified.push.push(asked)).is, 'unknown', 'of a notification it comes at once')
  })

  it('never pushes an open dialogue aside', async () => {
    const all = pushing()
    await all.dialogues.open(taking('begin', all.clock.now()))
    assert.deepEqual(await all.push.push({ ...asked, sms: 'x' }), { is: 'busy', sms: true })
    assert.deepEqual([all.sent.length, (await all.standing())?.epoch], [0, 'theirs'])
    assert.deepEqual(all.owed[0], { id: 'e1', msisdn: JOHN, line: 'up', text: 'x' })
    assert.deepEqual(all.counted, ['ussd_pushes_total up busy'])
  })
  it('follows one that has ended, under another number', async () => {
    const all = pushing()
    await all.push.push(asked)
    await all.dialogues.drop(KEY, {}, 'operator', all.clock.now())
    await all.push.push(asked)
    const numbers = all.sent.map(({ pdu }) => pdu.tlvs.find(({ tag }) => tag === 0x1383)?.value.toString('hex'))
    assert.deepEqual(numbers, ['0000', '0100'])
  })
  it('of no flow opens nothing', async () => {
    const all = pushing({ hasFlow: false })
    assert.deepEqual(await all.push.push({ ...asked, sms: 'x' }), { is: 'no-flow', sms: true })
    assert.deepEqual([await all.standing(), all.counted], [null, ['ussd_pushes_total up no-flow']])
    assert.deepEqual(all.owed, [{ id: 'e1', msisdn: JOHN, line: 'up', text: 'x' }])
  })
})

describe('the way of a push', () => {
  it('is the line that was asked for, else the first that is bound', async () => {
    const all = pushing()
    assert.equal((await all.push.push({ ...asked, line: 'up' })).is, 'shown')
    const down = pushing()
    assert.deepEqual(await down.push.push({ ...asked, line: 'down' }), { is: 'unsent', sms: false })
    assert.deepEqual(down.counted, ['ussd_pushes_total down unsent'])
    const none = pushing()
    assert.equal((await none.push.push({ ...asked, line: 'nobody' })).is, 'unsent')
    assert.deepEqual(none.counted, ['ussd_pushes_total none unsent'])
    const dark = pushing({ bound: false })
    assert.deepEqual(await dark.push.notify({ ...told, sms: 'x' }), { is: 'unsent', sms: true })
    assert.deepEqual(dark.owed, [{ id: 'e1', msisdn: JOHN, line: '', text: 'x' }])
  })
  it('is none where the dialect cannot begin', async () => {
    const all = pushing({ dialect: { push: undefined as never } })
    assert.deepEqual(await all.push.notify(told), { is: 'unsupported', sms: false })
    assert.deepEqual(all.counted, ['ussd_pushes_total up unsupported'])
  })
})

describe('a text that is only to be read', () => {
  it('is a notification, and no dialogue', async () => {
    const all = pushing()
    assert.deepEqual(await all.push.notify(told), { is: 'shown', sms: false })
    assert.deepEqual([all.texts(), all.operations()], [[told.text], [3]])
    assert.equal(await all.standing(), null)
    assert.equal((await pushing({ outcome: { kind: 'refused', status: 0x0b } }).push.notify(told)).is, 'bad-number')
  })
  it('of several pages is a dialogue, whose next page is asked for', async () => {
    const all = pushing({ chosen: null })
    const text = Array.from({ length: 60 }, (_, n) => `word${n}`).join(' ')
    assert.deepEqual(await all.push.notify({ ...told, text }), { is: 'shown', epoch: 'e1', sms: false })
    assert.deepEqual([all.operations(), (await all.standing())?.code], [[2], 'push:app:_text'])
    const page = all.texts()[0]!
    assert.ok(page.length <= 182 && page.startsWith('word0 word1'), page)
    assert.match(page, /More/)
    assert.equal((await all.standing())?.reply?.text, page)
    assert.equal((await all.standing())?.track, undefined)
  })
  it('is kept word for word where that is wanted, as is the first screen of a flow', async () => {
    const all = pushing({ chosen: null, keepsTexts: true })
    await all.push.notify({ ...told, text: Array.from({ length: 60 }, (_, n) => `word${n}`).join(' ') })
    assert.deepEqual((await all.standing())?.track?.texts, [[1, null, all.texts()[0]]])
    const flow = pushing({ keepsTexts: true })
    await flow.push.push({ msisdn: JOHN, flow: 'bill', ttlMs: 5_000 })
    assert.deepEqual((await flow.standing())?.track?.texts, [[1, null, 'How many?']])
  })
})

describe('a dialogue that goes on with our question', () => {
  const said = {
    flow: 'bill',
    revision: 'bill@1',
    snapshot: { value: 'first', context: {} },
    reply: { action: 'continue' as const, text: 'Your loan is ready. Take it?' },
    ended: null,
  }
  const offered = { msisdn: JOHN, line: 'up', epoch: 'promised', said, ttlMs: 5_000 }

  it('is opened under the epoch that was promised', async () => {
    const all = pushing()
    assert.deepEqual(await all.push.offer(offered), { is: 'shown', epoch: 'promised', sms: false })
    const record = (await all.standing())!
    assert.deepEqual([record.epoch, record.snapshot, all.operations()], ['promised', said.snapshot, [2]])
  })
  it('is a notification if nothing more is asked', async () => {
    const all = pushing()
    const over = { ...offered, said: { ...said, ended: 'completed' as const } }
    assert.deepEqual(await all.push.offer(over), { is: 'shown', sms: false })
    assert.deepEqual([all.operations(), all.texts(), await all.standing()], [[3], [said.reply.text], null])
  })
  it('waits while the subscriber is in another one', async () => {
    const all = pushing()
    await all.dialogues.open(taking('begin', all.clock.now()))
    assert.deepEqual(await all.push.offer(offered), { is: 'busy', sms: false })
  })
})

describe('a daemon whose clock is wrong', () => {
  it('begins nothing, and owes no SMS for it', async () => {
    const all = pushing({ clockRight: false })
    await assert.rejects(all.push.push({ ...asked, sms: 'x' }), WrongClockError)
    await assert.rejects(all.push.notify({ ...told, sms: 'x' }), {
      name: 'WrongClockError',
      message: /nothing was pushed/,
    })
    await assert.rejects(all.push.offer({} as never), WrongClockError)
    assert.deepEqual([all.sent, all.owed, all.counted], [[], [], Array(3).fill('limits_total clock_wrong')])
  })
})

describe('a reply in a dialogue that we opened', () => {
  const reply = (action: 'continue' | 'end' | 'notify', turn: number, code = pushCode('bill')) =>
    replyIn({ code, turn }, { action, text: 'x' }).action

  it('begins it, then goes on; an end is a notification at first, then its own', () => {
    assert.deepEqual([reply('continue', 1), reply('continue', 2)], ['push-begin', 'continue'])
    assert.deepEqual([reply('end', 1), reply('end', 2)], ['notify', 'push-end'])
    assert.deepEqual([reply('notify', 1), reply('notify', 2)], ['notify', 'notify'])
  })
  it('is as any other in one that was dialled', () => {
    assert.deepEqual([reply('continue', 1, '*123#'), reply('end', 1, '*123#')], ['continue', 'end'])
  })
  it('knows its flow by a code that nobody can dial', () => {
    assert.deepEqual(
      [pushedFlow(pushCode('bill')), pushedFlow('*123#'), pushedFlow('x push:bill')],
      ['bill', null, null],
    )
  })
})

/** SMS that the SMSC has: called back, asked about, and given another text. What goes out, and what the answers mean. */
import assert from 'node:assert/strict'
import { smsRecall } from '../../../src/sms/pdu/cancel-sm.ts'
import { queryLines, smsQuery } from '../../../src/sms/pdu/query-sm.ts'
import { smsReplace } from '../../../src/sms/pdu/replace-sm.ts'
import type { OutgoingPdu, SubmitOptions, SubmitOutcome } from '../../../src/smpp/types.ts'
import { statusPolicy } from '../../../src/ussd/status-policy.ts'
import { fakeClock } from '../../support/clock.ts'

const RESPONSE_MS = 4_000
const OK = { kind: 'ok', messageId: '', pdu: { body: {} } } as unknown as SubmitOutcome
const refused = (status: number): SubmitOutcome => ({ kind: 'refused', status })
const UNSENT: SubmitOutcome = { kind: 'unsent', why: 'no-bind' }
const SMS = {
  serviceType: 'REM',
  destTon: 1,
  destNpi: 1,
  manage: true,
  queryMs: 60_000,
  queryShare: 0.1,
  perSecond: 50,
  statuses: {},
  receipts: true,
  long: 'udh8',
  ucs2: true,
  transliterate: false,
  languages: [],
  alphabet: 'gsm7',
  dataCoding: 0,
}

function stage(answers: SubmitOutcome[] = [], sms: object = {}, line: object = {}) {
  const clock = fakeClock()
  const sent: (OutgoingPdu & { options: SubmitOptions })[] = []
  const settings = [{ name: 'test', timers: { responseMs: RESPONSE_MS }, sms: { ...SMS, ...sms } }]
  const one = {
    name: 'test',
    sms: { source: '123', sourceTon: 3, sourceNpi: 9 },
    dialect: { policy: statusPolicy, habits: { messageIdUseless: false } },
    bound: () => true,
    submit: async (pdu: OutgoingPdu, options: SubmitOptions) => (sent.push({ ...pdu, options }), answers.shift() ?? OK),
    ...line,
  }
  const lines = { get: (name: string) => (name === 'test' ? one : undefined) }
  return { sent, clock, deps: { settings, lines, clock } as never as Parameters<typeof smsRecall>[0] }
}

const SOURCE = { source_addr_ton: 3, source_addr_npi: 9, source_addr: '123' }

describe('an SMS that is called back', () => {
  const recalled = (answers: SubmitOutcome[], messageIds = ['a', 'b'], sms = {}) => {
    const { sent, deps } = stage(answers, sms)
    return smsRecall(deps)({ line: 'test', msisdn: '67570000001', messageIds } as never).then((is) => ({ is, sent }))
  }
  it('is a cancel_sm for each part, behind USSD, with the time of a response', async () => {
    const { clock, sent, deps } = stage()
    assert.equal(
      await smsRecall(deps)({ line: 'test', msisdn: '67570000001', messageIds: ['a', 'b'] } as never),
      'gone',
    )
    assert.deepEqual(
      sent.map(({ command, body, options }) => [command, body.message_id, options.lane, options.deadline]),
      ['a', 'b'].map((id) => ['cancel_sm', id, 'sms', clock.now() + RESPONSE_MS]),
    )
    const dest = { dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '67570000001' }
    assert.deepEqual(sent[0]!.body, { service_type: 'REM', message_id: 'a', ...SOURCE, ...dest })
  })
  it('is kept where the SMSC keeps one part, and not sent where there is no link', async () => {
    assert.equal((await recalled([refused(0x11), OK])).is, 'kept')
    assert.equal((await recalled([OK, { kind: 'timeout' }])).is, 'kept')
    const unsent = await recalled([UNSENT])
    assert.deepEqual([unsent.is, unsent.sent.length], ['unsent', 1])
  })
  it('is not, where the line does not want it, or nothing is known of it', async () => {
    for (const { is, sent } of [await recalled([], []), await recalled([], ['a'], { manage: false })])
      assert.deepEqual([is, sent.length], ['off', 0])
    assert.equal(await smsRecall(stage().deps)({ line: 'other', msisdn: '1', messageIds: ['a'] } as never), 'off')
  })
})

describe('an SMS that is asked about', () => {
  const asked = (answer: SubmitOutcome, sms = {}) => {
    const { sent, deps } = stage([answer], sms)
    return smsQuery(deps)({ line: 'test', messageId: 'a' } as never).then((said) => ({ said, sent }))
  }
  const ok = (body: object): SubmitOutcome => ({ kind: 'ok', messageId: '', pdu: { body } }) as never
  it('is a query_sm, whose answer is a state and an error', async () => {
    const { said, sent } = await asked(ok({ message_state: 2, error_code: 7 }))
    assert.deepEqual(said, { is: 'said', state: 'delivered', error: '007' })
    assert.deepEqual([sent[0]!.command, sent[0]!.body], ['query_sm', { message_id: 'a', ...SOURCE }])
    assert.deepEqual((await asked(ok({ message_state: 99 }))).said, { is: 'said', state: 'unknown', error: '000' })
  })
  it('is not known, to be asked later, or not to be asked at all', async () => {
    const meanings: [SubmitOutcome, string][] = [
      [UNSENT, 'unsent'],
      [{ kind: 'lost' }, 'later'],
      [{ kind: 'timeout' }, 'unsupported'],
      [refused(0x03), 'unsupported'],
      [refused(0x67), 'unknown'],
      [refused(0x58), 'later'],
    ]
    for (const [answer, is] of meanings) assert.equal((await asked(answer)).said.is, is, JSON.stringify(answer))
    assert.equal((await asked(refused(0x67), { statuses: { '0x67': 'retry' } })).said.is, 'later')
    assert.equal((await smsQuery(stage().deps)({ line: 'other', messageId: 'a' } as never)).is, 'unsent')
  })
  it('is on a line that wants it, is bound, and has message ids: its share of the rate, and one at least', () => {
    const of = (sms = {}, line = {}) => queryLines(stage([], sms, line).deps as never)
    assert.deepEqual(of(), [{ line: 'test', afterMs: 60_000, limit: 25 }])
    assert.equal(of({ perSecond: 0.5 })[0]!.limit, 1)
    const useless = { dialect: { habits: { messageIdUseless: true } } }
    for (const none of [of({ queryMs: undefined }), of({}, { bound: () => false }), of({}, useless)])
      assert.deepEqual(none, [])
  })
})

describe('an SMS that gets another text', () => {
  const replaced = (before: string, text: string, answer: SubmitOutcome = OK, sms = {}) => {
    const { sent, deps } = stage([answer], sms)
    return smsReplace(deps)({ line: 'test', messageId: 'a', before, text } as never).then((is) => ({ is, sent }))
  }
  it('is a replace_sm that leaves its times as they are', async () => {
    const { is, sent } = await replaced('Old', 'New')
    assert.equal(is, 'replaced')
    const { short_message: text, ...body } = sent[0]!.body
    assert.deepEqual([sent[0]!.command, (text as Buffer).toString()], ['replace_sm', 'New'])
    const times = { schedule_delivery_time: '', validity_period: '' }
    assert.deepEqual(body, { message_id: 'a', ...SOURCE, ...times, registered_delivery: 1, sm_default_msg_id: 0 })
    assert.equal((await replaced('Old', 'New', OK, { receipts: false })).sent[0]!.body.registered_delivery, 0)
  })
  it('does not fit where its coding or its parts are others, either way', async () => {
    for (const [before, text] of [
      ['Old', 'नया'],
      ['नया', 'New'],
      ['x'.repeat(200), 'New'],
      ['Old', 'x'.repeat(200)],
    ] as const) {
      const { is, sent } = await replaced(before, text)
      assert.deepEqual([is, sent.length], ['unfit', 0], `${before} ${text}`)
    }
  })
  it('is refused, unsent or not known by what the SMSC says; and off where the line does not want it', async () => {
    assert.equal((await replaced('Old', 'New', refused(0x13))).is, 'refused')
    assert.equal((await replaced('Old', 'New', UNSENT)).is, 'unsent')
    assert.equal((await replaced('Old', 'New', { kind: 'timeout' })).is, 'unknown')
    assert.equal((await replaced('Old', 'New', OK, { manage: false })).is, 'off')
  })
})

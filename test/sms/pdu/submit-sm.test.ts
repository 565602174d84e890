import assert from 'node:assert/strict'
import { silentLog } from '../../../src/base/log/port.ts'
import { parseSettings } from '../../../src/config/load.ts'
import type { SmsToSend } from '../../../src/sms/terms/types.ts'
import type { Line, OutgoingPdu, SubmitOptions, SubmitOutcome } from '../../../src/smpp/types.ts'
import { queryLines, smsQuery } from '../../../src/sms/pdu/query-sm.ts'
import { smsRecall } from '../../../src/sms/pdu/cancel-sm.ts'
import { smsReplace } from '../../../src/sms/pdu/replace-sm.ts'
import { ownClasses, statusClass } from '../../../src/sms/terms/retry-policy.ts'
import { lateSmsOf, smsSubmit } from '../../../src/sms/pdu/submit-sm.ts'
import { statusPolicy } from '../../../src/ussd/status-policy.ts'
import { serviceOfOwner } from '../../../src/sms/settings/senders.ts'
import { LANGUAGES } from '../../../src/ussd/national.ts'
import { fakeClock } from '../../support/clock.ts'

const clock = fakeClock()
const OK: SubmitOutcome = {
  kind: 'ok',
  messageId: 'm',
  pdu: { command: 'submit_sm_resp', status: 0, sequence: 1, body: {}, tlvs: [] },
}

/** A line that answers from a list, and the settings that `sms` says. */
function stage(sms: string, answers: SubmitOutcome[] = [], services = '{}') {
  const { settings } = parseSettings(
    `
lines:
  - { name: one, smsc: { host: 127.0.0.1, systemId: x, password: x }, sms: { source: "123", ${sms} } }
sms: { services: ${services} }
services: [{ code: "*", flow: dental }]
redis: embedded
postgres: embedded
`,
    'test',
    {},
  )
  const asked: { pdu: OutgoingPdu; options: SubmitOptions }[] = []
  const line = {
    name: 'one',
    sms: { source: '123', sourceTon: 3, sourceNpi: 1 },
    bound: () => true,
    dialect: { policy: statusPolicy, habits: { messageIdUseless: false } },
    async submit(pdu: OutgoingPdu, options: SubmitOptions) {
      asked.push({ pdu, options })
      return answers.shift() ?? OK
    },
  } as unknown as Line
  const counted: string[] = []
  const metrics = {
    count: (name: string, labels: Record<string, string> = {}) =>
      void counted.push(`${name} ${Object.values(labels).join()}`),
  }
  const parts = {
    settings: settings.lines,
    lines: { all: [line], get: (name: string) => (name === 'one' ? line : undefined) },
    clock,
    log: silentLog,
    metrics,
    serviceOf: serviceOfOwner(settings.sms),
  }
  return {
    submit: smsSubmit(parts),
    recall: smsRecall(parts),
    replace: smsReplace(parts),
    query: smsQuery(parts),
    parts,
    asked,
    counted,
  }
}

const sms = (more: Partial<SmsToSend> = {}): SmsToSend => ({
  id: '7',
  kind: 'reminder',
  msisdn: '67570000001',
  text: 'Hello',
  line: 'one',
  expiresMs: clock.now() + 3_600_000,
  reference: 8,
  ...more,
})

describe('submitting an SMS', () => {
  it('says how long it is of use, but no more than the settings allow', async () => {
    const plain = stage('priority: 2')
    await plain.submit(sms())
    assert.deepEqual(
      [plain.asked[0]!.pdu.body.validity_period, plain.asked[0]!.pdu.body.priority_flag],
      ['000000010000000R', 2],
    )
    const short = stage('validityMs: 600000')
    await short.submit(sms())
    assert.equal(short.asked[0]!.pdu.body.validity_period, '000000001000000R')
    const absolute = stage('validity: absolute')
    await absolute.submit(sms())
    const until = new Date(clock.now() + 3_600_000).toISOString()
    const { validity_period: written } = absolute.asked[0]!.pdu.body
    assert.match(String(written), /^\d{12}000\+$/)
    assert.equal(until.slice(0, 19), String(written).replace(/^(..)(..)(..)(..)(..)(..).*/, '20$1-$2-$3T$4:$5:$6'))
    const none = stage('validity: none, validityMs: 600000')
    await none.submit(sms())
    assert.equal(none.asked[0]!.pdu.body.validity_period, '')
  })

  it('names the service and the kind of number as the SMSC wants them, also where it is called back', async () => {
    const plain = stage('')
    await plain.submit(sms())
    const own = stage('serviceType: CMT, destTon: 0, destNpi: 9, manage: true')
    await own.submit(sms())
    await own.recall({ msisdn: '67570000001', line: 'one', messageIds: ['a'] })
    const named = ({ body }: OutgoingPdu) => [body.service_type, body.dest_addr_ton, body.dest_addr_npi]
    assert.deepEqual(
      plain.asked.map(({ pdu }) => named(pdu)),
      [['', 1, 1]],
    )
    assert.deepEqual(
      own.asked.map(({ pdu }) => [pdu.command, ...named(pdu)]),
      [
        ['submit_sm', 'CMT', 0, 9],
        ['cancel_sm', 'CMT', 0, 9],
      ],
    )
  })

  it('is in a national alphabet, in UCS-2, or plain, as the settings say', async () => {
    const turkish = stage('languages: [turkish]')
    await turkish.submit(sms({ text: 'Şişli' }))
    assert.deepEqual([turkish.asked[0]!.pdu.body.data_coding, turkish.asked[0]!.pdu.body.esm_class], [0, 0x40])
    const wide = stage('')
    await wide.submit(sms({ text: 'Привет' }))
    assert.equal(wide.asked[0]!.pdu.body.data_coding, 8)
    const plain = stage('ucs2: false')
    await plain.submit(sms({ text: 'Şi Привет' }))
    assert.equal(plain.asked[0]!.pdu.body.data_coding, 0)
    assert.equal(String(plain.asked[0]!.pdu.body.short_message), 'Si ??????')
    const latin1 = stage('alphabet: latin1, dataCoding: 3')
    await latin1.submit(sms({ text: 'a@é' }))
    const { data_coding, short_message } = latin1.asked[0]!.pdu.body
    assert.deepEqual([data_coding, (short_message as Buffer).toString('latin1')], [3, 'a@é'])
  })

  it('skips the parts that the SMSC has, and says which ones are new', async () => {
    const { submit, asked } = stage('', [OK, { kind: 'timeout' }])
    const text = 'x'.repeat(600)
    assert.deepEqual(await submit(sms({ text, taken: [1] })), {
      is: 'ambiguous',
      partly: { messageIds: [null, 'm', null, null], line: 'one' },
    })
    assert.deepEqual(
      asked.map(({ options }) => options.key),
      ['7/2', '7/3'],
    )
    assert.deepEqual(lateSmsOf('7/3', 'one'), { id: '7', line: 'one', part: 3 })
    assert.equal(lateSmsOf('ussd-key', 'one'), null)
  })

  it('cuts what is longer than ten parts and counts it', async () => {
    const { submit, asked, counted } = stage('')
    await submit(sms({ text: 'word '.repeat(400) }))
    assert.equal(asked.length, 10)
    assert.deepEqual(counted, ['limits_total sms_parts_max'])
  })

  it('takes a refusal for what the table says, or the settings', async () => {
    const fates = async (settings: string, status: number) =>
      await stage(settings, [{ kind: 'refused', status }]).submit(sms())
    assert.deepEqual(await fates('', 0x58), { is: 'later', status: 0x58, pause: true, destination: false })
    assert.deepEqual(await fates('', 0x14), { is: 'later', status: 0x14, pause: false, destination: true })
    assert.deepEqual(await fates('', 0x0b), { is: 'failed', status: 0x0b })
    assert.deepEqual(await fates('statuses: { "0x0b": retry }', 0x0b), {
      is: 'later',
      status: 0x0b,
      pause: false,
      destination: false,
    })
    assert.deepEqual(await fates('statuses: { "1025": fail }', 0x401), { is: 'failed', status: 0x401 })
  })

  it('knows each status of the specification', () => {
    const is = (status: number) => statusClass(status, ownClasses({}), statusPolicy(status))
    for (const passing of [0x04, 0x08, 0x64, 0x102, 0x45, 0xfe, 0xff, 0x400, 0x4ff])
      assert.equal(is(passing), 'retry', `0x${passing.toString(16)}`)
    for (const final of [0x01, 0x0a, 0x0b, 0x15, 0x43, 0x48, 0x51, 0x61, 0x65, 0xc0, 0x100, 0x103, 0x500])
      assert.equal(is(final), 'fail')
  })

  it("has the settings' names of languages in step with the tables", () => {
    const all = Object.keys(LANGUAGES).join(', ')
    assert.doesNotThrow(() => stage(`languages: [${all}]`))
    assert.throws(() => stage('languages: [klingon]'))
  })
})

describe('regulated SMS', () => {
  const VISIT = 'Dear {#var#}, your visit is on {#var#}.'
  const DLT = `tlvs: { "0x1400": "1101", "0x1500": { hex: "00ff" } }, templates: { tag: "0x1401", list: [{ id: "1107", text: "${VISIT}" }] }`
  const CLINIC = '{ clinic: { owners: ["token:clinic"], source: CLINIC, tlvs: { "0x1400": { cstring: "1102" } } } }'
  const text = 'Dear Ann, your visit is on Monday.'
  const vendor = ({ pdu }: { pdu: OutgoingPdu }) =>
    pdu.tlvs
      .filter(({ tag }) => tag >= 0x1400)
      .map(({ tag, value }) => `${tag.toString(16)}=${value.toString('latin1')}`)

  it('carry the parameters of the line, and the id of the template that fits', async () => {
    const { submit, asked } = stage(DLT)
    assert.equal((await submit(sms({ text }))).is, 'accepted')
    assert.deepEqual(vendor(asked[0]!), ['1400=1101', '1500=\u0000\u00ff', '1401=1107'])
    assert.equal(asked[0]!.pdu.body.source_addr, '123')
  })

  it('carry those of their service before them, and its sender; those of the request before all', async () => {
    const { submit, asked } = stage(DLT, [], CLINIC)
    await submit(sms({ text, owner: 'token:clinic' }))
    assert.deepEqual(vendor(asked[0]!), ['1400=1102\0', '1500=\u0000\u00ff', '1401=1107'])
    const { source_addr: addr, source_addr_ton: ton, source_addr_npi: npi } = asked[0]!.pdu.body
    assert.deepEqual([addr, ton, npi], ['CLINIC', 5, 0])
    await submit(sms({ text, owner: 'token:clinic', tlvs: '{"0x1401":"9","0x1402":"7"}' }))
    assert.deepEqual(vendor(asked[1]!), ['1400=1102\0', '1500=\u0000\u00ff', '1401=9', '1402=7'])
    await submit(sms({ text, owner: 'token:shop', tlvs: '{"0x1402":7}' }))
    assert.deepEqual(vendor(asked[2]!), ['1400=1101', '1500=\u0000\u00ff', '1401=1107'], 'unreadable')
  })

  it('carry them in each part', async () => {
    const { submit, asked } = stage('tlvs: { "0x1400": "1101" }')
    await submit(sms({ text: 'word '.repeat(50) }))
    assert.deepEqual(asked.map(vendor), [['1400=1101'], ['1400=1101']])
  })

  it('are not sent where no template fits, or not the one that is named', async () => {
    const { submit, asked } = stage(DLT)
    const why = async (more: Partial<SmsToSend>) => {
      const outcome = await submit(sms(more))
      return outcome.is === 'failed' ? outcome.why : outcome.is
    }
    assert.equal(await why({ text: 'Hello' }), 'no registered template fits the text')
    assert.equal(await why({ text: 'Hello', template: '1107' }), 'the text is not that of its template')
    assert.equal(await why({ text, template: '1108' }), 'no registered template has this id')
    assert.equal(asked.length, 0)
    assert.equal(await why({ text, template: '1107' }), 'accepted')
  })

  it('are sent without an id where the settings say so', async () => {
    const { submit, asked } = stage(DLT.replace('list:', 'unmatched: send, list:'))
    assert.equal((await submit(sms({ text: 'Hello' }))).is, 'accepted')
    assert.deepEqual(vendor(asked[0]!), ['1400=1101', '1500=\u0000\u00ff'])
  })

  it('are taken back, replaced and asked about under the sender of their service', async () => {
    const { recall, replace, query, asked } = stage('manage: true', [], CLINIC)
    const at = { msisdn: '67570000001', line: 'one', owner: 'token:clinic' }
    await recall({ ...at, messageIds: ['a'] })
    await replace({ ...at, messageId: 'a', before: 'Old', text: 'New' })
    await query({ ...at, messageId: 'a' })
    await query({ ...at, owner: 'token:shop', messageId: 'a' })
    assert.deepEqual(
      asked.map(({ pdu }) => [pdu.command, pdu.body.source_addr, pdu.body.source_addr_ton]),
      [
        ['cancel_sm', 'CLINIC', 5],
        ['replace_sm', 'CLINIC', 5],
        ['query_sm', 'CLINIC', 5],
        ['query_sm', '123', 3],
      ],
    )
  })

  it('refuse in the settings what cannot be: a tag of our own, an id twice, a template that fits any text', () => {
    assert.throws(() => stage('tlvs: { "0x0424": "1" }'), /the daemon writes this parameter itself/)
    assert.throws(() => stage('tlvs: { "5120": "1" }'), /four hex digits/)
    assert.throws(() => stage(DLT.replace(VISIT, '{#var#} {#var#}')), /any text would fit/)
    assert.throws(() => stage(DLT.replace(VISIT, 'Hi {#VAR#}')), /written \{#var#\}/)
    assert.throws(() => stage(DLT.replace('list: [', 'list: [{ id: "1107", text: A }, ')), /twice/)
  })
})

describe('calling an SMS back', () => {
  const one = { msisdn: '67570000001', line: 'one', messageIds: ['a', 'b'] }

  it('asks for each part, where the settings allow it', async () => {
    const { recall, asked } = stage('manage: true')
    assert.equal(await recall(one), 'gone')
    assert.deepEqual(
      asked.map(({ pdu }) => [pdu.command, pdu.body.message_id, pdu.body.source_addr, pdu.body.destination_addr]),
      [
        ['cancel_sm', 'a', '123', '67570000001'],
        ['cancel_sm', 'b', '123', '67570000001'],
      ],
    )
    assert.equal(await stage('').recall(one), 'off')
    assert.equal(await recall({ ...one, line: 'gone' }), 'off')
  })

  it('knows what was kept, and what could not be asked', async () => {
    assert.equal(await stage('manage: true', [OK, { kind: 'refused', status: 0x11 }]).recall(one), 'kept')
    assert.equal(await stage('manage: true', [{ kind: 'unsent', why: 'no-bind' }]).recall(one), 'unsent')
  })
})

describe('asking what became of an SMS', () => {
  const answered = (message_state: number, error_code = 0): SubmitOutcome => ({
    kind: 'ok',
    messageId: 'm',
    pdu: { command: 'query_sm_resp', status: 0, sequence: 1, body: { message_state, error_code } as never, tlvs: [] },
  })
  const ask = async (outcome: SubmitOutcome, sms = '') => {
    const { query, asked } = stage(sms, [outcome])
    const said = await query({ line: 'one', msisdn: '67570000001', messageId: 'ab' })
    const [{ pdu, options }] = asked as [(typeof asked)[number]]
    assert.deepEqual(
      [pdu.command, pdu.body.message_id, pdu.body.source_addr, options.lane],
      ['query_sm', 'ab', '123', 'sms'],
    )
    return said
  }

  it('understands every state', async () => {
    const states = await Promise.all(Array.from({ length: 11 }, (_, n) => ask(answered(n, n))))
    assert.deepEqual(
      states.map((said) => said.is === 'said' && said.state),
      [
        'enroute',
        'enroute',
        'delivered',
        'expired',
        'deleted',
        'undeliverable',
        'accepted',
        'unknown',
        'rejected',
        'deleted',
        'unknown',
      ],
    )
    assert.deepEqual(states[5], { is: 'said', state: 'undeliverable', error: '005' })
  })

  it('tells a message that is not known from a question that is not', async () => {
    const of = async (status: number) => (await ask({ kind: 'refused', status })).is
    assert.deepEqual(
      [await of(0x67), await of(0x0c), await of(0x03), await of(0x58), await of(0x08)],
      ['unknown', 'unknown', 'unsupported', 'later', 'later'],
    )
    assert.deepEqual(
      [
        (await ask({ kind: 'timeout' })).is,
        (await ask({ kind: 'lost' })).is,
        (await ask({ kind: 'unsent', why: 'no-bind' })).is,
      ],
      ['unsupported', 'later', 'unsent'],
    )
  })

  it('is off unless a line wants it, and takes its share of the rate', () => {
    const shares = (sms: string) => queryLines(stage(sms).parts).map(({ afterMs, limit }) => [afterMs, limit])
    assert.deepEqual(shares('perSecond: 50'), [])
    assert.deepEqual(shares('perSecond: 50, queryMs: 3600000'), [[3_600_000, 25]])
    assert.deepEqual(shares('perSecond: 1, queryMs: 60000, queryShare: 0.5'), [[60_000, 2]])
    assert.deepEqual(shares('perSecond: 0.1, queryMs: 60000, queryShare: 0.01'), [[60_000, 1]])
  })
})

describe('replacing an SMS that the SMSC holds', () => {
  const replaced = async (sms: string, outcome: SubmitOutcome, texts: [string, string] = ['At ten', 'At eleven']) => {
    const { replace, asked } = stage(sms, [outcome])
    const is = await replace({ msisdn: '67570000001', line: 'one', messageId: 'ab', before: texts[0], text: texts[1] })
    return { is, pdu: asked[0]?.pdu, lane: asked[0]?.options.lane }
  }

  it('is one replace_sm that leaves the times as they are', async () => {
    const { is, pdu, lane } = await replaced('manage: true', OK)
    assert.equal(is, 'replaced')
    assert.deepEqual(
      [
        pdu!.command,
        pdu!.body.message_id,
        pdu!.body.source_addr,
        pdu!.body.validity_period,
        String(pdu!.body.short_message),
        lane,
      ],
      ['replace_sm', 'ab', '123', '', 'At eleven', 'sms'],
    )
  })

  it('is asked for only where the line manages SMS, and where no more than the text changes', async () => {
    assert.deepEqual(await replaced('', OK), { is: 'off', pdu: undefined, lane: undefined })
    for (const texts of [
      ['At ten', 'В десять'],
      ['At ten', 'x'.repeat(161)],
      ['x'.repeat(161), 'At ten'],
    ] as [string, string][]) {
      assert.deepEqual(await replaced('manage: true', OK, texts), { is: 'unfit', pdu: undefined, lane: undefined })
    }
    assert.equal((await replaced('manage: true', OK, ['В десять', 'В час'])).is, 'replaced')
  })

  it('knows what was refused, and what nobody knows', async () => {
    const all: SubmitOutcome[] = [
      { kind: 'refused', status: 0x13 },
      { kind: 'refused', status: 0x03 },
      { kind: 'timeout' },
      { kind: 'lost' },
      { kind: 'unsent', why: 'no-bind' },
    ]
    assert.deepEqual(await Promise.all(all.map(async (one) => (await replaced('manage: true', one)).is)), [
      'refused',
      'refused',
      'unknown',
      'unknown',
      'unsent',
    ])
  })
})

import assert from 'node:assert/strict'
import { parseSettings } from '../../../src/config/load.ts'
import { incomingSchema, unfinishedSubscribersMax } from '../../../src/sms/settings/incoming.ts'
import { smsIn } from '../../../src/sms/inbox/receive.ts'
import type { Line, Pdu } from '../../../src/smpp/types.ts'
import { fileParts } from '../../../src/store/journal/file-parts.ts'
import { fakeClock } from '../../support/clock.ts'

const LINE = { name: 'test-1', group: 'test' } as Line

function stage(access = { inTime: () => true, mayDial: () => true }) {
  const { settings } = parseSettings(
    `
services: [{ code: "*1#", flow: x }]
door: {}
redis: embedded
postgres: embedded
sms: { long: { textsMax: 2, partsMax: 3 } }
`,
    'test',
    {},
  )
  const counted: string[] = []
  const logged: object[] = []
  const clock = fakeClock()
  const taking = smsIn({
    settings: settings.sms,
    clock,
    chance: () => 0.5,
    subjects: [],
    sql: undefined as never,
    numbering: () => ({}),
    metrics: {
      count: (name, labels = {}, by = 1) => void counted.push([name, ...Object.values(labels), by].join(' ')),
    },
    log: {
      debug: () => undefined,
      info: (fields) => void logged.push(fields),
      warn: () => undefined,
      error: () => undefined,
    },
    access,
    shelf: fileParts({ subscribersMax: 64 }),
  })
  const part = (reference: number, total: number) =>
    taking.take(
      {
        command: 'deliver_sm',
        id: 5,
        status: 0,
        sequence: 1,
        tlvs: [],
        body: {
          source_addr_ton: 1,
          source_addr_npi: 1,
          source_addr: '67570000001',
          destination_addr: '123',
          esm_class: 0x40,
          data_coding: 0,
          short_message: Buffer.from([5, 0, 3, reference, total, 1, 0x41]),
        },
      } as unknown as Pdu,
      LINE,
    )
  return { ...taking, part, counted, logged, clock, settings }
}

describe('a long SMS of which not all parts come', () => {
  it('is given up after a day, counted by line group, and logged for the log to mask', async () => {
    const { part, expire, counted, logged, clock, settings } = stage()
    assert.equal(settings.sms.long.keepMs, 86_400_000)
    await part(1, 2)
    await part(2, 2)
    await clock.advance(86_399_999)
    await expire()
    assert.deepEqual([counted, logged], [['sms_incoming_total test-1 part 1', 'sms_incoming_total test-1 part 1'], []])
    await clock.advance(1)
    await expire()
    await expire()
    assert.deepEqual(counted.slice(2), ['sms_unfinished_total test expired 2'])
    assert.deepEqual(logged, [{ msisdn: '67570000001', group: 'test', why: 'expired', texts: 2 }])
  })

  it('is given up for a newer one where a subscriber has too many, and not collected where it is too long', async () => {
    const { part, counted } = stage()
    for (const reference of [1, 2, 3]) await part(reference, 2)
    await part(4, 4)
    assert.deepEqual(
      counted.filter((one) => !one.endsWith('part 1')),
      [
        'sms_unfinished_total test over 1',
        'limits_total sms_texts_max 1',
        'limits_total sms_parts_in_max 1',
        'sms_incoming_total test-1 part-too-many 1',
      ],
    )
  })
})

describe('an SMS of a subscriber', () => {
  it('over the rate of the subscriber is dropped, and counted like USSD', async () => {
    let calls = 0
    const { part, counted } = stage({ inTime: () => calls++ < 1, mayDial: () => true })
    await part(1, 2)
    await part(1, 2)
    assert.deepEqual(counted.slice(1), ['limits_total subscriber_rate 1', 'sms_incoming_total test-1 rate 1'])
  })

  it('who may not use the line is not collected', async () => {
    const asked: string[] = []
    const mayDial = (...who: string[]) => (asked.push(who.join(' ')), false)
    const { part, counted } = stage({ inTime: () => true, mayDial })
    await part(1, 2)
    await part(1, 1)
    assert.deepEqual(counted, Array(2).fill('sms_incoming_total test-1 not-allowed 1'))
    assert.deepEqual(asked[0], '67570000001 test-1')
  })
})

describe('the settings for long SMS', () => {
  it('bound all of them by octets, however many subscribers have some', () => {
    const { settings } = stage()
    const { long } = settings.sms
    assert.deepEqual([long.octetsMax, long.totalOctetsMax], [8_192, 67_108_864])
    assert.equal(unfinishedSubscribersMax(long), 8_192)
    assert.equal(unfinishedSubscribersMax({ ...long, octetsMax: 1_024 }), 16_000)
    const refused = { ...long, octetsMax: 1_048_576, totalOctetsMax: 1_048_576 }
    assert.throws(() => incomingSchema.parse({ long: refused }), /totalOctetsMax must be 64 times octetsMax/)
  })
})

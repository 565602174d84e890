import assert from 'node:assert/strict'
import { silentLog } from '../../../src/base/log/port.ts'
import { GIVEN_UP_LINES, tellGivenUp, type GivenUpSms } from '../../../src/sms/terms/given-up.ts'
import { smsReason } from '../../../src/sms/terms/reason.ts'
import type { SmsOutcome } from '../../../src/sms/terms/types.ts'
import { fakeClock } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'
import { HOUR, MSISDN, outboxFixture, receipt, START } from '../outbox/fixture.ts'

function heard() {
  const lines: Record<string, unknown>[] = []
  const counted: string[] = []
  return {
    lines,
    counted,
    log: { ...silentLog, warn: (fields: object, msg: string) => void lines.push({ msg, ...fields }) },
    counters: {
      count: (name: string, labels: Record<string, string> = {}) =>
        void counted.push([name, ...Object.values(labels)].join(' ')),
    },
  }
}

describe('why an SMS is as it is', () => {
  const said = (error: string | null, more: object = {}) =>
    smsReason({ state: 'failed', status: null, attempts: 1, error, ...more })

  it('is said in words, from the table of statuses', () => {
    assert.equal(
      said('refused', { status: 0x0b }),
      "the SMSC refused it with 0x0B ESME_RINVDSTADR: the subscriber's number is not accepted",
    )
    assert.equal(
      said('the SMSC asked us to wait', { status: 0x58, attempts: 20 }),
      'the SMSC asked us to wait, 20 times; the last time with 0x58 ESME_RTHROTTLED: we send more in a second than the account may',
    )
    assert.equal(
      said('receipt: expired 000'),
      'the SMSC tried until its time was over: the handset was off, full or out of reach',
    )
    assert.match(said('receipt: undeliverable 069'), /the network cannot deliver it.*\(error 069 of the network\)$/)
    assert.match(said('no response', { state: 'ambiguous' }), /did not answer: the handset may have it/)
    assert.match(said('no response, twice'), /sent twice/)
    assert.equal(said('the template asks for another text'), 'the template asks for another text')
    assert.equal(said(null, { state: 'expired' }), 'its time was over before it could leave')
    assert.equal(said('x', { state: 'delivered' }), '')
    assert.equal(said(null, { state: 'due' }), '')
  })
})

describe('SMS that are given up', () => {
  const one = (id: string): GivenUpSms => ({
    id,
    kind: 'reminder',
    msisdn: MSISDN,
    line: 'digicel',
    state: 'failed',
    status: 0x0b,
    error: 'refused',
    attempts: 1,
  })

  it('are all counted, each told once, and no more lines are written than anybody reads', () => {
    const { lines, counted, ...parts } = heard()
    const clock = fakeClock()
    const tell = tellGivenUp({ ...parts, clock })
    tell(one('1'))
    tell(one('1'))
    assert.equal(lines.length, 1)
    assert.deepEqual(counted, ['sms_given_up_total digicel refused'])
    clock.set(60_001)
    tell(one('1'))
    assert.equal(lines.length, 2, 'an operator had it sent again, and it failed again')
    for (let id = 2; id < 500; id++) tell(one(String(id)))
    assert.equal(lines.length, 1 + GIVEN_UP_LINES.burst)
    assert.equal(counted.filter((name) => name.startsWith('sms_given_up_total')).length, 500)
    assert.equal(counted.filter((name) => name === 'limits_total sms_given_up_lines').length, 500 - lines.length)
  })
})

describeBoth('an SMS that nobody gets', (database) => {
  async function stage(answer: () => SmsOutcome) {
    const clock = fakeClock(START)
    const scene = await outboxFixture(database.db, clock)
    const { lines, ...parts } = heard()
    const outbox = scene.open(answer, { givenUp: tellGivenUp({ ...parts, clock }) })
    return { clock, scene, outbox, lines, counted: parts.counted }
  }
  const whose = { msisdn: MSISDN, line: 'digicel', kind: 'reminder' }

  it('has a line with its reason: refused for good', async () => {
    const { scene, outbox, lines, counted } = await stage(() => ({ is: 'failed', status: 0x0b }))
    const id = await scene.owe()
    await outbox.tick()
    const [line] = lines
    assert.match(String(line!.reason), /ESME_RINVDSTADR: the subscriber's number is not accepted/)
    assert.deepEqual(
      { ...line, reason: '' },
      { msg: 'SMS given up', sms: id, why: 'refused', ...whose, attempts: 1, status: 0x0b, reason: '' },
    )
    assert.deepEqual(counted, ['sms_given_up_total digicel refused'])
  })

  it('and so has one that got no response twice, that a receipt gave up, and that was too late', async () => {
    const { clock, scene, outbox, lines } = await stage(() => ({ is: 'ambiguous' }))
    await scene.owe()
    for (let n = 0; n < 4; n++) {
      await outbox.tick()
      await clock.advance(100_000)
    }
    assert.deepEqual(
      lines.map(({ why }) => why),
      ['no-response'],
    )

    const taken = await stage(() => ({ is: 'accepted', messageIds: ['A'] }))
    await taken.scene.owe()
    await taken.outbox.tick()
    assert.equal(await taken.outbox.applyReceipt(receipt('A', { state: 'undeliverable', error: '001' })), 'matched')
    assert.equal(await taken.outbox.applyReceipt(receipt('A', { state: 'undeliverable', error: '001' })), 'repeat')
    assert.deepEqual(
      taken.lines.map(({ why, reason }) => [why, reason]),
      [
        [
          'receipt',
          'the network cannot deliver it: the number may not exist, or not take SMS (error 001 of the network)',
        ],
      ],
    )

    const long = await stage(() => ({ is: 'accepted', messageIds: ['B1', 'B2'], line: 'digicel' }))
    await long.scene.owe()
    await long.outbox.tick()
    await long.outbox.applyReceipt(receipt('B2', { state: 'rejected' }))
    assert.deepEqual(
      long.lines.map(({ why }) => why),
      ['receipt'],
    )

    const late = await stage(() => ({ is: 'unsent' }))
    await late.scene.owe({ expires_at: new Date(START - HOUR) })
    await late.outbox.tick()
    assert.deepEqual(
      late.lines.map(({ why }) => why),
      ['expired'],
    )
  })

  it('has one after a refusal that came late, too', async () => {
    const { scene, outbox, lines } = await stage(() => ({ is: 'ambiguous' }))
    const id = await scene.owe()
    await outbox.tick()
    assert.equal(await outbox.late({ id, line: 'digicel' }, { is: 'failed', status: 0x0b }), true)
    assert.deepEqual(
      lines.map(({ why, status }) => [why, status]),
      [['refused', 0x0b]],
    )
  })

  it('was sent twice, and its first receipt comes when it was given up: that is no receipt of a stranger', async () => {
    const { clock, scene, outbox } = await stage(() => ({ is: 'ambiguous' }))
    await scene.owe()
    for (let n = 0; n < 4; n++) {
      await outbox.tick()
      await clock.advance(100_000)
    }
    await outbox.applyReceipt(receipt('77'))
    await outbox.applyReceipt(receipt('78', { from: '67570000009' }))
    await clock.advance(200_000)
    await outbox.orphans.look()
    assert.deepEqual(outbox.orphans.lately(), [{ line: 'digicel', receipts: 1 }])
  })
})

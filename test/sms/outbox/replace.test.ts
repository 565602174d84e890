import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import { smsReplacing, type Replacing } from '../../../src/sms/outbox/replace.ts'
import { smsOfSubscriber } from '../../../src/sms/operator/list.ts'
import type { RecallOutcome, ReplaceOutcome, SmsToReplace } from '../../../src/sms/terms/types.ts'
import { fakeClock, type FakeClock } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'
import { emptyOutbox, MSISDN, START } from './fixture.ts'

describeBoth('another text for an SMS', (database) => {
  let knex: Knex
  let clock: FakeClock
  let asked: (SmsToReplace | string[])[]
  let answer: ReplaceOutcome
  let recalled: RecallOutcome
  let replacing: Replacing
  let counted: string[]

  beforeEach(async () => {
    knex = database.db.knex
    await emptyOutbox(knex)
    clock = fakeClock(START)
    asked = []
    counted = []
    answer = 'replaced'
    recalled = 'gone'
    replacing = smsReplacing({
      sql: database.db.sql,
      clock,
      counters: { count: (name, labels = {}) => void counted.push([name, ...Object.values(labels)].join(' ')) },
      replace: async (sms) => (asked.push(sms), answer),
      recall: async ({ messageIds }) => (asked.push([...messageIds]), recalled),
    })
  })

  async function owed(state: string, parts: string[] = [], more: object = {}): Promise<string> {
    const at = new Date(START - 1_000)
    const [row] = (await knex('sms_outbox')
      .insert({
        subject: 'dental:1',
        kind: 'reminder',
        msisdn: MSISDN,
        line: 'digicel',
        text: 'At ten',
        state,
        due_at: at,
        quiet_zone: 'Pacific/Port_Moresby',
        expires_at: new Date(START + 3_600_000),
        wake_at: at,
        created_at: at,
        submitted_at: parts.length ? at : null,
        parts: Math.max(1, parts.length),
        ...more,
      })
      .returning('id')) as { id: string }[]
    if (parts.length) {
      await knex('sms_part').insert(
        parts.map((message_id, i) => ({
          sms: row!.id,
          part: i + 1,
          line: 'digicel',
          message_id,
          message_key: message_id,
        })),
      )
    }
    return row!.id
  }
  const rows = () =>
    knex('sms_outbox').orderBy('id').select<{ id: string; text: string; state: string }[]>('id', 'text', 'state')
  const told = async () => (await rows()).map(({ text, state }) => `${state}: ${text}`)

  it('stands in the row where nothing has left', async () => {
    assert.equal(await replacing.replace(await owed('due'), 'At eleven'), 'changed')
    assert.deepEqual([await told(), asked], [['due: At eleven'], []])
    assert.deepEqual(counted, ['sms_replaced_total changed'])
  })

  it('waits for one that is going out, or of which parts have left', async () => {
    const leased = await owed('due', [], { lease: 'x', wake_at: new Date(START + 1_000) })
    const begun = await owed('due', ['a'], { subject: 's', parts: 2 })
    const others = [await owed('submitting', [], { subject: 't' }), await owed('ambiguous', [], { subject: 'u' })]
    for (const id of [leased, begun, ...others]) assert.equal(await replacing.replace(id, 'x'), 'busy')
    await clock.advance(2_000)
    assert.equal(await replacing.replace(leased, 'At eleven'), 'changed', 'whoever had it is gone')
    assert.equal(
      (await knex('sms_outbox').where({ id: leased }).first<{ lease: string | null }>()).lease,
      null,
      'or sends it no more',
    )
  })

  it('goes to the SMSC that holds it', async () => {
    assert.equal(await replacing.replace(await owed('accepted', ['a']), 'At eleven'), 'replaced')
    assert.deepEqual(asked, [
      { msisdn: MSISDN, line: 'digicel', messageId: 'a', owner: 'module:dental', before: 'At ten', text: 'At eleven' },
    ])
    assert.deepEqual(await told(), ['accepted: At eleven'])
  })

  it('is a new SMS where the SMSC does not replace, but throws the old one away', async () => {
    answer = 'refused'
    const id = await owed('accepted', ['a'])
    assert.equal(await replacing.replace(id, 'At eleven'), 'sent-anew')
    assert.deepEqual(asked.at(-1), ['a'])
    assert.deepEqual(await told(), ['cancelled: At ten', 'due: At eleven'])
    const [, anew] = await knex('sms_outbox').orderBy('id')
    assert.deepEqual(
      [anew.subject, anew.kind, anew.quiet_zone, anew.parts, +anew.expires_at],
      ['dental:1', 'reminder', 'Pacific/Port_Moresby', 1, START + 3_600_000],
    )
    assert.ok(+anew.due_at <= START)
    assert.equal(await replacing.replace(id, 'x'), 'too-late')
    await knex('sms_outbox').where({ id: anew.id }).update({ state: 'accepted' })
    await knex('sms_part').insert({ sms: anew.id, part: 1, line: 'digicel', message_id: 'b', message_key: 'b' })
    assert.equal(await replacing.replace(anew.id, 'At noon'), 'sent-anew', 'once more')
    assert.equal((await rows()).length, 3)
  })

  it('is a new SMS where it has several parts, or needs another coding: only a text can be replaced', async () => {
    assert.equal(await replacing.replace(await owed('accepted', ['a', 'b']), 'At eleven'), 'sent-anew')
    answer = 'unfit'
    assert.equal(await replacing.replace(await owed('accepted', ['c'], { subject: 's' }), 'В десять'), 'sent-anew')
    assert.deepEqual(
      asked.map((one) => (Array.isArray(one) ? one : one.messageId)),
      [['a', 'b'], 'c', ['c']],
    )
  })

  it('comes too late for what is delivered, failed, or not there for the SMSC to cancel', async () => {
    for (const state of ['delivered', 'failed', 'expired', 'cancelled']) {
      assert.equal(await replacing.replace(await owed(state, ['a'], { subject: state }), 'x'), 'too-late')
    }
    answer = 'refused'
    recalled = 'kept'
    assert.equal(await replacing.replace(await owed('accepted', ['b']), 'x'), 'too-late')
    const half = await owed('accepted', ['c', 'd'], { subject: 'half' })
    await knex('sms_part').where({ sms: half, part: 1 }).update({ state: 'delivered' })
    assert.equal(await replacing.replace(half, 'x'), 'too-late')
    assert.ok((await rows()).every(({ text }) => text === 'At ten'))
  })

  it('says what it does not know or may not do, and has changed nothing then', async () => {
    const id = await owed('accepted', ['a'])
    for (const [is, said] of [
      ['unknown', 'unknown'],
      ['off', 'off'],
      ['unsent', 'busy'],
    ] as const) {
      answer = is
      assert.equal(await replacing.replace(id, 'x'), said)
    }
    answer = 'refused'
    for (const [is, said] of [
      ['unsent', 'busy'],
      ['off', 'off'],
    ] as const) {
      recalled = is
      assert.equal(await replacing.replace(id, 'x'), said)
    }
    assert.equal(await replacing.replace('999', 'x'), 'none')
    assert.deepEqual(await told(), ['accepted: At ten'])
  })

  it('is chosen from a list of the newest, without texts', async () => {
    await owed('due')
    await owed('accepted', ['a'], { subject: 's', sent_line: 'two' })
    await owed('due', [], { subject: 'o', msisdn: '67570000002' })
    const list = await smsOfSubscriber(database.db.sql, MSISDN)
    assert.deepEqual(
      list.map(({ state, line }) => [state, line]),
      [
        ['accepted', 'two'],
        ['due', 'digicel'],
      ],
    )
    assert.doesNotMatch(JSON.stringify(list), /At ten/)
    for (let n = 0; n < 60; n++) await owed('due', [], { subject: `n${n}` })
    assert.equal((await smsOfSubscriber(database.db.sql, MSISDN)).length, 50)
  })
})

import assert from 'node:assert/strict'
import type { Knex } from 'knex'
import { silentLog } from '../../../src/base/log/port.ts'
import { QUERY_REST_MS, smsQueries, type Queries } from '../../../src/sms/outbox/query.ts'
import type { QueryOutcome } from '../../../src/sms/terms/types.ts'
import { fakeClock, type FakeClock } from '../../support/clock.ts'
import { describeBoth } from '../../support/postgres.ts'
import { emptyOutbox, HOUR, START } from './fixture.ts'

const DELIVERED: QueryOutcome = { is: 'said', state: 'delivered', error: '000' }
const ENROUTE: QueryOutcome = { is: 'said', state: 'enroute', error: '000' }

describeBoth('SMS whose receipt is overdue', (database) => {
  let knex: Knex
  let clock: FakeClock
  let asked: string[]
  let answers: Record<string, QueryOutcome>
  let counted: string[]
  let queries: Queries

  beforeEach(async () => {
    knex = database.db.knex
    await emptyOutbox(knex)
    clock = fakeClock(START)
    asked = []
    counted = []
    answers = {}
    queries = open()
  })

  const open = () =>
    smsQueries(
      {
        sql: database.db.sql,
        clock,
        chance: () => 0.5,
        log: silentLog,
        submit: async () => ({ is: 'unsent' }),
        counters: { count: (name, labels = {}) => void counted.push([name, ...Object.values(labels)].join(' ')) },
      },
      async ({ messageId, msisdn, line }) => {
        asked.push(messageId)
        assert.deepEqual([msisdn, line], ['67570000001', 'digicel'])
        return answers[messageId] ?? ENROUTE
      },
    )
  const look = (limit = 10) => queries.look({ line: 'digicel', afterMs: HOUR, limit })

  let serial = 0
  /** An SMS that the SMSC took `agoMs` ago, in so many parts. */
  async function taken(agoMs: number, messageIds: string[], more: object = {}): Promise<string> {
    const at = new Date(clock.now() - agoMs)
    const [row] = (await knex('sms_outbox')
      .insert({
        subject: `s:${++serial}`,
        kind: 'reminder',
        msisdn: '67570000001',
        line: '',
        sent_line: 'digicel',
        text: 't',
        state: 'accepted',
        due_at: at,
        expires_at: new Date(START + 100 * HOUR),
        wake_at: at,
        created_at: at,
        submitted_at: at,
        parts: messageIds.length,
        ...more,
      })
      .returning('id')) as { id: string }[]
    await knex('sms_part').insert(
      messageIds.map((message_id, i) => ({
        sms: row!.id,
        part: i + 1,
        line: 'digicel',
        message_id,
        message_key: message_id,
      })),
    )
    return row!.id
  }
  const row = async (id: string) =>
    (await knex('sms_outbox')
      .where({ id })
      .first<{ state: string; last_error: string | null; settled_at: Date | null }>())!

  it('are settled by what the SMSC answers, as by a receipt', async () => {
    const [gone, lost, waits] = [await taken(HOUR, ['a']), await taken(2 * HOUR, ['b']), await taken(3 * HOUR, ['c'])]
    answers = { a: DELIVERED, b: { is: 'said', state: 'undeliverable', error: '027' } }
    await look()
    assert.deepEqual(asked, ['a', 'b', 'c'])
    assert.equal((await row(gone)).state, 'delivered')
    assert.ok((await row(gone)).settled_at)
    assert.deepEqual([(await row(lost)).state, (await row(lost)).last_error], ['failed', 'receipt: undeliverable 027'])
    assert.equal((await row(waits)).state, 'accepted')
    assert.deepEqual(counted.toSorted(), [
      'sms_queries_total digicel pending',
      'sms_queries_total digicel settled',
      'sms_queries_total digicel settled',
    ])
  })

  it('of several parts are whole when each one is, and only those that nobody knows of are asked for', async () => {
    const id = await taken(HOUR, ['a', 'b', 'c'])
    await knex('sms_part').where({ sms: id, part: 2 }).update({ state: 'delivered' })
    answers = { a: DELIVERED }
    await look()
    assert.deepEqual([asked, (await row(id)).state], [['a', 'c'], 'accepted'])
    await clock.advance(HOUR)
    answers = { c: DELIVERED }
    await look()
    assert.deepEqual([asked.slice(2), (await row(id)).state], [['c'], 'delivered'])
  })

  it('are asked for ever less often, and after three days no more', async () => {
    await taken(0, ['a'])
    const hours: number[] = []
    for (let hour = 1; hour <= 100; hour++) {
      await clock.advance(HOUR)
      const before = asked.length
      await look()
      if (asked.length > before) hours.push(hour)
    }
    assert.deepEqual(hours, [1, 2, 4, 8, 16, 32, 64])
  })

  it('are asked for no sooner, on no other line, not where they are called back, and not more than may be', async () => {
    await taken(HOUR - 1, ['early'])
    await taken(HOUR, ['other'], { sent_line: 'bmobile' })
    await taken(HOUR, ['recalled'], { recall_at: new Date(START) })
    await taken(HOUR, ['done'], { state: 'delivered' })
    await taken(HOUR, [''])
    for (const id of ['1', '2', '3']) await taken(HOUR, [id])
    await look(2)
    assert.deepEqual(asked, ['1', '2'])
    await look(2)
    await look(2)
    assert.deepEqual(asked, ['1', '2', '3'])
  })

  it('are asked for by one of several daemons', async () => {
    for (let n = 0; n < 20; n++) await taken(HOUR, [`m${n}`])
    const daemons = [queries, open(), open()]
    await Promise.all(daemons.map((one) => one.look({ line: 'digicel', afterMs: HOUR, limit: 20 })))
    assert.equal(new Set(asked).size, 20)
    assert.equal(asked.length, 20)
  })

  it('that the SMSC does not know are asked for no more', async () => {
    await taken(HOUR, ['a'])
    answers = { a: { is: 'unknown' } }
    await look()
    await clock.advance(50 * HOUR)
    await look()
    assert.deepEqual(asked, ['a'])
  })

  it('are left alone for an hour where the SMSC does not know the question, and a moment where it is busy', async () => {
    for (const id of ['a', 'b']) await taken(HOUR, [id])
    answers = { a: { is: 'unsupported' } }
    await look()
    await look()
    assert.deepEqual(asked, ['a'])
    await clock.advance(QUERY_REST_MS)
    answers = { a: { is: 'later' } }
    await look()
    assert.deepEqual(asked, ['a', 'a'])
    await clock.advance(5_000)
    answers = {}
    await look()
    assert.deepEqual(asked, ['a', 'a', 'a', 'b'])
  })
})

/**
 * Postgres plans each statement once for each connection: while the outbox is small, as in a daemon that has just
 * started. Then a campaign is put in, and nobody has taken statistics yet.
 */
import assert from 'node:assert/strict'
import { statement, type SqlBindings, type SqlRunner } from '../../../src/base/sql.ts'
import { EARLY_OF, FIND_OTHERS, SETTLE_PARTS, SETTLE_SINGLES } from '../../../src/sms/receipts/rows.ts'
import { AMBIGUOUS, CLAIM, DUE, LOSE, RECALL, EXPIRE, PUT_BEHIND, SETTLE_SMS } from '../../../src/sms/outbox/rows.ts'
import { describeBoth, type Database } from '../../support/postgres.ts'

const SMS = 20_000
const CLAIMED = 25
/** After five runs, a statement keeps its plan. */
const RUNS = 8
/** Rows and index entries that a statement may read: a few for each of those that it is about. */
const READ_MAX = CLAIMED * 20
const NOW = new Date()
const LATER = new Date(NOW.getTime() + 60_000)

const READ = statement<{ read: string }>(
  'test-read',
  `SELECT sum(pg_stat_get_xact_tuples_returned(oid) + pg_stat_get_xact_tuples_fetched(oid)) AS read FROM pg_class
  WHERE oid IN ('sms_outbox'::regclass, 'sms_part'::regclass)
    OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid IN ('sms_outbox'::regclass, 'sms_part'::regclass))`,
)

type Ask = (on: SqlRunner) => Promise<object[]>

const SOME_PARTS = statement<{ sms: string; key: string }>(
  'test-parts',
  `SELECT sms, message_key AS key FROM sms_part WHERE message_key = ANY(CAST(:keys AS text[]))`,
)
const KEYS = Array.from({ length: CLAIMED }, (_, n) => `plan${n + 101}`)

const claim: Ask = (on) =>
  CLAIM(on, {
    now: NOW,
    today: NOW,
    lease: 'a',
    until: LATER,
    wants: '{}',
    other: CLAIMED,
    heads: null,
    quiet: '{}',
    services: '{}',
  })

const ASKED: Record<string, Ask> = {
  'whether anything is due': (on) => DUE(on, { now: NOW, today: NOW }),
  'the next that are due': claim,
  'those that expired': (on) => EXPIRE(on, { now: NOW, today: NOW, limit: CLAIMED }),
  'one subscriber who has many': (on) =>
    PUT_BEHIND(on, {
      crowds: JSON.stringify([{ line: '', kind: 'campaign', msisdn: '67580000001', alone: false }]),
      each: CLAIMED,
      now: NOW,
      until: LATER,
    }),
  'what became of some': async (on) => {
    const rows = await claim(on)
    const settled = rows.map((row) => Number((row as { id: string }).id))
    const result = { lease: 'a', state: 'accepted', wake: LATER, uncounted: 0, lost: 0, final: true }
    return SETTLE_SMS(on, {
      rows: JSON.stringify(settled.map((id) => ({ id, ...result }))),
      settled,
      ids: '[]',
      keys: '[]',
      now: NOW,
    } as unknown as SqlBindings)
  },
  'those without a response': (on) => LOSE(on, { now: NOW, until: LATER }),
  'those to look after': (on) => AMBIGUOUS(on, { now: NOW, limit: CLAIMED }),
  'those to take back': (on) => RECALL(on, { now: NOW, until: LATER, limit: CLAIMED }),
  'receipts that came early': (on) => EARLY_OF(on, { keys: '[{ "sms": 1, "key": "plan1" }]' }),
  'whether an id is one of another form': (on) =>
    FIND_OTHERS(on, { keys: '["plan1", "none"]', from: '67580000001', linesOfSmsc: '["main"]' }),
  'receipts of some in several parts': async (on) => {
    const parts = await SOME_PARTS(on, { keys: `{${KEYS}}` })
    const said = { part: 1, state: 'failed', error: 'x' }
    const receipts = parts.map(({ sms, key }, n) => ({ n, sms, key, ...said }))
    return SETTLE_PARTS(on, { receipts: JSON.stringify(receipts), now: NOW })
  },
  'receipts of some': (on) =>
    SETTLE_SINGLES(on, {
      receipts: JSON.stringify(
        Array.from({ length: CLAIMED }, (_, n) => {
          const [id, sender] = [`plan${n + 1}`, String(67580000001 + n)]
          return { n, key: id, id, line: 'main', sender, state: 'delivered', error: '' }
        }),
      ),
      now: NOW,
    }),
}

/** The server takes no statistics of its own meanwhile. */
const withoutStatistics = ['sms_outbox', 'sms_part'].map(
  (table) => `ALTER TABLE ${table} SET (autovacuum_enabled = off)`,
)

/** How many SMS without parts the outbox had when its statements were planned. */
const BEFORE = { 'was empty': 0, 'knew no message ids': SMS }

for (const [what, held] of Object.entries(BEFORE))
  describeBoth(`an outbox that ${what} when its statements were planned`, (database) => {
    before(async function () {
      this.timeout(60_000)
      const { knex } = database.db
      for (const sql of withoutStatistics) await knex.raw(sql)
      await put(database, 1, 'reminder')
      await put(database, held, 'old', 'accepted')
      await onOne(database, async (on) => {
        for (const ask of Object.values(ASKED)) for (let i = 0; i < RUNS; i++) await ask(on)
      })
      await put(database, SMS, 'campaign')
      await put(database, SMS, 'sent', 'accepted')
      await knex.raw(
        `INSERT INTO sms_part (sms, part, line, message_id, message_key)
      SELECT id, 1, 'main', 'plan' || (CAST(msisdn AS bigint) - 67580000000), 'plan' || (CAST(msisdn AS bigint) - 67580000000)
      FROM sms_outbox WHERE state = 'accepted' AND kind = 'sent'`,
      )
    })

    for (const [what, ask] of Object.entries(ASKED)) {
      it(`and has a campaign since: ${what}, without reading the rest`, async () => {
        const read = await onOne(database, async (on) => {
          const before = await readBy(on)
          await ask(on)
          return (await readBy(on)) - before
        })
        assert.ok(read <= READ_MAX, `${read} rows and entries of ${SMS}`)
      })
    }
  })

/** All on one connection: the pool gives out the one that was returned last, and nobody else asks. */
async function onOne<T>({ db }: Database, run: (on: SqlRunner) => Promise<T>): Promise<T> {
  return db.sql.transaction(run)
}

async function readBy(on: SqlRunner): Promise<number> {
  const [row] = await READ(on, {})
  return Number(row!.read)
}

async function put({ db }: Database, count: number, kind: string, state = 'due'): Promise<void> {
  await db.knex.raw(
    `INSERT INTO sms_outbox (subject, kind, state, parts, submitted_at, msisdn, text, due_at, expires_at, wake_at, created_at)
    SELECT 'plan:' || ? || n, ?, ?, 1, CASE WHEN ? = 'due' THEN NULL ELSE now() END, (67580000000 + n)::text, 'x', now() - interval '1 minute', now() + interval '1 hour',
      now() - interval '1 minute', now() - interval '1 minute' FROM generate_series(1, ?::int) n`,
    [kind, kind, state, state, count],
  )
}

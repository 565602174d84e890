/** What is found of one subscriber is found by index: as Postgres plans it, with partitions, and beside many others. */
import assert from 'node:assert/strict'
import { sqlValues, type SqlRunner } from '../../src/base/sql.ts'
import { rowsOfSubscriber } from '../../src/enquiry/rows.ts'
import { describeBoth, type Database } from '../support/postgres.ts'

const ROWS = 20_000
const NOW = Date.parse('2026-11-30T00:00:00Z')

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  Plans?: PlanNode[]
}

describeBoth('questions about one subscriber', (database) => {
  before(async function () {
    this.timeout(60_000)
    const { knex } = database.db
    for (const day of ['2026-11-20', '2026-11-28', '2026-11-29', '2026-11-30'])
      await knex.raw(
        `CREATE TABLE "cdr_${day}" PARTITION OF cdr FOR VALUES FROM ('${day}') TO (CAST('${day}' AS date) + 1)`,
      )
    await knex.raw(
      `INSERT INTO cdr (day, epoch, kind, opened_at, ended_at, msisdn, line, code, flow, reason, screen, turns, total_ms, wait_ms,
        backend_ms, language, channel, instance, path, parts, detail)
      SELECT CAST(at AS date), 'e' || n, 'dialogue', at, at, (67570000000 + n % 5000)::text, 'l', 'c', 'f@1', 'idle', '', 1, 0, 0, 0, '', 'ussd', 'd', '', 0, ''
      FROM (SELECT n, CAST(? AS timestamptz) - n * interval '8 seconds' AS at FROM generate_series(1, ?::int) n) rows`,
      [new Date(NOW), ROWS],
    )
    await knex.raw(
      `INSERT INTO sms_outbox (subject, kind, state, msisdn, text, due_at, expires_at, wake_at, created_at, submitted_at)
      SELECT 's' || n, 'reminder', 'delivered', (67570000000 + n % 5000)::text, 'x', now(), now(), now(), CAST(? AS timestamptz) - n * interval '8 seconds', now()
      FROM generate_series(1, ?::int) n`,
      [new Date(NOW), ROWS],
    )
    await knex.raw('ANALYZE')
  })

  it('are two statements, and neither reads a table of rows from end to end', async () => {
    const plans = await plansOf(database)
    assert.equal(plans.length, 2)
    const nodes = plans.flatMap(flat)
    const read = nodes.filter((node) => /^(cdr|sms_outbox|sms_part)/.test(node['Relation Name'] ?? ''))
    assert.ok(read.length > 0)
    for (const node of read) assert.notEqual(node['Node Type'], 'Seq Scan', JSON.stringify(node))
    assert.ok(nodes.some((node) => /msisdn/.test(node['Index Name'] ?? '') || node['Index Name'] === 'cdr_of'))
    assert.ok(nodes.some((node) => node['Index Name'] === 'sms_outbox_left'))
    assert.ok(read.some((node) => node['Relation Name'] === 'cdr_2026-11-29'))
    assert.ok(!read.some((node) => node['Relation Name'] === 'cdr_2026-11-20'), 'other days are not looked at')
  })
})

async function plansOf({ db }: Database): Promise<PlanNode[]> {
  const plans: PlanNode[] = []
  const explaining: SqlRunner = {
    async run(prepared, bindings) {
      const values = sqlValues(prepared, bindings)
      let text = prepared.text
      for (const [i, value] of [...values.entries()].toReversed())
        text = text.replaceAll(`$${i + 1}`, () => `'${value instanceof Date ? value.toISOString() : String(value)}'`)
      const { rows } = await db.knex.raw(`EXPLAIN (FORMAT JSON) ${text.replaceAll('?', '\\?')}`)
      plans.push((rows as { 'QUERY PLAN': { Plan: PlanNode }[] }[])[0]!['QUERY PLAN'][0]!.Plan)
      return []
    },
  }
  await rowsOfSubscriber(explaining, { msisdn: '67570000042', sinceMs: NOW - 3_600_000, untilMs: NOW, open: [] })
  return plans
}

function flat(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flat)]
}

/**
 * The days of `cdr` and `cdr_text`: partitions are made ahead, what found none is moved to its day, and old days are dropped. DDL needs
 * locks that a busy table does not give at once: what failed is done in the next round.
 */
import { type Sql, type SqlRunner, sqlState, statement, utcDayOf } from '../base/index.ts'

const DAY_MS = 86_400_000
/** A weekend without any daemon, and a day for daemons in another month. */
const DAYS_AHEAD = 4
/** Days moved in one round: after a clock that was wrong there may be many. */
const MOVES_MAX = 31
/** Rows removed by one statement: some hundredths of a second. */
const ROWS_MAX = 5_000

export type DayTable = 'cdr' | 'cdr_text'

export interface DaysKept {
  /** Default: `cdr`. */
  table?: DayTable
  nowMs: number
  /** How many days are kept. 0: none, not even the present one. */
  days: number
}

export interface DaysDone {
  made: number
  moved: number
  dropped: number
  /** Days that wait for the next round, and why. */
  failed: { day: string; code: string }[]
}

const statementsOf = (table: DayTable) => ({
  partitions: statement<{ name: string }>(
    `${table}-partitions`,
    `
  SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = CAST('${table}' AS regclass) AND c.relname ~ '^${table}_[0-9]{8}$' ORDER BY 1`,
  ),
  stray: statement<{ day: string }>(
    `${table}-stray-days`,
    `SELECT DISTINCT CAST(day AS text) AS day FROM ${table}_default WHERE day >= CAST(:from AS date) ORDER BY 1 LIMIT ${MOVES_MAX}`,
  ),
  forget: statement<{ n: number }>(
    `${table}-forget`,
    `
  WITH gone AS (
    DELETE FROM ${table}_default WHERE ctid IN (
      SELECT ctid FROM ${table}_default WHERE day < CAST(:before AS date) LIMIT ${ROWS_MAX})
    RETURNING 1)
  SELECT CAST(count(*) AS int) AS n FROM gone`,
  ),
})

const STATEMENTS = { cdr: statementsOf('cdr'), cdr_text: statementsOf('cdr_text') }
/** Later than every day. */
const NEVER = '9999-12-31'

/** One round. Rejects only if Postgres is unreachable. Several daemons at once do no harm. */
export async function keepDays(sql: Sql, { table = 'cdr', nowMs, days }: DaysKept): Promise<DaysDone> {
  const done: DaysDone = { made: 0, moved: 0, dropped: 0, failed: [] }
  const { partitions, stray: straying, forget } = STATEMENTS[table]
  const nameOfDay = (day: string) => `${table}_${day.replaceAll('-', '')}`
  const oldest = days === 0 ? NEVER : utcDayOf(nowMs - days * DAY_MS)
  const there = new Set((await partitions(sql, {})).map(({ name }) => name))
  const ahead = Array.from({ length: days === 0 ? 0 : DAYS_AHEAD + 1 }, (_, n) => utcDayOf(nowMs + (n - 1) * DAY_MS))
  const stray = (await straying(sql, { from: oldest })).map(({ day }) => day)
  for (const day of new Set([...ahead, ...stray])) {
    const name = nameOfDay(day)
    if (there.has(name)) continue
    const isStray = stray.includes(day)
    if (await tried(done, day, () => make(sql, { table, name, day, isStray }))) done[isStray ? 'moved' : 'made']++
  }
  for (const name of [...there].filter((one) => one < nameOfDay(oldest)))
    if (await tried(done, name, () => sql.transaction((trx) => run(trx, `DROP TABLE IF EXISTS ${name}`))))
      done.dropped++
  await forget(sql, { before: oldest })
  return done
}

/** Another daemon may just be making it. */
const IS_THERE = new Set(['42P07', '42710', '23505'])

async function tried(done: DaysDone, day: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    const code = sqlState(error)
    if (code === undefined) throw error
    if (!IS_THERE.has(code)) done.failed.push({ day, code })
    return false
  }
}

/** Made beside the table and then attached: that waits for no reader. Rows that came before it are moved with it. */
async function make(
  sql: Sql,
  { table, name, day, isStray }: { table: DayTable; name: string; day: string; isStray: boolean },
): Promise<void> {
  const next = utcDayOf(Date.parse(day) + DAY_MS)
  await sql.transaction(async (trx) => {
    await run(trx, `CREATE TABLE ${name} (LIKE ${table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`)
    if (isStray) {
      await run(
        trx,
        `WITH moved AS (DELETE FROM ${table}_default WHERE day = '${day}' RETURNING *) INSERT INTO ${name} SELECT * FROM moved`,
      )
    }
    await run(trx, `ALTER TABLE ${table} ATTACH PARTITION ${name} FOR VALUES FROM ('${day}') TO ('${next}')`)
  })
}

/** DDL has no parameters: the names and days are ours. */
function run(trx: SqlRunner, sql: string): Promise<object[]> {
  return statement('', sql)(trx, {}) as Promise<object[]>
}

/** Whether Postgres answers and accepts our writes, and what an operator should know about it. */
import { PLANNING, type Postgres } from './connection.ts'

export interface PostgresCheck {
  ok: boolean
  kind: Postgres['kind']
  notes: string[]
}

/** Postgres has this long to answer. */
const PING_MS = 1_000

/** A statement is planned once per connection. Only new statistics bring another plan. */
const AUTOVACUUM_OFF =
  'autovacuum is off: statements stay planned for the size that tables had at first, until each takes seconds. ' +
  'Switch it on, or run VACUUM (ANALYZE) every few minutes'

const READ_ONLY =
  'read-only: this is a standby, or default_transaction_read_only is on; nothing can be booked, no SMS sent'

const NO_LIMIT =
  'statement_timeout is 0, for a pooler such as PgBouncer stands between: a statement may last without an end. Set it ' +
  'by ALTER ROLE … SET statement_timeout; if the pooler is in transaction mode, set postgres.pooler: transaction too'

const JIT =
  'jit is on, for a pooler in transaction mode stands between: where much is due, Postgres compiles statements each ' +
  `time they run. Set ALTER ROLE … SET ${Object.entries(PLANNING)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ')}`

const SETTINGS = `SELECT current_setting('autovacuum') AS autovacuum, current_setting('transaction_read_only') AS read_only,
  current_setting('statement_timeout') AS statement_timeout, current_setting('jit') AS jit`

type Found = Record<'autovacuum' | 'read_only' | 'statement_timeout' | 'jit', string>

export async function checkPostgres({ knex, kind }: Postgres): Promise<PostgresCheck> {
  try {
    const { rows } = await knex.raw<{ rows: Found[] }>(SETTINGS).timeout(PING_MS)
    const notes = rows[0]?.autovacuum === 'off' ? [AUTOVACUUM_OFF] : []
    if (kind === 'server' && rows[0]?.statement_timeout === '0') notes.push(NO_LIMIT)
    if (kind === 'server' && rows[0]?.jit === 'on') notes.push(JIT)
    return rows[0]?.read_only === 'on' ? { ok: false, kind, notes: [READ_ONLY, ...notes] } : { ok: true, kind, notes }
  } catch (error) {
    return { ok: false, kind, notes: [(error as Error).message.slice(0, 200)] }
  }
}

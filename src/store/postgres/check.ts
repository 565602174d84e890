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

/** `settings` have another value than on connections of our own; beside each, that value. */
const plannedOtherwise = (settings: readonly [string, string][]) =>
  `${settings.map(([name]) => name).join(', ')}: not as statements of the daemon need it, for a pooler in transaction ` +
  'mode stands between. Where much is due, Postgres reads whole tables, or compiles a statement each time it runs. Set ' +
  settings.map(([name, value]) => `ALTER ROLE … SET ${name} = ${value}`).join('; ')

const ASKED = ['autovacuum', 'transaction_read_only', 'statement_timeout', ...Object.keys(PLANNING)]
const SETTINGS = `SELECT ${ASKED.map((name) => `current_setting('${name}') AS ${name}`).join(', ')}`

export async function checkPostgres({ knex, kind }: Postgres): Promise<PostgresCheck> {
  try {
    const { rows } = await knex.raw<{ rows: Record<string, string>[] }>(SETTINGS).timeout(PING_MS)
    const set = rows[0]!
    const notes = set.autovacuum === 'off' ? [AUTOVACUUM_OFF] : []
    const others = Object.entries(PLANNING).filter(([name, value]) => set[name] !== value)
    if (kind === 'server' && set.statement_timeout === '0') notes.push(NO_LIMIT)
    if (kind === 'server' && others.length > 0) notes.push(plannedOtherwise(others))
    return set.transaction_read_only === 'on'
      ? { ok: false, kind, notes: [READ_ONLY, ...notes] }
      : { ok: true, kind, notes }
  } catch (error) {
    return { ok: false, kind, notes: [(error as Error).message.slice(0, 200)] }
  }
}

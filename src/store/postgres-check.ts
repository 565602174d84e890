/** Whether Postgres answers, and what an operator should know of it. */
import type { Postgres } from './postgres.ts'

export interface PostgresCheck {
  ok: boolean
  kind: Postgres['kind']
  notes: string[]
}

/** Postgres has this long to answer. */
const PING_MS = 1_000

/** A statement is planned once a connection; only statistics that are taken anew bring another plan. */
const AUTOVACUUM_OFF = 'autovacuum is off: statements stay planned for the size that tables had at first, until each takes seconds. '
  + 'Switch it on, or run VACUUM (ANALYZE) every few minutes'

export async function checkPostgres({ knex, kind }: Postgres): Promise<PostgresCheck> {
  try {
    const { rows } = await knex.raw<{ rows: { autovacuum: string }[] }>('SHOW autovacuum').timeout(PING_MS)
    return { ok: true, kind, notes: rows[0]?.autovacuum === 'off' ? [AUTOVACUUM_OFF] : [] }
  } catch (error) {
    return { ok: false, kind, notes: [(error as Error).message.slice(0, 200)] }
  }
}

/** The SQL model: what each named statement does to the tables. test/simulation holds it against Postgres. */
import { DENTAL_MODEL } from './sql-dental.ts'
import { OUTBOX_MODEL } from './sql-outbox.ts'
import { RECEIPTS_MODEL } from './sql-receipts.ts'
import type { Database } from './tables.ts'

export type Model = Record<string, (database: Database, bindings: Record<string, unknown>) => object[]>

const MODEL: Model = { ...DENTAL_MODEL, ...OUTBOX_MODEL, ...RECEIPTS_MODEL }

/**
 * Runs one statement; `other` is asked before the model. Throws for one that the model does not know: it has to be
 * taught.
 */
export function execute(
  database: Database,
  name: string,
  bindings: Record<string, unknown>,
  other: Model = {},
): object[] {
  const run = other[name] ?? MODEL[name]
  if (!run)
    throw new Error(
      `the SQL model knows no statement '${name}': write it in test/simulation/sql-*.ts, and hold it against Postgres`,
    )
  return run(database, bindings)
}

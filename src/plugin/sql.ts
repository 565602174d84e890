/** The daemon's Postgres as a module sees it: statements and transactions, whatever library runs them. */
import type { SqlBindings } from '../base/index.ts'

export interface SqlOptions {
  /** A name of its own for a statement that runs often: the server plans it once a connection. */
  name?: string
}

/**
 * Runs one statement and answers its rows. Values are `:named` in the text and stand in `bindings`; a CAST says the type
 * where the server cannot tell it. A `?` of the text itself, as in an operator on jsonb, is written `\\?`.
 */
export type SqlPort = <Row = Record<string, unknown>>(
  text: string,
  bindings?: SqlBindings,
  options?: SqlOptions,
) => Promise<Row[]>

export interface ModuleDatabase {
  /** On any connection: a statement is a transaction of its own. */
  sql: SqlPort
  /** All statements of `run` on one connection: committed together when it resolves, none of them if it rejects. */
  transaction<T>(run: (sql: SqlPort) => Promise<T>): Promise<T>
}

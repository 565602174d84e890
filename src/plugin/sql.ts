/** The daemon's Postgres as a module sees it: statements and transactions, whatever library runs them. */
import type { SqlBindings, StatementKind } from '../base/index.ts'

export interface SqlOptions extends StatementKind {
  /** A name of its own for a statement that runs often: the server plans it once per connection. */
  name?: string
}

/**
 * Runs one statement and returns its rows. Values are `:named` in the text and come from `bindings`; a CAST gives the
 * type where the server cannot infer it. A literal `?` in the text, as in a jsonb operator, is written `\\?`.
 */
export type SqlPort = <Row = Record<string, unknown>>(
  text: string,
  bindings?: SqlBindings,
  options?: SqlOptions,
) => Promise<Row[]>

export interface ModuleDatabase {
  /** On any connection: each statement is a transaction of its own. */
  sql: SqlPort
  /**
   * Runs all statements of `run` on one connection: they are committed together when it resolves, or not at all if it
   * rejects.
   */
  transaction<T>(run: (sql: SqlPort) => Promise<T>): Promise<T>
}

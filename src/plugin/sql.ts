/** The daemon's Postgres as a module sees it: statements and transactions, whatever library runs them. */
import type { SqlBindings } from '../base/index.ts'

export interface SqlOptions {
  /** A name of its own for a statement that runs often: the server plans it once per connection. */
  name?: string
  /**
   * It is over at once: it reads or changes a few rows, by an index, and waits for no lock that a transaction holds for
   * long. Outside of a transaction it then shares a connection with others like it: it is sent before they are
   * answered, and they wait for its answer too. Default: false.
   */
  mayShare?: boolean
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

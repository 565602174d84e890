/** Statements that run often: prepared with a name, and repeated if the answer was lost. */
import type { Chance, Clock } from '../ussd/index.ts'

export type SqlBindings = Record<string, string | number | boolean | null | Date | Uint8Array>

/** A statement in the form for the server. */
export interface PreparedStatement {
  /** '' for a statement that is planned each time. */
  readonly name: string
  /** With `$1`, `$2` … in place of `:named` parameters. */
  readonly text: string
  /** The names of `$1`, `$2` … */
  readonly parameters: readonly string[]
  /** See `StatementKind`. */
  readonly mayShare: boolean
}

export interface StatementKind {
  /**
   * It is over at once: it reads or changes a few rows, by an index, and waits for no lock that a transaction holds for
   * long. Outside of a transaction it then shares a connection with others like it: it is sent before they are
   * answered, and they wait for its answer too. Default: false.
   */
  mayShare?: boolean
}

/** Where a statement runs: any connection of the pool, or that of a transaction. */
export interface SqlRunner {
  /** Returns the rows. */
  run(statement: PreparedStatement, bindings: SqlBindings): Promise<object[]>
  /**
   * COPY in the binary format, `into` a table with its columns. Only of a transaction. Absent: PGlite, which has no
   * STDIN.
   */
  copyIn?(into: string, octets: Uint8Array): Promise<void>
}

/** The database. */
export interface Sql extends SqlRunner {
  /**
   * Runs all statements of `run` on one connection: they are committed together when it resolves, or not at all if it
   * rejects. `trx` is valid until then.
   */
  transaction<T>(run: (trx: SqlRunner) => Promise<T>): Promise<T>
}

/**
 * A prepared statement: the server plans it once per connection. `name` must be unique. Parameters are `:named`, and
 * need a CAST if the server cannot infer their type.
 */
export function statement<Row>(
  name: string,
  sql: string,
  kind?: StatementKind,
): (on: SqlRunner, bindings: SqlBindings) => Promise<Row[]> {
  const prepared = prepareSql(name, sql, kind)
  return (on, bindings) => on.run(prepared, bindings) as Promise<Row[]>
}

/** Texts and quoted names have no parameters; `::` is a cast; `\\?` and `\\:` are the plain characters. */
const PARTS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$[\s\S]*?\$\1\$|::|\\[?:]|:([a-z_]\w*)/gi

/** The same with `$1` for `:named`. */
export function prepareSql(name: string, sql: string, { mayShare = false }: StatementKind = {}): PreparedStatement {
  const parameters: string[] = []
  const text = sql.replace(PARTS, (part: string, _tag: unknown, parameter?: string) => {
    if (parameter === undefined) return part.replace(/\\([?:])/g, '$1')
    // Each place gets its own number: the server infers the type of each from its context.
    return `$${parameters.push(parameter)}`
  })
  return { name, text, parameters, mayShare }
}

/** The values in the order of the statement. TypeError if one is missing: pg would send it as NULL. */
export function sqlValues({ name, parameters }: PreparedStatement, bindings: SqlBindings): SqlBindings[string][] {
  return parameters.map((parameter) => {
    const value = bindings[parameter]
    if (value === undefined) throw new TypeError(`SQL statement '${name}': no value for :${parameter}`)
    return value
  })
}

/** Too many statements have waited too long for a connection: nothing was sent. */
export class NoConnection extends Error {
  override name = 'NoConnection'
}

export interface Repeating {
  /** Aborted at the turn's deadline: nothing is repeated after it. */
  signal: AbortSignal
  clock: Clock
  chance: Chance
}

/** The first try and three more. After that, a deadlock or a serialization failure is not chance. */
const TRIES_MAX = 4
const PAUSE_MS = 40

/**
 * Runs something that may run twice (it carries its intention) until it is answered. Repeats after serialization
 * failures, deadlocks, and lost connections, after which a COMMIT may or may not have happened.
 */
export async function repeating<T>(run: () => Promise<T>, { signal, clock, chance }: Repeating): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run()
    } catch (error) {
      if (tries >= TRIES_MAX || signal.aborted || !isWorthRepeating(error)) throw error
      const pauseMs = PAUSE_MS * tries * (0.5 + chance())
      await new Promise<void>((done) => clock.after(pauseMs, done))
      if (signal.aborted) throw error
    }
  }
}

/** SQLSTATE of an error that the server sent; undefined if the server did not send it. */
export function sqlState(error: unknown): string | undefined {
  const { severity, code } = (error ?? {}) as { severity?: unknown; code?: unknown }
  return severity === undefined || typeof code !== 'string' ? undefined : code
}

// 40001 serialization failure, 40P01 deadlock; class 08 and 57P01…3: the connection or the server is closing.
function isWorthRepeating(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return /^(40001|40P01|08...|57P0[123])$/.test(state)
  if (!(error instanceof Error)) return false
  // pg gives most lost connections no code. Every error that is not one of ours is a lost connection.
  return !(
    error instanceof TypeError ||
    error instanceof RangeError ||
    error.name === 'KnexTimeoutError' ||
    error instanceof NoConnection
  )
}

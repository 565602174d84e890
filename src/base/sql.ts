/** Statements that run often: prepared, by name, and repeated when the answer was lost. */
import type { Chance, Clock } from '../ussd/index.ts'

export type SqlBindings = Record<string, string | number | boolean | null | Date | Uint8Array>

/** A statement as the server takes it. */
export interface PreparedStatement {
  /** '' for one that is planned each time. */
  readonly name: string
  /** With `$1`, `$2` … in the place of `:named` ones. */
  readonly text: string
  /** The names of `$1`, `$2` … */
  readonly parameters: readonly string[]
}

/** What a statement runs on: any connection of the pool, or the one of a transaction. */
export interface SqlRunner {
  /** Answers the rows. */
  run(statement: PreparedStatement, bindings: SqlBindings): Promise<object[]>
}

/** The database. */
export interface Sql extends SqlRunner {
  /**
   * All statements of `run` on one connection: committed together when it resolves, none of them if it rejects. What it
   * was given serves until then.
   */
  transaction<T>(run: (trx: SqlRunner) => Promise<T>): Promise<T>
}

/**
 * A prepared statement: the server plans it once a connection. `name` must be unique; parameters are `:named`, and
 * need a CAST where the server cannot tell their type.
 */
export function statement<Row>(name: string, sql: string): (on: SqlRunner, bindings: SqlBindings) => Promise<Row[]> {
  const prepared = prepareSql(name, sql)
  return (on, bindings) => on.run(prepared, bindings) as Promise<Row[]>
}

/** Text and names of others are no parameters; `::` is a cast; `\\?` and `\\:` are the bare signs. */
const PARTS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$[\s\S]*?\$\1\$|::|\\[?:]|:([a-z_]\w*)/gi

/** The same with `$1` for `:named`. */
export function prepareSql(name: string, sql: string): PreparedStatement {
  const parameters: string[] = []
  const text = sql.replace(PARTS, (part: string, _tag: unknown, parameter?: string) => {
    if (parameter === undefined) return part.replace(/\\([?:])/g, '$1')
    // Each place has a number of its own: the server gives each a type by what stands around it.
    return `$${parameters.push(parameter)}`
  })
  return { name, text, parameters }
}

/** In the order of the statement. A TypeError if one is missing: pg would send it as NULL. */
export function sqlValues({ name, parameters }: PreparedStatement, bindings: SqlBindings): SqlBindings[string][] {
  return parameters.map((parameter) => {
    const value = bindings[parameter]
    if (value === undefined) throw new TypeError(`SQL statement '${name}': no value for :${parameter}`)
    return value
  })
}

export interface Repeating {
  /** Aborted at the turn's deadline: nothing is repeated after it. */
  signal: AbortSignal
  clock: Clock
  chance: Chance
}

/** The first try and three more: by then a deadlock or a serialization failure is not chance. */
const TRIES_MAX = 4
const PAUSE_MS = 40

/**
 * Runs something that may be run twice (it carries its intention) until it is answered: serialization failures,
 * deadlocks, and lost connections, after which a COMMIT may or may not have happened.
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

// 40001 serialization failure, 40P01 deadlock; class 08 and 57P01…3: the connection or the server is going away.
function isWorthRepeating(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return /^(40001|40P01|08...|57P0[123])$/.test(state)
  if (!(error instanceof Error)) return false
  // pg gives most lost connections no code; all that is left when ours are taken away is one of these.
  return !(error instanceof TypeError || error instanceof RangeError || error.name === 'KnexTimeoutError')
}

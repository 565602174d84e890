/** Hot statements, off the query builder, and their repetition when the answer was lost. */
import type { Chance, Clock } from '../ussd/index.ts'

export type SqlBindings = Record<string, string | number | boolean | null | Date>

/** What a statement runs on: the pool, or a transaction. Knex is one. */
export interface RawSql {
  raw(text: string, bindings: SqlBindings): { options(options: { name: string }): PromiseLike<{ rows: unknown[] }> }
}

/**
 * A prepared statement: the server plans it once a connection. `name` must be unique; parameters are `:named`, and
 * need a CAST where the server cannot tell their type.
 */
export function statement<Row>(name: string, sql: string): (on: RawSql, bindings: SqlBindings) => Promise<Row[]> {
  return async (on, bindings) => {
    const { rows } = await on.raw(sql, bindings).options({ name })
    return rows as Row[]
  }
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

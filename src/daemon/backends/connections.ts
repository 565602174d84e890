/** What a module may take of the pool: others, such as the SMS lane, want connections too. */
import { abortAfter, NoConnection, semaphore, type Counters, type Sql } from '../../base/index.ts'
import type { Clock } from '../../ussd/index.ts'

export interface ConnectionLimit {
  /** How many statements and transactions have a connection of their own at the same time. */
  max: number
  /** Those that may share a connection are not counted. */
  shares: boolean
  /** How long the others wait for their turn, in order. */
  waitMs: number
  clock: Clock
  counters: Counters
}

/** The same database. What has waited too long rejects with NoConnection, and was not sent. */
export function withConnections(sql: Sql, { max, shares, waitMs, clock, counters }: ConnectionLimit): Sql {
  const places = semaphore(max, Infinity)

  async function entered(): Promise<void> {
    if (places.enterNow()) return
    const { signal, over } = abortAfter(clock, waitMs)
    const how = await places.enter(signal)
    over()
    if (how === 'in') return
    counters.count('limits_total', { limit: 'module-connections' })
    throw new NoConnection(
      `no free connection within ${waitMs} ms: the module's statements have all ${max} (postgres.poolMax)`,
    )
  }

  async function inTurn<T>(run: () => Promise<T>): Promise<T> {
    await entered()
    try {
      return await run()
    } finally {
      places.leave()
    }
  }

  return {
    run(statement, bindings) {
      const ask = () => sql.run(statement, bindings)
      return shares && statement.mayShare ? ask() : inTurn(ask)
    },
    transaction: (run) => inTurn(() => sql.transaction(run)),
  }
}

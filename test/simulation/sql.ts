/** Postgres as the daemons have it, on the model: transactions, and a way there that is like the weather. */
import type { Sql as Postgres, SqlRunner } from '../../src/base/sql.ts'
import type { Chance } from '../../src/ussd/vocabulary.ts'
import type { Host } from './host.ts'
import type { Scheduler } from './scheduler.ts'
import { execute, type Model } from './sql-model.ts'
import { snapshot, type Database, type Tables } from './tables.ts'
import { wire, type Wire } from './wire.ts'

/** statement_timeout and the client's own. */
const TIMEOUT_MS = 2_000

export interface Sql {
  wire: Wire
  /** As one daemon has it. */
  of(host: Host): Postgres
  /** As a hand at the console has it: between transactions, without a way. */
  byHand(run: (tables: Tables) => void): void
}

/** Until the server notices that a client is not there any more. */
const GONE_MS = 300

/** Transactions take turns: stricter than Postgres, which is asked in test/ where two may meet. */
interface Transaction {
  host: Host
  before: Tables
  isOver: boolean
}

export interface SqlDeps {
  scheduler: Scheduler
  chance: Chance
  database: Database
  /** Statements that do something else. */
  model?: Model | undefined
}

export function sql({ scheduler, chance, database, model }: SqlDeps): Sql {
  const way = wire(scheduler, chance, {
    name: 'sql',
    timeoutMs: TIMEOUT_MS,
    isOrdered: false,
    failure: (why) => new Error(why === 'lost' ? 'Connection terminated unexpectedly' : 'connect ECONNREFUSED'),
  })
  const waiting: (() => void)[] = []
  let open: Transaction | null = null

  const letGo = (transaction: Transaction, how: 'commit' | 'rollback'): void => {
    if (transaction.isOver) return
    transaction.isOver = true
    if (how === 'rollback') Object.assign(database.tables, transaction.before)
    if (open === transaction) open = null
    const first = () => (open ? undefined : waiting.shift())
    for (let next = first(); next; next = first()) next()
  }
  /** Waits for a transaction of somebody else's, as for a row lock. */
  const whenFree = <T>(run: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      const go = (): void => {
        try {
          resolve(run())
        } catch (error) {
          reject(error as Error)
        }
      }
      if (open) waiting.push(go)
      else go()
    })
  const begin = (host: Host) =>
    whenFree((): Transaction => {
      const transaction = { host, before: snapshot(database.tables), isOver: false }
      if (host.alive()) open = transaction
      host.onDeath(() => letGo(transaction, 'rollback'))
      return transaction
    })

  const runner = (host: Host, transaction: Transaction | null): SqlRunner => ({
    async run({ name }, bindings) {
      const serve = () => {
        if (transaction?.isOver) throw new Error('Connection terminated unexpectedly')
        return execute(database, name, bindings, model)
      }
      return way.ask(host, name, () => (transaction ? serve() : whenFree(serve)))
    },
  })

  async function transact<T>(host: Host, run: (trx: SqlRunner) => Promise<T>): Promise<T> {
    let held: Transaction | undefined
    let isGone = false
    // The server may begin when nobody is there any more; it sees that a little later.
    const dropIfGone = () =>
      void (held && isGone && scheduler.after(GONE_MS, 'sql gone', () => letGo(held!, 'rollback')))
    try {
      await way.ask(host, 'begin', async () => {
        held = await begin(host)
        dropIfGone()
      })
    } catch (error) {
      isGone = true
      dropIfGone()
      throw error
    }
    const transaction = held!
    try {
      const answer = await run(runner(host, transaction))
      await way.ask(host, 'commit', () => {
        if (transaction.isOver) throw new Error('Connection terminated unexpectedly')
        letGo(transaction, 'commit')
      })
      return answer
    } catch (error) {
      // Where COMMIT was done and only its answer lost, this changes nothing.
      letGo(transaction, 'rollback')
      throw error
    }
  }

  return {
    wire: way,
    of: (host) => ({ ...runner(host, null), transaction: (run) => transact(host, run) }),
    byHand: (run) => void whenFree(() => run(database.tables)),
  }
}

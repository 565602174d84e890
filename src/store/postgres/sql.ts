/**
 * Statements directly through `pg`, on the connections of knex's pool, for what runs with each turn or SMS. The query
 * builder costs more than the statement.
 */
import type { Knex } from 'knex'
import {
  sqlState,
  sqlValues,
  type PreparedStatement,
  type Sql,
  type SqlBindings,
  type SqlRunner,
} from '../../base/index.ts'
import { CopyIn } from './copy.ts'
import { sharedConnections } from './sharing.ts'

interface Answer {
  command: string
  rows: object[]
}

interface Query {
  name?: string
  text: string
  values?: unknown[]
}

/** A connection of the pool: a client of `pg`. */
export interface Connection {
  query(query: Query | CopyIn, done: (error: Error | null, answer: Answer) => void): void
  /** A statement is sent before those before it are answered. Only of a server: PGlite does not know it. */
  pipeline?: boolean
  /** If it is set, the pool drops the connection when it is returned, or requested again. */
  __knex__disposed?: unknown
}

interface Pool {
  acquireConnection(): Promise<Connection>
  releaseConnection(connection: Connection): unknown
}

/**
 * If a connection was waited for so much longer than its limit, our event loop stood still, and one may be free by now.
 * So it is asked for once more: nothing has been sent.
 */
const LOOP_LATE_MS = 100
/** Its own default. */
const KNEX_ACQUIRE_MS = 60_000

async function acquired(pool: Pool, limitMs: number): Promise<Connection> {
  const askedMs = performance.now()
  try {
    return await pool.acquireConnection()
  } catch (error) {
    if (performance.now() - askedMs < limitMs + LOOP_LATE_MS) throw error
    return pool.acquireConnection()
  }
}

/**
 * What is sent behind the first of its name counts on that one being prepared. If it was not (a lock that was waited
 * for too long), the server does not know the name, and nothing was run: it is asked again, alone.
 */
const NOT_PREPARED = '26000'

export interface SqlOn {
  /** False: each statement is planned each time, as a pooler in transaction mode requires. */
  named: boolean
  /** It is a server: it takes COPY, and short statements share connections, unless a pooler stands before it. */
  copies?: boolean
  /** A clock that only runs forwards. */
  nowMs?: () => number
}

export function sqlOn(knex: Knex, { named, copies = false, nowMs = () => performance.now() }: SqlOn): Sql {
  const pool = knex.client as Pool
  const acquireMs = Number(knex.client.config.acquireConnectionTimeout ?? KNEX_ACQUIRE_MS)
  const acquire = () => acquired(pool, acquireMs)
  const release = (connection: Connection) => void pool.releaseConnection(connection)
  const shared = sharedConnections({ acquire, release, nowMs })

  async function connected<T>(run: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await acquire()
    try {
      return await run(connection)
    } finally {
      release(connection)
    }
  }

  const asked: Ask = async (connection, statement, bindings) => {
    const { name, text } = statement
    const values = sqlValues(statement, bindings)
    return (await answered(connection, named && name ? { name, text, values } : { text, values })).rows
  }

  return {
    run(statement, bindings) {
      const ask = (connection: Connection) => asked(connection, statement, bindings)
      if (!named || !copies || !statement.mayShare) return connected(ask)
      return shared(ask).catch((error: unknown) => {
        if (sqlState(error) !== NOT_PREPARED) throw error
        return connected(ask)
      })
    },
    transaction: (run) => connected((connection) => inTransaction(connection, asked, copies, run)),
  }
}

type Ask = (connection: Connection, statement: PreparedStatement, bindings: SqlBindings) => Promise<object[]>

async function inTransaction<T>(
  connection: Connection,
  ask: Ask,
  copies: boolean,
  run: (trx: SqlRunner) => Promise<T>,
): Promise<T> {
  await answered(connection, { text: 'BEGIN' })
  let isOver = false
  // By then another task has the connection.
  const refuseOver = (name: string): void => {
    if (isOver) throw new TypeError(`SQL statement '${name}': its transaction is over`)
  }
  const within: SqlRunner['run'] = async (statement, bindings) => {
    refuseOver(statement.name)
    return ask(connection, statement, bindings)
  }
  const copyIn = async (into: string, octets: Uint8Array) => {
    refuseOver(`COPY ${into}`)
    await answered(connection, new CopyIn(`COPY ${into} FROM STDIN (FORMAT binary)`, octets))
  }
  // A property that is added later makes a kilobyte of each SMS outlive a young collection. (sms-cost.test.ts)
  const trx: SqlRunner = copies ? { run: within, copyIn } : { run: within }
  try {
    const result = await run(trx)
    isOver = true
    await commit(connection)
    return result
  } catch (error) {
    if (!isOver) await rollBack(connection)
    throw error
  } finally {
    isOver = true
  }
}

function answered(connection: Connection, query: Query | CopyIn): Promise<Answer> {
  return new Promise((resolve, reject) => {
    connection.query(query, (error, answer) => (error ? reject(error) : resolve(answer)))
  })
}

/** After a failed statement the server answers a COMMIT with ROLLBACK, and without an error. */
async function commit(connection: Connection): Promise<void> {
  const { command } = await answered(connection, { text: 'COMMIT' })
  if (command === 'COMMIT') return
  const error = new Error('a statement of the transaction failed: nothing of it was committed')
  throw Object.assign(error, { severity: 'ERROR', code: '25P02' })
}

/** If that fails, the connection is dropped: the server rolls back lost connections. */
async function rollBack(connection: Connection): Promise<void> {
  if (connection.__knex__disposed) return
  await answered(connection, { text: 'ROLLBACK' }).catch((error: unknown) => {
    connection.__knex__disposed = error
  })
}

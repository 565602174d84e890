/**
 * What `subscriber show` costs the database beside many other records and SMS: a schema of its own is filled, asked,
 * and dropped. `node --import tsx bench/subscriber.ts --rows 50000000`: some 400 octets of disk a record until it ends.
 */
import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import knexFactory from 'knex'
import { rowsOfDialogue, rowsOfSubscriber } from '../src/enquiry/index.ts'
import { uuidV7 } from '../src/base/ids.ts'
import { migrate } from '../src/store/postgres/migrate.ts'
import { openPostgres } from '../src/store/postgres/connection.ts'
import { DAYS, fillMany, manyAsked, msisdnOfMany, today, told, workedMs } from './many.ts'

const ASKED = 200

const url = process.env.TEST_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const schema = `bench_${randomBytes(5).toString('hex')}`
const admin = knexFactory({ client: 'pg', connection: url, pool: { min: 0, max: 1 } })

/** As a flow with two screens and a call of a back end has them. */
const PATTERN = {
  line: 'operator-a',
  code: '*384#',
  flow: 'topup@9f2c01ab77de',
  reason: 'completed',
  screen: 'done',
  turns: 4,
  path: 'main:1/4>name:*/11>sure:1/3',
  calls: '4.0!wallet.topup=data/240@4310',
}

async function asked(what: string, pid: number, ask: (n: number) => Promise<unknown>): Promise<void> {
  const took: number[] = []
  const beforeMs = workedMs(pid)
  for (let n = 0; n < ASKED; n++) {
    const begun = performance.now()
    await ask(n)
    took.push(performance.now() - begun)
  }
  told(`${what}, of which the server works ${((workedMs(pid) - beforeMs) / ASKED).toFixed(1)} ms`, took)
}

const many = manyAsked()
await admin.raw(`CREATE SCHEMA ${schema}`)
try {
  const db = await openPostgres({ url, searchPath: [schema], poolMax: 1, statementMs: 600_000, queryMs: 600_000 })
  try {
    await migrate(db.knex)
    await fillMany(db.knex, many, PATTERN)
    const { rows: own } = (await db.knex.raw('SELECT pg_backend_pid() AS pid')) as { rows: [{ pid: number }] }
    const { pid } = own[0]
    const now = today + 86_400_000
    for (const days of [1, 7, DAYS])
      await asked(`${days} days of one subscriber`, pid, (n) => {
        const one = msisdnOfMany(many, n * 104_729 + days)
        return rowsOfSubscriber(db.sql, { msisdn: one, sinceMs: now - days * 86_400_000, untilMs: now, open: [] })
      })
    const random = (n: number) => (octets: number) => Buffer.alloc(octets, n)
    await asked('one dialogue by its epoch', pid, (n) =>
      rowsOfDialogue(db.sql, { epoch: uuidV7(today - n * 30_000_000, random(n)), open: [] }),
    )
  } finally {
    await db.close()
  }
} finally {
  await admin.raw(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  await admin.destroy()
}

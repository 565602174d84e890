import assert from 'node:assert/strict'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { statement, type Sql } from '../../../src/base/sql.ts'
import { sqlOn } from '../../../src/store/postgres/sql.ts'
import type { Postgres, ServerSettings } from '../../../src/store/postgres/connection.ts'
import { freshServer } from '../../support/postgres.ts'
import { describeWith, services, until } from '../../support/services.ts'

interface Seen {
  n: number
  pid: number
}

const SEE = 'SELECT CAST(:n AS integer) AS n, pg_backend_pid() AS pid'
const short = statement<Seen>('test-short', SEE, { mayShare: true })
const long = statement<Seen>('test-long', SEE)
const slow = statement<Seen>('test-slow', `${SEE}, pg_sleep(0.05)`, { mayShare: true })
const slower = statement<Seen>('test-slower', `${SEE}, pg_sleep(0.5)`, { mayShare: true })
const slowAlone = statement<Seen>('test-slow-alone', `${SEE}, pg_sleep(0.05)`)
const wrong = statement<Seen>('test-wrong', 'SELECT 1 / CAST(:n AS integer) AS n', { mayShare: true })
const ended = statement('test-ended', 'SELECT pg_terminate_backend(pg_backend_pid())', { mayShare: true })

/** A way to the server that can hold its answers back, and counts the statements that were sent: each ends with a Sync. */
async function heldAnswers() {
  const url = new URL(services.postgresUrl!)
  const [host, port] = [url.hostname, Number(url.port || 5432)]
  const SYNC = Buffer.from([0x53, 0, 0, 0, 4])
  let syncs = 0
  const servers: Socket[] = []
  const proxy = createServer((client) => {
    const server = connect(port, host)
    servers.push(server)
    for (const one of [client, server]) one.on('error', () => undefined)
    client.on('data', (octets: Buffer) => {
      for (let at = octets.indexOf(SYNC); at >= 0; at = octets.indexOf(SYNC, at + 1)) syncs++
      server.write(octets)
    })
    client.on('close', () => server.destroy())
    server.pipe(client)
  })
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
  url.hostname = '127.0.0.1'
  url.port = String((proxy.address() as AddressInfo).port)
  return {
    url: url.toString(),
    syncs: () => syncs,
    hold: () => servers.forEach((server) => server.pause()),
    release: () => servers.forEach((server) => server.resume()),
    close: () => proxy.close(),
  }
}

const pids = (all: Seen[][]) => new Set(all.map(([row]) => row!.pid))

describeWith(['postgres'], 'short statements', () => {
  let db: Postgres
  let nowMs: number

  async function open(settings: Partial<ServerSettings> = {}): Promise<Sql> {
    db = await freshServer(settings)
    nowMs = 0
    return sqlOn(db.knex, { named: true, copies: true, nowMs: () => nowMs })
  }
  afterEach(() => db.close())

  it('share connections, eight on each, and each gets its own answer', async () => {
    const sql = await open()
    const all = (await Promise.all(Array.from({ length: 9 }, (_, n) => slow(sql, { n })))).flat()
    assert.deepEqual(
      all.map(({ n }) => n),
      Array.from({ length: 9 }, (_, n) => n),
    )
    assert.equal(new Set(all.slice(0, 8).map(({ pid }) => pid)).size, 1)
    assert.notEqual(all[8]!.pid, all[0]!.pid)
  })

  it('do so as the daemon opens the database, where no pooler stands between', async () => {
    db = await freshServer()
    const all = await Promise.all(Array.from({ length: 8 }, (_, n) => short(db.sql, { n })))
    assert.equal(pids(all).size, 1)
    await db.close()
    db = await freshServer({ pooler: 'transaction' })
    const pooled = await Promise.all(Array.from({ length: 3 }, (_, n) => slow(db.sql, { n })))
    assert.equal(pids(pooled).size, 3)
  })

  it('share with no other statement, and with no transaction', async () => {
    const sql = await open()
    const shared = Promise.all([slow(sql, { n: 1 }), slow(sql, { n: 2 })])
    const alone = slowAlone(sql, { n: 3 })
    const transaction = sql.transaction((trx) => Promise.all([slow(trx, { n: 4 }), slow(trx, { n: 5 })]))
    const all = [pids(await shared), pids([await alone]), pids(await transaction)]
    assert.deepEqual(
      all.map(({ size }) => size),
      [1, 1, 1],
    )
    assert.equal(new Set(all.flatMap((one) => [...one])).size, 3)
  })

  it('fail alone, before and after the server knows the statement', async () => {
    const sql = await open({ poolMax: 1 })
    for (let round = 0; round < 2; round++) {
      const all = [short(sql, { n: 1 }), wrong(sql, { n: 0 }), short(sql, { n: 2 }), wrong(sql, { n: 1 })]
      const [a, b, c, d] = await Promise.allSettled(all)
      assert.deepEqual(
        [a, c, d].map((one) => one!.status === 'fulfilled' && one!.value[0]!.n),
        [1, 2, 1],
      )
      assert.equal(b!.status === 'rejected' && (b!.reason as { code: string }).code, '22012')
    }
  })

  it('are asked again, alone, behind one of their name that the server could not prepare', async () => {
    const absent = statement('test-absent', 'SELECT 1 FROM absent', { mayShare: true })
    const sql = await open({ poolMax: 1 })
    const outcomes = async () =>
      (await Promise.allSettled([absent(sql, {}), absent(sql, {}), short(sql, { n: 1 })])).map((one) =>
        one.status === 'rejected' ? (one.reason as { code: string }).code : one.status,
      )
    assert.deepEqual(await outcomes(), ['42P01', '42P01', 'fulfilled'])
    await db.knex.raw('CREATE TABLE absent ()')
    assert.deepEqual(await outcomes(), ['fulfilled', 'fulfilled', 'fulfilled'])
  })

  it('join a connection for ten milliseconds: a slow one holds up only what was sent by then', async () => {
    const sql = await open()
    const held = [slower(sql, { n: 1 })]
    nowMs = 9
    held.push(short(sql, { n: 2 }))
    nowMs = 10
    let isHeld = true
    const both = Promise.all(held).finally(() => (isHeld = false))
    const later = pids([await short(sql, { n: 3 })])
    assert.ok(isHeld)
    const first = pids(await both)
    assert.equal(first.size, 1)
    assert.notDeepEqual(first, later)
  })

  it('are sent before those before them are answered', async () => {
    const link = await heldAnswers()
    db = await freshServer({ poolMax: 1, url: link.url })
    const sql = sqlOn(db.knex, { named: true, copies: true })
    await short(sql, { n: 0 })
    const before = link.syncs()
    link.hold()
    const all = Promise.all([short(sql, { n: 1 }), short(sql, { n: 2 }), short(sql, { n: 3 })])
    await until(() => link.syncs() === before + 3, 'the statements were not sent')
    link.release()
    assert.deepEqual(
      (await all).flat().map(({ n }) => n),
      [1, 2, 3],
    )
    await db.close()
    link.close()
  })

  it('keep their connection until the last is answered, and the newest is joined also once an older one is back', async () => {
    const sql = await open({ poolMax: 2 })
    const old = Promise.all([slow(sql, { n: 1 }), short(sql, { n: 2 })])
    nowMs = 10
    const order: string[] = []
    const newest = Promise.all([short(sql, { n: 3 }), slower(sql, { n: 4 })]).finally(() => order.push('newest'))
    await old
    const joined = slow(sql, { n: 5 }).finally(() => order.push('joined'))
    await slowAlone(sql, { n: 6 })
    const both = sql.transaction(() => sql.transaction(async () => order.push('both connections')))
    const [seen, [last]] = await Promise.all([newest, joined])
    assert.deepEqual(new Set([...seen.flat(), last!].map(({ pid }) => pid)).size, 1)
    await both
    assert.deepEqual(order, ['newest', 'joined', 'both connections'])
  })

  it('do not keep the only connection from a transaction, however many come', async () => {
    const sql = await open({ poolMax: 1 })
    const busy = { isOver: false }
    let asked = 0
    const again = async (): Promise<void> => {
      while (!busy.isOver) {
        nowMs++
        await short(sql, { n: ++asked })
      }
    }
    const all = Promise.all([again(), again(), again()])
    await sql.transaction((trx) => long(trx, { n: 0 }))
    busy.isOver = true
    await all
    assert.ok(asked >= 3)
  })

  it('leave a connection as others need it: COPY and statements of the query builder run on it', async () => {
    const sql = await open({ poolMax: 1 })
    await db.knex.raw('CREATE TABLE copied (n integer)')
    await Promise.all([short(sql, { n: 1 }), short(sql, { n: 2 })])
    const header = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex')
    await sql.transaction((trx) => trx.copyIn!('copied (n)', Buffer.concat([header, Buffer.from('ffff', 'hex')])))
    const [known] = await Promise.all([db.knex('copied').select(), short(sql, { n: 3 })])
    assert.deepEqual(known, [])
  })

  it('all fail with a lost connection, and the next have a new one', async () => {
    const sql = await open({ poolMax: 1 })
    const all = await Promise.allSettled([ended(sql, {}), short(sql, { n: 1 }), short(sql, { n: 2 })])
    assert.deepEqual(
      all.map(({ status }) => status),
      ['rejected', 'rejected', 'rejected'],
    )
    assert.deepEqual(
      (await short(sql, { n: 4 })).map(({ n }) => n),
      [4],
    )
  })

  it('are refused together where no connection is free, and work again once one is', async () => {
    const sql = await open({ poolMax: 1, acquireMs: 100 })
    await sql.transaction(async (trx) => {
      await long(trx, { n: 0 })
      const all = await Promise.allSettled([short(sql, { n: 1 }), short(sql, { n: 2 })])
      for (const one of all) assert.equal(one.status === 'rejected' && (one.reason as Error).name, 'KnexTimeoutError')
    })
    assert.equal((await short(sql, { n: 3 }))[0]!.n, 3)
  })
})

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate } from '../../../src/store/postgres/migrate.ts'
import { openPostgres, type Postgres } from '../../../src/store/postgres/connection.ts'
import { dropSchema, makeSchema } from '../../support/postgres.ts'
import { describeWith, services } from '../../support/services.ts'

const WORKER = new URL('../../support/outbox-worker.ts', import.meta.url).pathname
const MSISDN = '67570000001'

describeWith(['postgres'], 'reminders of daemons that are killed', () => {
  let schema: string
  let db: Postgres
  let folder: string
  let file: string

  beforeEach(async () => {
    schema = await makeSchema()
    db = await openPostgres({ url: services.postgresUrl!, searchPath: [schema] })
    await migrate(db.knex)
    folder = mkdtempSync(join(tmpdir(), 'ussd-outbox-'))
    file = join(folder, 'sent')
    writeFileSync(file, '')
  })
  afterEach(async () => {
    await db.close()
    await dropSchema(schema)
    rmSync(folder, { recursive: true })
  })

  async function owe(many: number): Promise<void> {
    const now = Date.now()
    const rows = Array.from({ length: many }, (_, i) => ({
      subject: `s:${i}`,
      kind: 'reminder',
      msisdn: MSISDN,
      text: 't',
      due_at: new Date(now - 1000 + i),
      expires_at: new Date(now + 3_600_000),
      wake_at: new Date(now - 1000),
      created_at: new Date(now),
    }))
    await db.knex('sms_outbox').insert(rows)
  }
  async function work(
    point: 'committed' | 'written' | 'never',
    nth = 0,
    leaseMs = 400,
  ): Promise<NodeJS.Signals | null> {
    const args = ['--import', 'tsx', WORKER, services.postgresUrl!, schema, file, String(leaseMs), point, String(nth)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    assert.ok(code === 0 || signal === 'SIGKILL', `ended with ${code}`)
    return signal
  }
  const sent = () => readFileSync(file, 'utf8').trim().split('\n')
  const states = async () =>
    (await db.knex('sms_outbox').orderBy('id').select('state', 'losses')).map((row) => `${row.state} ${row.losses}`)

  it('are sent once each by four daemons at once', async () => {
    await owe(120)
    await Promise.all([1, 2, 3, 4].map(() => work('never', 0, 30_000)))
    assert.equal(sent().length, 120)
    assert.equal(new Set(sent()).size, 120)
    assert.deepEqual(new Set(await states()), new Set(['accepted 0']))
  })

  it('are sent in the end, and once, when the kill came before the octets', async () => {
    await owe(5)
    assert.equal(await work('committed', 3), 'SIGKILL')
    assert.deepEqual(sent(), ['1', '2'])
    await work('never')
    assert.deepEqual(sent().toSorted(), ['1', '2', '3', '4', '5'])
    assert.deepEqual(await states(), ['accepted 0', 'accepted 0', 'accepted 1', 'accepted 0', 'accepted 0'])
  })

  it('are sent twice at most, and known to be, when the kill came between the octets and the mark', async () => {
    await owe(5)
    assert.equal(await work('written', 3), 'SIGKILL')
    await work('never')
    assert.deepEqual(sent().toSorted(), ['1', '2', '3', '3', '4', '5'])
    assert.deepEqual(await states(), ['accepted 0', 'accepted 0', 'accepted 1', 'accepted 0', 'accepted 0'])
  })

  it('are sent a third time never, however often the kill comes', async () => {
    await owe(1)
    assert.equal(await work('written', 1), 'SIGKILL')
    assert.equal(await work('written', 1), 'SIGKILL')
    await work('written', 1)
    assert.deepEqual(sent(), ['1', '1'])
    assert.deepEqual(await states(), ['failed 2'])
  })
})

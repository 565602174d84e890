import assert from 'node:assert/strict'
import { Refusal, type CallContext } from '../../src/backend/types.ts'
import { openPostgres, type Postgres } from '../../src/store/postgres/connection.ts'
import { migrate } from '../../src/store/postgres/migrate.ts'
import { ownPostgres, type OwnPostgres } from '../campaigns/staging/own-postgres.ts'
import { realClock } from '../support/clock.ts'
import { dentalOn, seedDental } from '../support/dental.ts'
import { describeWith, until } from '../support/services.ts'

const JOHN = '67570000001'
const SAMPLE = Date.parse('2025-05-01T09:00:00+10:00')

describeWith(['postgres'], 'a hold in the dental service', () => {
  let server: OwnPostgres | undefined
  let db: Postgres

  before(async function () {
    this.timeout(60_000)
    server = await ownPostgres({ isVolatile: true }).catch(() => undefined)
    if (!server) this.skip()
    db = await openPostgres({ url: server.url })
    await migrate(db.knex)
    await seedDental(db.sql, { atMs: SAMPLE })
    await server.ask('CREATE TABLE probe ()')
  })
  after(async () => {
    await db?.close()
    await server?.close()
  })

  /** A commit waits for a standby that is not there, as it does for a disk that stands still. */
  async function waitsFor(standby: string): Promise<void> {
    await server!.ask(`ALTER SYSTEM SET synchronous_standby_names = '${standby}'`)
    await server!.ask('SELECT pg_reload_conf()')
  }

  const waiting = async () => {
    const { rows } = await db.knex.raw(`SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
    return (rows as { n: number }[])[0]!.n
  }

  it('does not wait for the disk; a booking does', async () => {
    const { operations } = dentalOn({ sql: db.sql, clock: realClock })
    const call = (operation: string, args: Record<string, string>) => {
      const signal = new AbortController().signal
      const who: CallContext = {
        intention: `e:1:${operation}`,
        epoch: 'e',
        msisdn: JOHN,
        language: 'en',
        line: 'digicel',
        todayMs: SAMPLE,
        signal,
      }
      return operations[operation]!(args, who)
    }
    const { rows } = (await call('slots', { type: 'checkup' })) as { rows: { id: string }[] }
    const slot = rows[0]!.id
    const probes: Promise<void>[] = []
    await waitsFor('nobody')
    try {
      // The server takes its new settings in its own time.
      await until(() => {
        probes.push(server!.ask('INSERT INTO probe DEFAULT VALUES'))
        return waiting().then((n) => n > 0)
      }, 'no commit waits')
      const others = await waiting()
      const booked = call('book', { slot })
      await until(() => waiting().then((n) => n > others), 'the booking does not wait')
      const held = await call('hold', { slot: rows[1]!.id })
      assert.ok(!(held instanceof Refusal))
      assert.ok((await waiting()) > others, 'the booking still waits')
      await waitsFor('')
      assert.ok(!((await booked) instanceof Refusal))
    } finally {
      await waitsFor('')
      await Promise.all(probes)
    }
  })
})

/** What records cost a daemon at rest: statements, counted. */
import assert from 'node:assert/strict'
import { createMetrics } from '../../src/base/metrics.ts'
import { silentLog } from '../../src/base/log/port.ts'
import type { Sql } from '../../src/base/sql.ts'
import { parseSettings } from '../../src/config/load.ts'
import { createRecords, recordingOf } from '../../src/daemon/records/records.ts'
import type { Runtime } from '../../src/daemon/runtime.ts'
import { migrate } from '../../src/store/postgres/migrate.ts'
import type { Postgres } from '../../src/store/postgres/connection.ts'
import { fakeClock, settle } from '../support/clock.ts'
import { freshServer } from '../support/postgres.ts'
import { describeWith, until } from '../support/services.ts'
import { aroundSql } from '../support/sql.ts'

const NEEDED = 'door: { port: 1 }\nservices: [{ code: "*1#", flow: a }]\nredis: embedded\npostgres: embedded\n'

describeWith(['postgres'], 'records of a daemon at rest', () => {
  let db: Postgres
  before(async () => {
    db = await freshServer()
    await migrate(db.knex)
  })
  after(() => db?.close())

  it('ask for SMS every 15 s, and within a second where one has another state', async () => {
    const clock = fakeClock(Date.parse('2026-11-30T12:00:00Z'))
    const { settings } = parseSettings(NEEDED, 'test', {})
    let [asked, waiting] = [0, 0]
    const sql: Sql = aroundSql(db.sql, ({ name }, ask) => {
      if (name === 'cdr-sms') asked++
      waiting++
      return ask().finally(() => waiting--)
    })
    const runtime = { settings, clock, log: silentLog, metrics: createMetrics({ process: false }), name: 'd1' }
    const stores = { sql, dialogues: { records: undefined }, sealer: undefined }
    const records = createRecords(
      runtime as unknown as Runtime,
      { stores, recording: recordingOf(settings, 'd1'), mayRun: () => true } as unknown as Parameters<
        typeof createRecords
      >[1],
    )
    const seconds = async (count: number) => {
      for (let n = 0; n < count; n++) {
        await clock.advance(1_000)
        for (let turns = 0; turns < 20; turns++) await settle()
        // The clock stands still until Postgres has answered: a busy machine would have fewer rounds in a minute.
        await until(() => waiting === 0, 'Postgres does not answer')
        for (let turns = 0; turns < 20; turns++) await settle()
      }
    }
    records.start()
    await seconds(1)
    await until(() => asked === 1, 'not at the start')
    await seconds(60)
    const atRest = asked
    assert.ok(atRest >= 4 && atRest <= 6, `asked ${atRest} times in a minute`)
    records.smsSettled()
    await seconds(2)
    await until(() => asked === atRest + 1, 'not when it was told')
    await records.stop()
  })
})

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../../src/base/log/port.ts'
import { unitsOf, type FileRow } from '../../src/records/file-format.ts'
import { cutFile, type Feed } from '../../src/records/file-rows.ts'
import { createFileTimes, type FileTimes } from '../../src/records/file-times.ts'
import { FILES_LEASE_MS, writeFiles } from '../../src/records/files.ts'
import { writeRecords } from '../../src/records/rows.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'
import { describeBoth } from '../support/postgres.ts'
import { recordAt } from './record.ts'

const NOON = Date.parse('2026-11-30T12:00:00Z')
const EVERY_MS = 300_000
const toFile = () => null
const ACME: Feed = { partner: 'acme', codes: ['*123#'], kinds: ['dialogue'], unit: '20s', format: 'csv' }

describe('billable units', () => {
  const row = { kind: 'dialogue', total_ms: '20001', turns: 3, parts: 0 } as FileRow
  it('are one a session, one for each 20 or 120 seconds that began, one a turn, one for each part of an SMS', () => {
    assert.deepEqual(
      (['session', '20s', '120s', 'step'] as const).map((unit) => unitsOf(row, unit)),
      [1, 2, 1, 3],
    )
    assert.equal(unitsOf({ ...row, total_ms: '20000' }, '20s'), 1)
    assert.equal(unitsOf({ ...row, total_ms: '0', turns: 0 }, '20s'), 1)
    assert.equal(unitsOf({ ...row, total_ms: '120001' }, '120s'), 2)
    assert.equal(unitsOf({ ...row, kind: 'sms', parts: 3 }, 'session'), 3)
  })
})

describeBoth('files of call detail records', (database) => {
  let dir: string
  let clock: FakeClock
  let logged: number
  let times: FileTimes
  const round = (feeds: Feed[] = [ACME], instance = 'd1') =>
    writeFiles({
      sql: database.db.sql,
      feeds,
      dir,
      everyMs: EVERY_MS,
      times,
      instance,
      clock,
      log: silentLog,
      counters: { count: () => void logged++ },
    })
  const names = () => readdirSync(dir).toSorted()
  const linesOf = (name: string) => readFileSync(join(dir, name), 'utf8').split('\n').slice(0, -1)

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'ussd-files-'))
    clock = fakeClock(NOON)
    times = createFileTimes(['acme'], EVERY_MS, clock)
    logged = 0
    for (const table of ['cdr', 'mediation_file', 'mediation_writer']) await database.db.knex(table).delete()
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('have a line for each row of the partner, once, a count and a hash; and come also when empty', async () => {
    await writeRecords(
      database.db.sql,
      [recordAt(NOON, { endedMs: NOON + 20_001 }), recordAt(NOON + 1, { code: '*124#' })],
      toFile,
    )
    assert.equal(await round(), 1)
    assert.deepEqual(names(), ['acme-00000001-20261130T120000Z.csv'])
    const [head, row, end, ...more] = linesOf(names()[0]!)
    assert.deepEqual(more, [])
    assert.match(head!, /^epoch,kind,opened_at/)
    assert.match(row!, /,dialogue,2026-11-30T12:00:00.000Z,.*,67570000001,akiba,\*123#,.*,20001,0,en,ussd,20s,2$/)
    const sha256 = createHash('sha256').update(`${head}\n${row}\n`).digest('hex')
    assert.equal(end, `END,1,${sha256}`)
    assert.equal(await round(), 0, 'not yet')
    await clock.advance(EVERY_MS)
    assert.equal(await round(), 1)
    assert.deepEqual(linesOf('acme-00000002-20261130T120500Z.csv').slice(1)[0]!.split(',').slice(0, 2), ['END', '0'])
  })

  it('are written again, the same, where the daemon died between the cut and the file, or before it said so', async () => {
    await writeRecords(
      database.db.sql,
      [3, 1, 2].map((n) => recordAt(NOON + n)),
      toFile,
    )
    await round()
    const name = names()[0]!
    const whole = readFileSync(join(dir, name), 'utf8')
    await database.db.knex('mediation_file').update({ written_at: null })
    rmSync(join(dir, name))
    writeFileSync(join(dir, `${name}.part`), 'half of i')
    await writeRecords(database.db.sql, [recordAt(NOON + 9)], toFile)
    assert.equal(await round(), 1)
    assert.deepEqual(names(), [name])
    assert.equal(readFileSync(join(dir, name), 'utf8'), whole)
    assert.equal(linesOf(name).length, 5)
  })

  it('are JSON too, and of two partners each has its own rows and numbers', async () => {
    const other: Feed = { ...ACME, partner: 'other', codes: [], format: 'ndjson', unit: 'step' }
    await writeRecords(database.db.sql, [recordAt(NOON), recordAt(NOON + 1, { code: '*124#' })], toFile)
    assert.equal(await round([ACME, other]), 2)
    const [row, end] = linesOf(names()[1]!).map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.deepEqual([row!.code, row!.units, row!.unit], ['*124#', 3, 'step'])
    assert.deepEqual([end!.end, end!.rows], [true, 1])
  })

  it('are written by one daemon, and by another when its lease is over', async () => {
    assert.equal(await round([ACME], 'd1'), 1)
    await database.db.knex('mediation_file').update({ written_at: null })
    assert.equal(await round([ACME], 'd2'), 0)
    const past = database.db.knex.raw(`until - CAST(? AS int) * interval '1 millisecond'`, [FILES_LEASE_MS + 1])
    await database.db.knex('mediation_writer').update({ until: past })
    assert.equal(await round([ACME], 'd2'), 1)
    assert.equal(logged, 2)
  })

  it('have a time for each partner: of the last one, and of the next; of the daemon that writes them', async () => {
    const next = () => times.all().map(({ lastMs, dueMs }) => [lastMs === null ? null : lastMs - NOON, dueMs - NOON])
    await clock.advance(1_000)
    assert.deepEqual(next(), [[null, EVERY_MS]], 'not yet')
    await round()
    assert.deepEqual(next(), [[1_000, EVERY_MS]])
    await clock.advance(EVERY_MS)
    await round()
    assert.deepEqual(next(), [[EVERY_MS + 1_000, 2 * EVERY_MS]])
    times = createFileTimes(['acme'], EVERY_MS, clock)
    await round()
    assert.deepEqual(next(), [[EVERY_MS + 1_000, 2 * EVERY_MS]], 'after a restart')
    await round([ACME], 'd2')
    assert.deepEqual(next(), [])
  })

  it('take no row twice, however often they are cut', async () => {
    await writeRecords(database.db.sql, [recordAt(NOON)], toFile)
    const counts = [await cutFile(database.db.sql, ACME, 1, NOON), await cutFile(database.db.sql, ACME, 2, NOON)]
    assert.deepEqual(counts, [1, 0])
  })
})

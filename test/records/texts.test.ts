import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { TurnTexts } from '../../src/dialogue/exact-texts.ts'
import { keepDays } from '../../src/records/partitions.ts'
import { NO_FILE, writeRecords } from '../../src/records/rows.ts'
import { openTexts, sealTexts, type SealedTexts } from '../../src/records/texts.ts'
import { createSealer, plainSealer, type KeyRing } from '../../src/store/seal.ts'
import { describeBoth } from '../support/postgres.ts'
import { recordAt } from './record.ts'

const NOON = Date.parse('2026-11-30T12:00:00Z')
const DAY_MS = 86_400_000
const TEXTS: TurnTexts[] = [
  [1, null, 'Welcome, John'],
  [2, '15', 'Buy for K15?'],
]
const key = (id: string) => ({ id, secret: randomBytes(32) })
const [NAMES, K1, K2] = [randomBytes(32), key('k1'), key('k2')]
const sealerOf = (...keys: KeyRing['keys'][number][]) =>
  createSealer({ ring: () => ({ names: NAMES, keys, writer: keys[0]! }), random: randomBytes })

describe('exact texts', () => {
  const record = recordAt(NOON, { texts: TEXTS })
  const at = { day: '2026-11-30', epoch: record.epoch, kind: record.kind }
  const sealed = sealTexts(sealerOf(K1), record, at.day)!

  it('open with their key, also after another one writes; not without it, and not in another place', () => {
    assert.deepEqual(openTexts(sealerOf(K1), { ...at, sealed }), TEXTS)
    assert.deepEqual(openTexts(sealerOf(K2, K1), { ...at, sealed }), TEXTS)
    assert.equal(openTexts(sealerOf(K2), { ...at, sealed }), null)
    assert.equal(openTexts(plainSealer, { ...at, sealed }), null)
    for (const other of [{ day: '2026-12-01' }, { epoch: 'e' }, { kind: 'deferred' }])
      assert.equal(openTexts(sealerOf(K1), { ...at, sealed, ...other }), null)
    assert.doesNotMatch(sealed, /John|K15/)
  })

  it('are none of a record that has none', () => {
    assert.equal(sealTexts(sealerOf(K1), recordAt(NOON), at.day), undefined)
  })
})

describeBoth('rows of exact texts', (database) => {
  const sealer = sealerOf(K1)
  const write = (...records: ReturnType<typeof recordAt>[]) =>
    writeRecords(
      database.db.sql,
      records,
      () => NO_FILE,
      (record, day) => sealTexts(sealer, record, day),
    )
  async function rows(): Promise<SealedTexts[]> {
    const day = database.db.knex.raw('CAST(day AS text) AS day')
    return database.db.knex('cdr_text').select('epoch', 'kind', 'sealed', day)
  }
  beforeEach(async () => {
    await database.db.knex('cdr').delete()
    await database.db.knex('cdr_text').delete()
  })

  it('come with their records, once, in the same day; what is erased does not come back with a repeated write', async () => {
    const record = recordAt(NOON, { texts: TEXTS })
    assert.equal((await write(record, record, recordAt(NOON - DAY_MS))).length, 2)
    assert.equal((await write(record)).length, 0)
    const [row, ...more] = await rows()
    assert.deepEqual([row!.day, more.length], ['2026-11-30', 0])
    assert.deepEqual(openTexts(sealer, row!), TEXTS)
    assert.doesNotMatch(JSON.stringify(await database.db.knex('cdr').select()), /John|K15/)
    await database.db.knex('cdr_text').delete()
    await write(record)
    assert.deepEqual(await rows(), [])
  })

  it('are not written where none are wanted, also of records that have them', async () => {
    await writeRecords(database.db.sql, [recordAt(NOON, { texts: TEXTS })], () => NO_FILE)
    assert.deepEqual(await rows(), [])
    assert.equal((await database.db.knex('cdr')).length, 1)
  })

  it('go by days of their own, and all at once where no days are wanted any more', async () => {
    const { sql } = database.db
    const days = (nowMs: number, kept: number) => keepDays(sql, { table: 'cdr_text', nowMs, days: kept })
    await write(...[0, 2, 9].map((ago) => recordAt(NOON - ago * DAY_MS, { texts: TEXTS })))
    assert.deepEqual(await days(NOON, 7), { made: 4, moved: 2, dropped: 0, failed: [] })
    assert.deepEqual((await rows()).map(({ day }) => day).toSorted(), ['2026-11-28', '2026-11-30'])
    assert.equal((await days(NOON + 6 * DAY_MS, 7)).dropped, 1)
    await write(recordAt(NOON - 1, { texts: TEXTS, kind: 'deferred' }))
    assert.deepEqual(await days(NOON, 0), { made: 0, moved: 0, dropped: 10, failed: [] })
    assert.deepEqual(await rows(), [])
    assert.deepEqual(await days(NOON, 0), { made: 0, moved: 0, dropped: 0, failed: [] })
    assert.equal((await database.db.knex('cdr')).length, 4, 'the records stay')
  })
})

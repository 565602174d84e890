import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CallRecord } from '../../src/dialogue/cdr.ts'
import type { RecordShelf } from '../../src/dialogue/types.ts'
import { silentLog } from '../../src/base/log/port.ts'
import type { Feed } from '../../src/records/file-rows.ts'
import { createFileTimes } from '../../src/records/file-times.ts'
import { createOwnFiles, LEFT_MS, OWN_ROWS_MAX, type OwnFilesDeps } from '../../src/records/own-files.ts'
import { readMediation } from '../campaigns/judging/record-sets.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'
import { recordAt } from './record.ts'

const NOON = Date.parse('2026-11-30T12:00:00Z')
const EVERY_MS = 300_000
const ACME: Feed = { partner: 'acme', codes: ['*123#'], kinds: ['dialogue', 'refused'], unit: '20s', format: 'csv' }
const TEXTS: Feed = { partner: 'texts', codes: [], kinds: ['sms'], unit: 'session', format: 'ndjson' }

describe('files of call detail records without a table', () => {
  let dir: string
  let clock: FakeClock
  let kept: Map<string, CallRecord>
  let counted: string[]
  let isDeaf: boolean
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'ussd-own-'))
    clock = fakeClock(NOON)
    kept = new Map()
    counted = []
    isDeaf = false
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  const shelf: RecordShelf = {
    count: async () => kept.size,
    async *pages(limit) {
      const all = [...kept].map(([at, record]) => ({ at, record }))
      for (let from = 0; from < all.length; from += limit) yield all.slice(from, from + limit)
    },
    keep: async () => true,
    replace: async () => undefined,
    async remove(at) {
      if (isDeaf) throw new Error('Redis is away')
      at.forEach((one) => kept.delete(one))
    },
    follow: () => undefined,
  }
  const end = (n: number, more: Partial<CallRecord> = {}) => {
    const record = recordAt(NOON + n, { endedMs: NOON + n + 1_000, ...more })
    kept.set(`${record.epoch}/${record.kind}`, record)
    return record
  }
  const files = () => join(dir, 'out')
  /** A life of a daemon. */
  function life(more: Partial<OwnFilesDeps> = {}) {
    const feeds = more.feeds ?? [ACME]
    return createOwnFiles({
      shelf,
      feeds,
      dir: files(),
      everyMs: EVERY_MS,
      instance: 'd1',
      numbersFile: join(dir, 'data', 'numbers.json'),
      mayTakeOthers: async () => false,
      sms: { rows: async () => [], filed: async () => undefined },
      times: createFileTimes(
        feeds.map(({ partner }) => partner),
        EVERY_MS,
        clock,
      ),
      clock,
      log: silentLog,
      counters: { count: (name, labels) => counted.push(`${name} ${labels?.kind ?? labels?.limit ?? ''}`) },
      ...more,
    })
  }
  const names = () => readdirSync(files()).toSorted()
  const read = () => {
    const { rows, wrong } = readMediation(files())
    assert.deepEqual(wrong, [])
    return rows
  }

  it('come every five minutes, also empty, in the form of the others; then records leave the store', async () => {
    const own = life()
    const [second, first] = [end(2), end(1)]
    await own.round()
    assert.deepEqual(names(), ['acme@d1-00000001-20261130T120000Z.csv'])
    assert.deepEqual(read(), [`dialogue ${first.epoch}`, `dialogue ${second.epoch}`])
    assert.equal(kept.size, 0)
    end(3)
    await own.round()
    assert.deepEqual([names().length, kept.size], [1, 1], 'not yet')
    await clock.advance(EVERY_MS)
    await own.round()
    await clock.advance(EVERY_MS)
    await own.round()
    assert.deepEqual(names().slice(1), [
      'acme@d1-00000002-20261130T120500Z.csv',
      'acme@d1-00000003-20261130T121000Z.csv',
    ])
    assert.equal(read().length, 3)
  })

  it('are for the daemon and its group, in a folder of theirs', async () => {
    await life().round()
    const modes = [files(), join(files(), names()[0]!), join(dir, 'data', 'numbers.json')].map(
      (one) => statSync(one).mode,
    )
    assert.deepEqual(
      modes.map((mode) => mode & 0o027),
      [0, 0, 0],
    )
  })

  it('leave out test dials and what no feed has, which is not kept either', async () => {
    end(1, { channel: 'test' })
    end(2, { code: '*124#' })
    await life().round()
    assert.deepEqual([read(), kept.size], [[], 0])
  })

  it('have what another daemon left when it is old, in those of one daemon', async () => {
    const left = end(1, { instance: 'dead' })
    const own = life({ mayTakeOthers: async () => true })
    const other = life({ instance: 'd2', numbersFile: join(dir, 'd2.json') })
    const unsure = life({
      instance: 'd3',
      numbersFile: join(dir, 'd3.json'),
      mayTakeOthers: () => Promise.reject(new Error('Postgres is away')),
    })
    for (const one of [own, other, unsure]) await one.round()
    assert.deepEqual(read(), [], 'the other daemon may live')
    await clock.advance(2 * EVERY_MS + LEFT_MS)
    for (const one of [other, unsure]) await one.round()
    assert.deepEqual([read(), kept.size], [[], 1])
    await own.round()
    assert.deepEqual([read(), kept.size], [[`dialogue ${left.epoch}`], 0])
  })

  it('have a row twice at most, where the daemon died before the store heard of its file', async () => {
    const record = end(1)
    isDeaf = true
    await assert.rejects(life().round(), /Redis is away/)
    isDeaf = false
    assert.equal(kept.size, 1)
    await clock.advance(EVERY_MS)
    await life().round()
    assert.deepEqual(read(), [`dialogue ${record.epoch}`, `dialogue ${record.epoch}`])
    assert.equal(new Set(read()).size, 1, 'mediation drops the double by its epoch and kind')
    assert.equal(kept.size, 0)
  })

  it('have it once where the daemon lives: it tells the store again', async () => {
    const own = life()
    const record = end(1)
    isDeaf = true
    await assert.rejects(own.round(), /Redis is away/)
    await clock.advance(EVERY_MS)
    await assert.rejects(own.round(), /Redis is away/)
    isDeaf = false
    end(2)
    await own.round()
    assert.equal(read().filter((one) => one === `dialogue ${record.epoch}`).length, 1)
    assert.deepEqual([read().length, kept.size], [2, 0])
  })

  it('are numbered on after a death, at whatever moment, and parts are removed', async () => {
    await life().round()
    await clock.advance(EVERY_MS)
    // Died while it wrote the file, then between its number and its name.
    for (const isNumbered of [false, true]) {
      writeFileSync(join(files(), 'acme@d1-00000002-20261130T120459Z.csv.part'), 'half of i')
      const numbers = join(dir, 'data', 'numbers.json')
      if (isNumbered) writeFileSync(numbers, JSON.stringify({ acme: { seq: 2, cutMs: clock.now() } }))
      else {
        const before = readFileSync(numbers, 'utf8')
        await life().round()
        assert.deepEqual(names(), ['acme@d1-00000001-20261130T120000Z.csv', 'acme@d1-00000002-20261130T120500Z.csv'])
        rmSync(join(files(), names()[1]!))
        writeFileSync(numbers, before)
      }
    }
    await life().round()
    assert.deepEqual(names(), ['acme@d1-00000001-20261130T120000Z.csv', 'acme@d1-00000002-20261130T120500Z.csv'])
  })

  it('go on with their numbers when all files were fetched, and by the files when the numbers are gone', async () => {
    await life().round()
    rmSync(join(files(), names()[0]!))
    await clock.advance(EVERY_MS)
    await life().round()
    assert.deepEqual(names(), ['acme@d1-00000002-20261130T120500Z.csv'])
    rmSync(join(dir, 'data'), { recursive: true })
    await clock.advance(EVERY_MS)
    await life().round()
    assert.deepEqual(names()[1], 'acme@d1-00000003-20261130T121000Z.csv')
    writeFileSync(join(dir, 'data', 'numbers.json'), '{')
    await assert.rejects(life().round(), /numbers\.json .* is not JSON: remove it/)
  })

  it('have dials that were turned away, from memory, before the process ends too; there is room for so many', async () => {
    const own = life()
    await own.round()
    own.put(recordAt(NOON, { kind: 'refused' }))
    own.put(recordAt(NOON, { kind: 'refused', code: '*9#' }))
    await own.last()
    assert.equal(read().length, 1)
    await own.last()
    assert.equal(names().length, 2)
    for (let n = 0; n < 30_001; n++) own.put(recordAt(NOON + n, { kind: 'refused' }))
    assert.deepEqual(
      counted.filter((one) => one.startsWith('limits')),
      ['limits_total records_in_memory_max'],
    )
  })

  it('have SMS, of one daemon, which are marked once they are in a file', async () => {
    const row = { ...recordAt(NOON), id: '7', over_at: 'x', kind: 'sms', code: '', channel: 'sms', parts: 2 }
    const sms = {
      ...row,
      epoch: 'sms-7-1',
      opened_at: new Date(NOON),
      ended_at: new Date(NOON),
      total_ms: '0',
    }
    const filed: string[] = []
    const rows = async (limit: number) => (limit > 0 && filed.length === 0 ? [sms] : [])
    const own = (takes: boolean) =>
      life({
        feeds: [ACME, TEXTS],
        mayTakeOthers: async () => takes,
        sms: { rows, filed: async (all) => void filed.push(...all.map(({ id }) => id)) },
      })
    await own(false).round()
    assert.deepEqual([read(), filed], [[], []])
    await clock.advance(EVERY_MS)
    await own(true).round()
    assert.deepEqual([read(), filed], [['sms sms-7-1'], ['7']])
  })

  it('are several at once where one has no room for all', async () => {
    for (let n = 0; n < OWN_ROWS_MAX + 1; n++) end(n)
    await life().round()
    assert.equal(names().length, 2)
    assert.equal(new Set(read()).size, OWN_ROWS_MAX + 1)
    assert.equal(kept.size, 0)
  })
})

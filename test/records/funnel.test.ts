import assert from 'node:assert/strict'
import type { CallRecord } from '../../src/dialogue/cdr.ts'
import { FUNNEL_ROWS_MAX, forgetFunnel, funnelOf, restOf } from '../../src/records/funnel-rows.ts'
import {
  ANSWERED_WITHIN,
  answeredWithin,
  FINE_DAYS,
  funnelRows,
  piecesOf,
  rangeOfSums,
  screenCounting,
  SCREENS_TOLD_MAX,
  screensTold,
} from '../../src/records/funnel.ts'
import { NO_FILE, writeCounted } from '../../src/records/rows.ts'
import { uuidV7 } from '../../src/base/ids.ts'
import { sqlValues } from '../../src/base/sql.ts'
import { describeBoth } from '../support/postgres.ts'
import { recordAt } from './record.ts'

const NOON = Date.parse('2026-11-30T12:00:00Z')
const [MINUTE_MS, HOUR_MS, DAY_MS] = [60_000, 3_600_000, 86_400_000]
const A = 'dental@9f2c01ab77de'
const B = 'dental@0000000000bb'
const toNone = () => NO_FILE

let serial = 0
/** A dialogue of its own that ended at this moment. */
function ended(endedMs: number, more: Partial<CallRecord> = {}): CallRecord {
  serial++
  const epoch = uuidV7(endedMs - 18_250, (octets) => Buffer.from(String(serial).padStart(octets, '0').slice(-octets)))
  return recordAt(endedMs - 18_250, { epoch, ...more })
}

describe('what a record adds to the funnel', () => {
  const inDay = (...records: CallRecord[]) => funnelRows(records).rows.filter(({ span }) => span === 86_400)

  it('is its dialogue, and each screen once, however often the dialogue came to it', () => {
    const record = ended(NOON, { path: 'main:1/4>name:*/11>main:2/200>note:ack/3', screen: 'main', reason: 'idle' })
    const [whole, main, name, note] = inDay(record)
    assert.deepEqual([whole!.screen, whole!.reached, whole!.ended, whole!.cut], ['', 1, { idle: 1 }, 0])
    assert.deepEqual([main!.screen, main!.reached, main!.place], ['main', 1, 0])
    assert.deepEqual(main!.chosen, { 1: 1, 2: 1 })
    assert.deepEqual(main!.ended, { idle: 1 })
    assert.equal(main!.times[ANSWERED_WITHIN.indexOf(5)], 1, '4 seconds')
    assert.equal(main!.times.at(-1), 1, '200 seconds')
    assert.deepEqual([name!.place, name!.chosen, name!.ended], [1, { '*': 1 }, {}])
    assert.deepEqual(note!.chosen, { ack: 1 })
    assert.equal(
      note!.times.reduce((sum, n) => sum + n, 0),
      0,
      'nobody answered a notification',
    )
  })

  it('is in the five minutes, the hour and the day in which it ended', () => {
    const { rows } = funnelRows([ended(NOON + 7 * MINUTE_MS)])
    assert.deepEqual(
      rows.filter(({ screen }) => screen === '').map(({ span, at }) => [span, at]),
      [
        [300, '2026-11-30T12:05:00.000Z'],
        [3_600, '2026-11-30T12:00:00.000Z'],
        [86_400, '2026-11-30T00:00:00.000Z'],
      ],
    )
  })

  it('is nothing for a test dial, another kind of record, and a dialogue that never got a screen', () => {
    const none = [ended(NOON, { channel: 'test' }), ended(NOON, { kind: 'deferred' }), ended(NOON, { flow: '' })]
    assert.deepEqual(funnelRows(none), { rows: [], folded: 0 })
  })

  it('tells long keys as one, and says how many there were', () => {
    const { rows, folded } = funnelRows([ended(NOON, { path: 'pick:117/4>pick:118/4>pick:11/4' })])
    assert.deepEqual(rows.find(({ screen }) => screen === 'pick')!.chosen, { '+': 2, 11: 1 })
    assert.equal(folded, 2)
  })

  it('has no screens behind a path that was cut, and counts that', () => {
    const [whole] = inDay(ended(NOON, { path: 'main:1/4>+' }))
    assert.equal(whole!.cut, 1)
  })

  it('has no number of a subscriber', () => {
    assert.doesNotMatch(JSON.stringify(funnelRows([ended(NOON)])), /67570000001/)
  })
})

describe('the screens of records, for a metric', () => {
  const told = (...records: CallRecord[]) => screensTold(funnelRows(records).rows)

  it('are told once each, and as left where the flow did not end there', () => {
    assert.deepEqual(
      told(
        ended(NOON, { path: 'main:1/4' }),
        ended(NOON + DAY_MS, { path: '', screen: 'main', reason: 'idle', flow: B }),
        ended(NOON, { path: '', screen: 'main', reason: 'exit' }),
      ),
      [
        { flow: 'dental', screen: 'main', reached: 3, left: 1 },
        { flow: 'dental', screen: 'done', reached: 1, left: 0 },
      ],
    )
  })

  it('are bounded: those over the limit count together, and the limit is counted', () => {
    const counted = new Map<string, number>()
    const count = screenCounting({
      count: (name, labels, by = 1) => {
        const key = [name, ...Object.values(labels ?? {})].join(' ')
        counted.set(key, (counted.get(key) ?? 0) + by)
      },
    })
    const many = Array.from({ length: SCREENS_TOLD_MAX + 2 }, (_, n) => ended(NOON, { path: '', screen: `s${n}` }))
    for (const record of [...many, many[0]!]) count(told(record))
    assert.equal(counted.get('flow_screens_total dental s0 reached'), 2)
    assert.equal(counted.get('flow_screens_total + + reached'), 2)
    assert.equal(counted.get('limits_total funnel_screens_told_max'), 2)
    assert.equal(counted.size, SCREENS_TOLD_MAX + 2)
  })
})

describe('a range of the funnel', () => {
  const told = (sinceMs: number, untilMs: number) =>
    piecesOf({ sinceMs, untilMs }).map(({ span, fromMs, toMs }) => [span, (toMs - fromMs) / (span * 1_000)])

  it('is made of as few sums as can be', () => {
    const midnight = NOON - 12 * HOUR_MS
    assert.deepEqual(told(midnight, midnight + 3 * DAY_MS), [[86_400, 3]])
    assert.deepEqual(told(NOON, NOON + 10 * MINUTE_MS), [[300, 2]])
    assert.deepEqual(told(NOON - 2 * DAY_MS - 5 * MINUTE_MS, NOON + 65 * MINUTE_MS), [
      [300, 1],
      [3_600, 12],
      [86_400, 1],
      [3_600, 13],
      [300, 1],
    ])
    assert.deepEqual(told(NOON, NOON), [])
  })

  it('is whole five minutes, and whole hours where those are gone', () => {
    const old = NOON - (FINE_DAYS + 1) * DAY_MS
    const odd = 61_001
    assert.deepEqual(rangeOfSums({ sinceMs: NOON - odd, untilMs: NOON - 1 }, NOON), {
      sinceMs: NOON - 5 * MINUTE_MS,
      untilMs: NOON,
    })
    assert.deepEqual(rangeOfSums({ sinceMs: old + odd, untilMs: old + 2 * HOUR_MS + odd }, NOON), {
      sinceMs: old,
      untilMs: old + 3 * HOUR_MS,
    })
  })

  it('tells within how many seconds a share answered', () => {
    const times = Array.from({ length: ANSWERED_WITHIN.length + 1 }, () => 0)
    assert.equal(answeredWithin(times, 0.5), null)
    times[2] = 9
    times[4] = 1
    assert.deepEqual([answeredWithin(times, 0.5), answeredWithin(times, 0.9), answeredWithin(times, 1)], [3, 3, 8])
    times[times.length - 1] = 90
    assert.equal(answeredWithin(times, 0.5), null, 'over two minutes')
  })
})

describeBoth('the funnel of a flow', (database) => {
  const range = { sinceMs: NOON - HOUR_MS, untilMs: NOON + HOUR_MS, nowMs: NOON }
  const asked = (more: object = {}) => funnelOf(database.db.sql, { flow: 'dental', ...range, ...more })
  const write = (...records: CallRecord[]) => writeCounted(database.db.sql, records, { fileOf: toNone })
  beforeEach(async () => {
    await database.db.knex('cdr').delete()
    await database.db.knex('flow_funnel').delete()
  })

  it('is empty without dialogues', async () => {
    const { revisions, isCut } = await asked()
    assert.deepEqual([revisions, isCut], [[], false])
  })

  it('tells who came to each screen, who left there and why, how fast, and what was chosen', async () => {
    await write(
      ended(NOON, { path: 'main:1/4>name:*/11' }),
      ended(NOON + 20 * MINUTE_MS, { path: 'main:1/2', screen: 'name', reason: 'idle' }),
    )
    await write(ended(NOON + 20 * MINUTE_MS, { path: 'main:2/2', screen: 'name', reason: 'subscriber-abort' }))
    const { revisions } = await asked()
    const [one] = revisions
    assert.deepEqual(
      [one!.revision, one!.dialogues, one!.ended],
      [A, 3, { completed: 1, idle: 1, 'subscriber-abort': 1 }],
    )
    assert.deepEqual(
      one!.screens.map(({ screen, reached, answered, left, chosen, halfS, mostS }) => [
        screen,
        reached,
        answered,
        left,
        chosen,
        halfS,
        mostS,
      ]),
      [
        ['main', 3, 3, {}, { 1: 2, 2: 1 }, 2, 5],
        ['name', 3, 1, { idle: 1, 'subscriber-abort': 1 }, { '*': 1 }, 12, 12],
        ['done', 1, 0, { completed: 1 }, {}, null, null],
      ],
    )
  })

  it('counts a record once that two daemons write at once, or one of them twice', async () => {
    const records = Array.from({ length: 20 }, (_, n) => ended(NOON + n, { flow: n % 2 ? A : B }))
    const turned = records.toReversed()
    const written = await Promise.all([write(...records), write(...turned), write(...records, ...turned)])
    assert.equal(
      written.reduce((sum, { fresh }) => sum + fresh.length, 0),
      20,
    )
    await write(...records)
    const { revisions } = await asked()
    assert.deepEqual(
      revisions.map(({ dialogues }) => dialogues),
      [10, 10],
    )
    const day = await funnelOf(database.db.sql, { flow: 'dental', ...range, sinceMs: NOON - 2 * DAY_MS })
    assert.deepEqual(day.revisions[0]!.screens, revisions[0]!.screens, 'each width has the same')
  })

  it('has neither a row nor a sum of a record where the sums cannot be written', async () => {
    const { knex, sql } = database.db
    await knex.raw('ALTER TABLE flow_funnel RENAME TO flow_funnel_away')
    await assert.rejects(writeCounted(sql, [ended(NOON)], { fileOf: toNone }))
    await knex.raw('ALTER TABLE flow_funnel_away RENAME TO flow_funnel')
    assert.equal((await knex('cdr')).length, 0)
  })

  it('is of one revision, of one flow, and of its time', async () => {
    await write(
      ended(NOON),
      ended(NOON, { flow: B }),
      ended(NOON, { flow: 'dental-two@9f2c01ab77de' }),
      ended(NOON - 3 * HOUR_MS),
    )
    assert.deepEqual(
      (await asked()).revisions.map(({ revision, dialogues }) => [revision, dialogues]),
      [
        [B, 1],
        [A, 1],
      ],
    )
    assert.deepEqual(
      (await asked({ revision: A })).revisions.map(({ revision }) => revision),
      [A],
    )
  })

  it('puts several revisions together as the rest', async () => {
    await write(ended(NOON, { path: 'main:1/4' }), ended(NOON, { flow: B, path: 'main:1/1>name:2/2', reason: 'idle' }))
    const { revisions } = await asked()
    const rest = restOf('the rest', revisions)
    assert.deepEqual([rest.dialogues, rest.ended], [2, { completed: 1, idle: 1 }])
    const main = rest.screens.find(({ screen }) => screen === 'main')!
    assert.deepEqual([main.reached, main.chosen, main.halfS, main.mostS], [2, { 1: 2 }, 1, 5])
  })

  it('forgets five minutes after two weeks, hours and days as the settings say', async () => {
    await write(ended(NOON), ended(NOON - 20 * DAY_MS), ended(NOON - 500 * DAY_MS))
    assert.equal(await forgetFunnel(database.db.sql, { nowMs: NOON, days: 400 }), 3 * 4 + 4)
    assert.equal(await forgetFunnel(database.db.sql, { nowMs: NOON, days: 400 }), 0)
    const since = (days: number) => asked({ sinceMs: NOON - days * DAY_MS })
    assert.equal((await since(21)).revisions[0]!.dialogues, 2, 'of full hours')
  })

  it('of a thousand screens over a month reads sums by their key, and no record', async function () {
    this.timeout(60_000)
    const { knex, sql } = database.db
    const screens = 1_000
    await knex.raw(
      `INSERT INTO flow_funnel (flow, span, at, revision, screen, reached, place, times, ended, chosen, cut)
      SELECT 'large', 86400, CAST(? AS timestamptz) - d * interval '1 day', 'large@9f2c01ab77de', CASE n WHEN 0 THEN '' ELSE 's' || n END,
        ${screens + 1} - n, 0, '{1,0,0,0,0,0,0,0,0,0,0,0,0}', '{"idle":1}', '{"1":1}', 0
      FROM generate_series(1, 30) d, generate_series(0, ${screens}) n`,
      [new Date(NOON - 12 * HOUR_MS)],
    )
    await knex.raw('ANALYZE flow_funnel')
    const month = {
      flow: 'large',
      sinceMs: NOON - 12 * HOUR_MS - 30 * DAY_MS,
      untilMs: NOON - 12 * HOUR_MS,
      nowMs: NOON,
    }
    let statements = 0
    const counting: typeof sql = {
      ...sql,
      run: (prepared, bindings) => {
        statements++
        assert.doesNotMatch(prepared.text, /\bcdr\b/)
        return sql.run(prepared, bindings)
      },
    }
    const { revisions, isCut } = await funnelOf(counting, month)
    assert.deepEqual([revisions[0]!.screens.length, isCut, statements], [screens, false, 1])
    assert.ok(screens < FUNNEL_ROWS_MAX)
    assert.equal(revisions[0]!.screens[0]!.chosen['1'], 30)
    // An hour of it is looked up piece by piece: not all sums of the flow are read, which are of one width here.
    const plans: string[] = []
    const explaining: typeof sql = {
      ...sql,
      async run(prepared, bindings) {
        const values = sqlValues(prepared, bindings)
        const quoted = (n: number) => (values[n - 1] === null ? 'NULL' : `'${String(values[n - 1])}'`)
        const text = prepared.text.replaceAll(/\$(\d+)/g, (_, n: string) => quoted(Number(n)))
        const { rows } = await knex.raw(`EXPLAIN ${text.replaceAll('?', '\\?')}`)
        plans.push((rows as { 'QUERY PLAN': string }[]).map((row) => row['QUERY PLAN']).join('\n'))
        return []
      },
    }
    await funnelOf(explaining, { ...month, sinceMs: month.untilMs - 65 * MINUTE_MS })
    assert.match(plans.join(), /Index Scan using flow_funnel_\w+ on flow_funnel/)
    assert.match(plans.join(), /Index Cond: .*span.*at >= p\.since/)
    assert.doesNotMatch(plans.join(), /Seq Scan on flow_funnel/)
  })
})

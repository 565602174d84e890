/**
 * R14: reminders in all time zones over five years, around each change of their clocks, and under a wall clock that is
 * set forth and back. The plan is checked against the zone rules of the runtime; the sending is the real outbox on the
 * real Postgres under a clock that the campaign moves.
 */
import { DateTime } from 'luxon'
import type { Knex } from 'knex'
import { silentLog } from '../../../src/base/log/port.ts'
import { smsDispatcher, type SmsDispatcher } from '../../../src/sms/outbox/dispatch.ts'
import { planSms } from '../../../src/sms/outbox/plan.ts'
import { QUIET_HOURS_DEFAULT } from '../../../src/sms/terms/quiet-hours.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import type { Chance } from '../../../src/ussd/vocabulary.ts'
import { FAILURES_MAX, told, type Campaign } from '../judging/outcome.ts'
import { openFixture } from '../staging/fixture.ts'
import { sqlOn } from '../../../src/store/postgres/sql.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const FROM_YEAR = 2025
const YEARS = 5
/**
 * Zones of each kind: none, one and two changes a year, half hours and quarters, both hemispheres, Ramadan, half an
 * hour of DST.
 */
const TWENTY = [
  'Pacific/Port_Moresby',
  'Africa/Lagos',
  'Africa/Nairobi',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Europe/Lisbon',
  'Europe/Kyiv',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Australia/Sydney',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Pacific/Apia',
  'America/New_York',
  'America/Santiago',
  'America/Havana',
  'Asia/Beirut',
  'Africa/El_Aaiun',
  'Antarctica/Troll',
]
const ALL = Intl.supportedValuesOf('timeZone')
/** Local times of appointments: in the gap, in the overlap, at the edges of the quiet hours, and as usual. */
const TIMES = [
  [0, 30],
  [2, 30],
  [7, 0],
  [9, 0],
  [16, 45],
  [23, 0],
] as const
const SIZES = {
  ci: { zones: TWENTY, sentZones: 4, steppedRows: 60 },
  bounded: { zones: TWENTY, sentZones: 20, steppedRows: 300 },
  long: { zones: ALL, sentZones: ALL.length, steppedRows: 3_000 },
}
const LATE_MS_MAX = MINUTE
const LEAD_HOURS = [24, 2]

export const timeCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const size = SIZES[parts.ci ? 'ci' : parts.mode]
  const chance = seededChance(parts.seed)
  const failures: string[] = []
  const planned = size.zones.reduce((sum, zone) => sum + planFor(zone, failures), 0)
  const scene = await openFixture({ seed: parts.seed })
  try {
    const { knex } = scene.stage
    const sent = await sendOverYears(knex, size.zones.slice(0, size.sentZones), chance, failures)
    const stepped = await sendUnderSteps(knex, size.steppedRows, chance, failures)
    return [
      told(parts, startMs, {
        goal: 'R14',
        title: `reminders of ${size.zones.length} zones over ${YEARS} years, and under a clock set forth and back by an hour and a day`,
        passed: failures.length === 0,
        failures: failures.slice(0, FAILURES_MAX),
        figure:
          `${planned} appointments planned, ${sent.rows} reminders sent around ${sent.changes} clock changes, ${stepped.rows} under ${stepped.steps} steps: ` +
          `${failures.length} early, late, quiet, doubled or missing; the latest ${Math.round(sent.latestMs / 1_000)} s after it was due`,
        counts: { zones: size.zones.length, zonesSent: size.sentZones, looks: sent.looks + stepped.looks },
      }),
    ]
  } finally {
    await scene.close()
  }
}

/** The minute of the day there, by the runtime and not by luxon. */
function clockOf(zone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  return (ms) => {
    const [hour = '0', minute = '0'] = format.format(ms).split(':')
    return Number(hour) * 60 + Number(minute)
  }
}

const isQuiet = (minute: number) => minute >= 21 * 60 || minute < 7 * 60

/** Instants at which the offset of the zone changes, to the hour. */
function changesOf(zone: string): number[] {
  const offset = (ms: number) => DateTime.fromMillis(ms, { zone }).offset
  const changes: number[] = []
  const endMs = Date.UTC(FROM_YEAR + YEARS, 0)
  for (let ms = Date.UTC(FROM_YEAR, 0); ms < endMs; ms += DAY) {
    if (offset(ms) === offset(ms + DAY)) continue
    let at = ms
    while (offset(at) === offset(at + HOUR)) at += HOUR
    changes.push(at + HOUR)
  }
  return changes
}

/** Days to look at: each Wednesday, and the days around each change. */
function daysOf(zone: string): number[] {
  const around = changesOf(zone).flatMap((ms) => [-2, -1, 0, 1, 2].map((days) => ms + days * DAY))
  const weekly = Array.from({ length: YEARS * 52 }, (_, week) => Date.UTC(FROM_YEAR, 0, 1 + week * 7))
  return [...weekly, ...around]
}

function appointments(zone: string, days: readonly number[]): number[] {
  return days.flatMap((dayMs) =>
    TIMES.map(([hour, minute]) => DateTime.fromMillis(dayMs, { zone }).startOf('day').set({ hour, minute }).toMillis()),
  )
}

/** How many appointments were planned for; what is wrong with their reminders goes to `failures`. */
function planFor(zone: string, failures: string[]): number {
  const minuteAt = clockOf(zone)
  const starts = appointments(zone, daysOf(zone))
  for (const startsMs of starts) {
    const plan = planned(zone, startsMs)
    const wrong = faultOf(plan, startsMs, minuteAt)
    if (wrong && failures.length < FAILURES_MAX) failures.push(`${zone}, ${new Date(startsMs).toISOString()}: ${wrong}`)
  }
  return starts.length
}

interface Planned {
  dueMs: number
  leavesMs: number
  expiresMs: number
}

/** As the dental sample asks for them. */
function planned(zone: string, startsMs: number): Planned[] {
  const of = new Date(startsMs).toISOString()
  const wishes = LEAD_HOURS.map((hours) => ({ text: 'Reminder', before: { of, by: `${hours}h` } }))
  const how = { nowMs: startsMs - 10 * DAY, zone, quietHours: QUIET_HOURS_DEFAULT }
  return planSms(wishes, how).map(({ dueMs, leavesMs = dueMs, expiresMs }) => ({ dueMs, leavesMs, expiresMs }))
}

function faultOf(plan: readonly Planned[], startsMs: number, minuteAt: (ms: number) => number): string | null {
  if (plan.some(({ leavesMs }) => isQuiet(minuteAt(leavesMs)))) return 'due in quiet hours'
  if (plan.some(({ leavesMs: ms, expiresMs }) => ms >= startsMs || expiresMs > startsMs || expiresMs <= ms))
    return 'of use only after it has begun'
  for (const hours of LEAD_HOURS) {
    const wishedMs = startsMs - hours * HOUR
    if (!isQuiet(minuteAt(wishedMs)) && !plan.some(({ leavesMs }) => leavesMs === wishedMs))
      return `none ${hours} h before, which is not quiet`
    // Quiet hours last ten, eleven where the clock is set back in them; before them five minutes, and half hours to
    // step over a change.
    if (!plan.some(({ leavesMs }) => leavesMs <= wishedMs && leavesMs >= wishedMs - 13 * HOUR))
      return `none in the 13 h before ${hours} h before`
  }
  return null
}

interface Outbox {
  at(ms: number): Promise<void>
  /** By id: the instants, on the clock that the outbox was given. */
  sent: Map<string, number[]>
  looks: number
}

/** The real dispatch; `at` sets its clock and has it look until nothing more is due. */
function outboxUnder(knex: Knex, chance: Chance): Outbox {
  let nowMs = 0
  const clock = { now: () => nowMs, today: () => nowMs, after: () => () => undefined }
  const sent = new Map<string, number[]>()
  const work: SmsDispatcher = smsDispatcher({
    sql: sqlOn(knex, { named: true }),
    clock,
    chance,
    log: silentLog,
    counters: { count: () => undefined },
    settings: { batchMax: 500 },
    async submit({ id }) {
      sent.set(id, [...(sent.get(id) ?? []), nowMs])
      return { is: 'accepted', messageIds: [`m${id}`] }
    },
  })
  const outbox: Outbox = {
    sent,
    looks: 0,
    async at(ms) {
      nowMs = ms
      do outbox.looks++
      while ((await work.tick()) > 0)
    },
  }
  return outbox
}

interface Row {
  id: string
  wake_at: Date
  quiet_zone: string | null
}

async function owe(
  knex: Knex,
  rows: readonly { subject: string; dueMs: number; leavesMs: number; expiresMs: number; zone: string | null }[],
): Promise<Row[]> {
  await knex('sms_outbox').del()
  const created = new Date(Date.UTC(FROM_YEAR - 1, 0))
  await knex.batchInsert(
    'sms_outbox',
    rows.map(({ subject, dueMs, leavesMs, expiresMs, zone }, n) => ({
      subject,
      kind: 'reminder',
      msisdn: String(67570000001 + n),
      line: 'test',
      text: 'Reminder',
      quiet_zone: zone,
      due_at: new Date(dueMs),
      expires_at: new Date(expiresMs),
      wake_at: new Date(leavesMs),
      created_at: created,
    })),
    500,
  )
  return knex('sms_outbox').select('id', 'wake_at', 'quiet_zone').orderBy('wake_at')
}

async function sendOverYears(knex: Knex, zones: readonly string[], chance: Chance, failures: string[]) {
  const changes = zones.reduce((sum, zone) => sum + changesOf(zone).length, 0)
  const rows = await owe(
    knex,
    zones.flatMap((zone) => {
      const days = changesOf(zone).flatMap((ms) => [-1, 0, 1].map((days_) => ms + days_ * DAY))
      const starts = [...new Set(appointments(zone, days.length ? days : [Date.UTC(FROM_YEAR, 5, 1)]))]
      return starts.flatMap((startsMs) =>
        planned(zone, startsMs).map((plan) => ({
          subject: `${zone} ${startsMs}`,
          ...plan,
          zone,
        })),
      )
    }),
  )
  const outbox = outboxUnder(knex, chance)
  let atMs = 0
  for (const dueMs of new Set(rows.map((row) => row.wake_at.getTime()))) {
    // A look just before it, and one within the minute after: as polls fall.
    if (dueMs - 1_000 > atMs) await outbox.at(dueMs - 1_000)
    atMs = Math.max(atMs, dueMs) + Math.floor(chance() * 1_000)
    await outbox.at(atMs)
  }
  let latestMs = 0
  const clocks = new Map(zones.map((zone) => [zone, clockOf(zone)]))
  for (const { id, wake_at: due, quiet_zone: zone } of rows) {
    const times = outbox.sent.get(id) ?? []
    const lateMs = (times[0] ?? Infinity) - due.getTime()
    const quiet = times.length > 0 && isQuiet(clocks.get(zone!)!(times[0]!))
    latestMs = Math.max(latestMs, lateMs)
    if (times.length !== 1 || lateMs < 0 || lateMs > LATE_MS_MAX || quiet) {
      failures.push(
        `${zone}, due ${due.toISOString()}: sent ${times.length} times, ${lateMs} ms after it was due${quiet ? ', in quiet hours' : ''}`,
      )
    }
  }
  return { rows: rows.length, changes, looks: outbox.looks, latestMs }
}

const SPAN_MS = 6 * HOUR
const POLL_MS = MINUTE / 2
const STEPS = [HOUR, -HOUR, -HOUR, HOUR, DAY, -DAY, -DAY, DAY]

/**
 * Each once, never before its time as the clock then says, and within a minute of it unless the clock was set past it.
 */
async function sendUnderSteps(knex: Knex, count: number, chance: Chance, failures: string[]) {
  const startMs = Date.UTC(FROM_YEAR, 4, 1)
  const rows = await owe(
    knex,
    Array.from({ length: count }, (_, n) => {
      const dueMs = startMs + Math.floor(chance() * SPAN_MS)
      return { subject: `steps ${n}`, dueMs, leavesMs: dueMs, expiresMs: dueMs + 3 * DAY, zone: null }
    }),
  )
  const outbox = outboxUnder(knex, chance)
  const looks = Math.ceil((SPAN_MS + DAY / 24) / POLL_MS)
  const stepAt = new Map(STEPS.map((ms, n) => [Math.floor((n + 0.5) * (looks / STEPS.length)), ms]))
  const skipped = new Set<number>()
  let offsetMs = 0
  for (let look = 0; look <= looks; look++) {
    const step = stepAt.get(look) ?? 0
    offsetMs += step
    const nowMs = startMs + look * POLL_MS + offsetMs
    if (step > 0) skipped.add(nowMs)
    await outbox.at(nowMs)
  }
  for (const { id, wake_at: due } of rows) {
    const times = outbox.sent.get(id) ?? []
    const lateMs = (times[0] ?? Infinity) - due.getTime()
    const isInTime = lateMs >= 0 && (lateMs <= LATE_MS_MAX || skipped.has(times[0]!))
    if (times.length !== 1 || !isInTime)
      failures.push(`under steps, due ${due.toISOString()}: sent ${times.length} times, ${lateMs} ms after it was due`)
  }
  return { rows: rows.length, steps: STEPS.length, looks: outbox.looks }
}

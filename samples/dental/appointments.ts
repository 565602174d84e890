/** Booked visits. Each change is one statement, so the change and its SMS are committed together or not at all. */
import {
  preparedSql,
  Refusal,
  sqlState,
  type BackendModule,
  type CallContext,
  type ModuleSms,
  type NewSms,
} from '../../src/plugin/index.ts'
import { LIST_ROWS_MAX, rowId, safely, type DentalDeps, type DentalSettings } from './settings.ts'
import { TYPE_NAME } from './slots.ts'
import { isoAt, smsText, type AppointmentVisit } from './texts.ts'

/** A visit, as the lists and the SMS need it. */
export interface VisitRow {
  id: string
  type: string
  clinic: string
  zone: string
  starts_at: Date
  status: 'booked' | 'cancelled'
}

/** The columns of a visit: appointment `a`, slot `s`, clinic `c`; the type's name in `:language`. */
export const VISIT = `${TYPE_NAME} AS type, c.name AS clinic, c.zone, s.starts_at`

const SLOT = preparedSql<VisitRow>(
  'dental-slot',
  `
  SELECT s.id, ${VISIT} FROM dental_slot s JOIN dental_clinic c ON c.id = s.clinic WHERE s.id = CAST(:slot AS bigint)`,
  { mayShare: true },
)

// The latest ones if there are too many, shown by ascending date.
const LIST = preparedSql<VisitRow>(
  'dental-appointments',
  `
  SELECT * FROM (
    SELECT a.id, a.status, ${VISIT}
    FROM dental_appointment a JOIN dental_slot s ON s.id = a.slot JOIN dental_clinic c ON c.id = s.clinic
    WHERE a.msisdn = :msisdn AND (a.status = 'booked' OR CAST(:cancelled AS boolean))
      AND (s.starts_at > CAST(:today AS timestamptz) OR NOT CAST(:upcoming AS boolean))
    ORDER BY s.starts_at DESC, a.id DESC LIMIT ${LIST_ROWS_MAX}
  ) latest ORDER BY starts_at, id`,
  { mayShare: true },
)

const NEXT = preparedSql<VisitRow>(
  'dental-next',
  `
  SELECT a.id, a.status, ${VISIT}
  FROM dental_appointment a JOIN dental_slot s ON s.id = a.slot JOIN dental_clinic c ON c.id = s.clinic
  WHERE a.msisdn = :msisdn AND a.status = 'booked' AND s.starts_at > CAST(:today AS timestamptz)
  ORDER BY s.starts_at, a.id LIMIT 1`,
  { mayShare: true },
)

const CONFIRM = preparedSql<{ id: string }>(
  'dental-confirm-visit',
  `
  UPDATE dental_appointment a SET confirmed_at = COALESCE(a.confirmed_at, CAST(:now AS timestamptz))
  FROM dental_slot s
  WHERE s.id = a.slot AND a.id = CAST(:appointment AS bigint) AND a.msisdn = :msisdn
    AND a.status = 'booked' AND s.starts_at > CAST(:today AS timestamptz)
  RETURNING a.id`,
  { mayShare: true },
)

// ON CONFLICT without a target: the intention or the slot, whichever index reports it.
const bookVisit = (sms: ModuleSms) =>
  preparedSql<{ id: string }>(
    'dental-book',
    `
  WITH booked AS (
    INSERT INTO dental_appointment (msisdn, slot, intention, booked_at)
    SELECT CAST(:msisdn AS text), s.id, CAST(:intention AS text), CAST(:now AS timestamptz)
    FROM dental_slot s
    WHERE s.id = CAST(:slot AS bigint) AND s.starts_at > CAST(:today AS timestamptz)
      AND NOT EXISTS (SELECT FROM dental_hold h
        WHERE h.slot = s.id AND h.msisdn <> :msisdn AND h.expires_at > CAST(:now AS timestamptz))
    ON CONFLICT DO NOTHING
    RETURNING id, msisdn, slot
  ), let_go AS (
    DELETE FROM dental_hold WHERE slot IN (SELECT slot FROM booked)
  ), owner AS (
    SELECT 'dental:' || id AS subject, msisdn, CAST(:line AS text) AS line FROM booked
  ), owed AS (${sms.insertSql})
  SELECT id FROM booked`,
    { mayShare: true },
  )

const BOOKED_BEFORE = preparedSql<VisitRow>(
  'dental-booked-before',
  `
  SELECT a.id, ${VISIT}
  FROM dental_appointment a JOIN dental_slot s ON s.id = a.slot JOIN dental_clinic c ON c.id = s.clinic
  WHERE a.intention = :intention AND a.msisdn = :msisdn`,
  { mayShare: true },
)

/** Cancels a booked visit that is to come, and its SMS that were not sent. */
export const cancelVisit = (sms: ModuleSms) =>
  preparedSql<{ id: string }>(
    'dental-cancel',
    `
  WITH cancelled AS (
    UPDATE dental_appointment a
    SET status = 'cancelled', cancel_intention = CAST(:intention AS text), cancelled_at = CAST(:now AS timestamptz)
    FROM dental_slot s
    WHERE s.id = a.slot AND a.id = CAST(:appointment AS bigint) AND a.msisdn = :msisdn
      AND a.status = 'booked' AND s.starts_at > CAST(:today AS timestamptz)
    RETURNING a.id
  ), gone AS (
    SELECT 'dental:' || id AS subject FROM cancelled
  ), dropped AS (${sms.cancelSql})
  SELECT id FROM cancelled`,
    { mayShare: true },
  )

/** Whether this intention has cancelled it already. */
export const CANCELLED_BEFORE = preparedSql<{ id: string }>(
  'dental-cancelled-before',
  `
  SELECT id FROM dental_appointment
  WHERE id = CAST(:appointment AS bigint) AND msisdn = :msisdn AND cancel_intention = :intention`,
  { mayShare: true },
)

const FOREIGN_KEY_VIOLATION = '23503'

/** Operations `appointments`, `next`, `book`, `confirm` and `cancel`. */
export function appointments(deps: DentalDeps): BackendModule['operations'] {
  const { sql, clock, settings } = deps
  const [book, cancel] = [bookVisit(deps.sms), cancelVisit(deps.sms)]
  return {
    async appointments(args, context) {
      const { msisdn, language, todayMs } = context
      const upcoming = args.for === 'cancel'
      const cancelled = settings.listCancelled && !upcoming
      const asked = { msisdn, language, today: new Date(todayMs), upcoming, cancelled }
      const rows = await safely(deps, context, () => LIST(sql, asked))
      return { rows: rows.map((row) => ({ ...shown(row), status: statusOf(row, todayMs) })) }
    },

    async book(args, context) {
      const slot = rowId(args, 'slot')
      if (!slot) return new Refusal('slot-taken')
      return safely(deps, context, () => bookOnce(deps, book, slot, context))
    },

    async next(_args, context) {
      const { msisdn, language, todayMs } = context
      const [row] = await safely(deps, context, () => NEXT(sql, { msisdn, language, today: new Date(todayMs) }))
      return row ? { known: true, ...shown(row) } : { known: false }
    },

    async confirm(args, context) {
      const appointment = rowId(args, 'appointment')
      if (!appointment) return new Refusal('not-upcoming')
      const one = { appointment, msisdn: context.msisdn, now: new Date(clock.now()), today: new Date(context.todayMs) }
      const [done] = await safely(deps, context, () => CONFIRM(sql, one))
      return done ? {} : new Refusal('not-upcoming')
    },

    async cancel(args, context) {
      const appointment = rowId(args, 'appointment')
      if (!appointment) return new Refusal('not-upcoming')
      const { msisdn, intention, todayMs } = context
      const one = { appointment, msisdn, intention }
      const moments = { now: new Date(clock.now()), today: new Date(todayMs) }
      return safely(deps, context, async () => {
        const [done] = await cancel(sql, { ...one, ...moments })
        const [before] = done ? [done] : await CANCELLED_BEFORE(sql, one)
        return before ? {} : new Refusal('not-upcoming')
      })
    },
  }
}

async function bookOnce(
  { sql, clock, settings, sms }: DentalDeps,
  book: ReturnType<typeof bookVisit>,
  slot: string,
  context: CallContext,
) {
  const { msisdn, language, intention, line, todayMs } = context
  const [wanted] = await SLOT(sql, { slot, language })
  if (!wanted) return new Refusal('slot-taken')
  const moments = { now: new Date(clock.now()), today: new Date(todayMs) }
  const owed = sms.binding(smsAbout(wanted, context, settings, sms))
  try {
    const [booked] = await book(sql, { msisdn, slot, intention, line, sms: owed, ...moments })
    if (booked) return shown({ ...wanted, id: booked.id })
  } catch (error) {
    if (sqlState(error) === FOREIGN_KEY_VIOLATION) return new Refusal('no-profile')
    throw error
  }
  const [before] = await BOOKED_BEFORE(sql, { intention, msisdn, language })
  return before ? shown(before) : new Refusal('slot-taken')
}

function smsAbout(
  row: VisitRow,
  { todayMs, language }: CallContext,
  settings: DentalSettings,
  sms: ModuleSms,
): NewSms[] {
  const visit: AppointmentVisit = {
    type: row.type,
    clinic: row.clinic,
    startsMs: row.starts_at.getTime(),
    zone: row.zone,
  }
  const say = (kind: 'reminder' | 'confirmation') => smsText(settings.wordings, kind, visit, language)
  const { zone, startsMs } = visit
  const { leads, quietHours } = settings.reminders
  const [of, text] = [isoAt(row.starts_at, zone), say('reminder')]
  const reminders = sms.plan(
    leads.map((by) => ({ kind: 'reminder', key: `reminder-${by}`, text, before: { of, by } })),
    { nowMs: todayMs, zone, quietHours },
  )
  if (!settings.confirmation) return reminders
  // Sent at any hour: it answers what the subscriber did a moment ago.
  const confirmation = { kind: 'confirmation', key: 'confirmation', text: say('confirmation'), quietZone: null }
  return [{ ...confirmation, dueMs: todayMs, expiresMs: startsMs }, ...reminders]
}

function shown(row: VisitRow) {
  return { id: row.id, type: row.type, clinic: row.clinic, at: isoAt(row.starts_at, row.zone) }
}

// Instants compare the same in every zone: a visit is done once its time has come.
function statusOf(row: VisitRow, todayMs: number): 'done' | 'upcoming' | 'cancelled' {
  if (row.status === 'cancelled') return 'cancelled'
  return row.starts_at.getTime() > todayMs ? 'upcoming' : 'done'
}

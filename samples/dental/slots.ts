/** What can be booked: types, free slots, and the hold on the slot that a subscriber is asked about. */
import { preparedSql, Refusal, type BackendModule } from '../../src/plugin/index.ts'
import { LIST_ROWS_MAX, rowId, safely, shortText, type DentalDeps } from './settings.ts'
import { isoAt } from './texts.ts'

/** The name of type `s.type` in `:language`, or else in English, or else its id. */
export const TYPE_NAME = `COALESCE(
  (SELECT name FROM dental_type_name WHERE type = s.type AND language = :language),
  (SELECT name FROM dental_type_name WHERE type = s.type AND language = 'en'), s.type)`

/** No other subscriber holds slot `s`, and it is not booked. */
const FREE = `
  NOT EXISTS (SELECT FROM dental_appointment a WHERE a.slot = s.id AND a.status = 'booked')
  AND NOT EXISTS (SELECT FROM dental_hold h
    WHERE h.slot = s.id AND h.msisdn <> :msisdn AND h.expires_at > CAST(:now AS timestamptz))`

/** The same for type `t`. */
const NAME_OF_TYPE = TYPE_NAME.replaceAll('s.type', 't.id')

const TYPES = preparedSql<{ id: string; name: string }>(
  'dental-types',
  `SELECT t.id, ${NAME_OF_TYPE} AS name
  FROM dental_type t ORDER BY t.position, t.id LIMIT ${LIST_ROWS_MAX}`,
  { mayShare: true },
)

// Due next: the last visit of the type plus its interval. A type that was never visited, or has no interval, keeps its
// place. A statement of its own: with the setting as a value, Postgres would plan for each value, each time. The visits
// of the subscriber are read once, not once for each type.
const TYPES_TAILORED = preparedSql<{ id: string; name: string }>(
  'dental-types-tailored',
  `
  SELECT t.id, ${NAME_OF_TYPE} AS name
  FROM dental_type t LEFT JOIN (
    SELECT s.type, max(s.starts_at) AS last_at
    FROM dental_appointment a JOIN dental_slot s ON s.id = a.slot
    WHERE a.msisdn = :msisdn AND a.status = 'booked' GROUP BY s.type
  ) visit ON visit.type = t.id
  ORDER BY visit.last_at + t.every_days * interval '1 day' NULLS LAST, t.position, t.id LIMIT ${LIST_ROWS_MAX}`,
  { mayShare: true },
)

// With no end in the condition, Postgres supposes a third of all visits, finds that a plan for this day alone is
// cheaper, and plans each time: longer than it then reads.
const slotsBy = (name: string, first: string) =>
  preparedSql<SlotRow>(
    name,
    `
  SELECT s.id, c.name AS clinic, c.zone, s.starts_at
  FROM dental_slot s JOIN dental_clinic c ON c.id = s.clinic
  WHERE s.type = :type AND s.starts_at > CAST(:today AS timestamptz) AND s.starts_at < 'infinity' AND ${FREE}
  ORDER BY ${first} s.starts_at, c.position, s.id LIMIT ${LIST_ROWS_MAX}`,
    { mayShare: true },
  )

const SLOTS = slotsBy('dental-slots', '')
/** The clinic of the last visit comes first. */
const SLOTS_TAILORED = slotsBy(
  'dental-slots-tailored',
  `(s.clinic = (
    SELECT v.clinic FROM dental_appointment a JOIN dental_slot v ON v.id = a.slot
    WHERE a.msisdn = :msisdn AND a.status = 'booked' ORDER BY v.starts_at DESC LIMIT 1
  )) IS TRUE DESC,`,
)

/**
 * The transaction does not wait for the disk. If the power takes the hold, another subscriber may take the slot: a
 * booking looks at it again, and is refused then.
 */
const LAZILY = `set_config('synchronous_commit', 'off', true)`

// By the primary key a subscriber can hold one slot. An expired hold, or the subscriber's own, is taken over.
const HOLD = preparedSql<SlotRow & { type: string }>(
  'dental-hold',
  `
  WITH let_go AS (
    DELETE FROM dental_hold WHERE epoch = :epoch AND slot <> CAST(:slot AS bigint)
  ), held AS (
    INSERT INTO dental_hold (slot, epoch, msisdn, expires_at)
    SELECT s.id, CAST(:epoch AS text), CAST(:msisdn AS text), CAST(:expires AS timestamptz)
    FROM dental_slot s, ${LAZILY}
    WHERE s.id = CAST(:slot AS bigint) AND s.starts_at > CAST(:today AS timestamptz) AND ${FREE}
    ON CONFLICT (slot) DO UPDATE
      SET epoch = excluded.epoch, msisdn = excluded.msisdn, expires_at = excluded.expires_at
      WHERE dental_hold.msisdn = excluded.msisdn OR dental_hold.expires_at <= CAST(:now AS timestamptz)
    RETURNING slot
  )
  SELECT s.id, ${TYPE_NAME} AS type, c.name AS clinic, c.zone, s.starts_at
  FROM held JOIN dental_slot s ON s.id = held.slot JOIN dental_clinic c ON c.id = s.clinic`,
  { mayShare: true },
)

const RELEASE = preparedSql(
  'dental-release',
  `
  DELETE FROM dental_hold WHERE slot = CAST(:slot AS bigint) AND msisdn = :msisdn`,
  { mayShare: true },
)

const RELEASE_ALL = preparedSql('dental-release-all', 'DELETE FROM dental_hold WHERE epoch = :epoch', {
  mayShare: true,
})

interface SlotRow {
  id: string
  clinic: string
  zone: string
  starts_at: Date
}

/** Operations `types`, `slots`, `hold` and `release`. */
export function slots(deps: DentalDeps): BackendModule['operations'] {
  const { sql, clock, settings } = deps
  const now = () => new Date(clock.now())
  return {
    async types(_args, context) {
      const { msisdn, language } = context
      const asked = () => (settings.tailored ? TYPES_TAILORED(sql, { msisdn, language }) : TYPES(sql, { language }))
      return { rows: await safely(deps, context, asked) }
    },

    async slots(args, context) {
      const { msisdn, todayMs } = context
      const [type, today] = [shortText(args, 'type'), new Date(todayMs)]
      const asked = settings.tailored ? SLOTS_TAILORED : SLOTS
      const rows = await safely(deps, context, () => asked(sql, { type, msisdn, today, now: now() }))
      return { rows: rows.map((row) => ({ id: row.id, clinic: row.clinic, at: isoAt(row.starts_at, row.zone) })) }
    },

    async hold(args, context) {
      const slot = rowId(args, 'slot')
      if (!slot) return new Refusal('slot-taken')
      const { epoch, msisdn, language, todayMs } = context
      const [row] = await safely(deps, context, () => {
        const [today, expires] = [new Date(todayMs), new Date(clock.now() + settings.holdMs)]
        return HOLD(sql, { slot, epoch, msisdn, language, today, now: now(), expires })
      })
      if (!row) return new Refusal('slot-taken')
      return { slot, type: row.type, clinic: row.clinic, at: isoAt(row.starts_at, row.zone) }
    },

    async release(args, context) {
      const slot = rowId(args, 'slot')
      if (slot) await safely(deps, context, () => RELEASE(sql, { slot, msisdn: context.msisdn }))
      return {}
    },
  }
}

/** Releases what a dialogue held. */
export async function releaseAll({ sql }: DentalDeps, epoch: string): Promise<void> {
  await RELEASE_ALL(sql, { epoch })
}

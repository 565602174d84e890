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

// Due next: the last visit of the type plus its interval. A type that was never visited, or has no interval, keeps its
// place.
const TYPES = preparedSql<{ id: string; name: string }>(
  'dental-types',
  `
  SELECT t.id, ${TYPE_NAME.replaceAll('s.type', 't.id')} AS name
  FROM dental_type t LEFT JOIN LATERAL (
    SELECT max(s.starts_at) + t.every_days * interval '1 day' AS due_at
    FROM dental_appointment a JOIN dental_slot s ON s.id = a.slot
    WHERE a.msisdn = :msisdn AND a.status = 'booked' AND s.type = t.id
  ) history ON CAST(:tailored AS boolean)
  ORDER BY history.due_at NULLS LAST, t.position, t.id LIMIT ${LIST_ROWS_MAX}`,
)

const SLOTS = preparedSql<SlotRow>(
  'dental-slots',
  `
  SELECT s.id, c.name AS clinic, c.zone, s.starts_at
  FROM dental_slot s JOIN dental_clinic c ON c.id = s.clinic
  WHERE s.type = :type AND s.starts_at > CAST(:today AS timestamptz) AND ${FREE}
  ORDER BY CAST(:tailored AS boolean) AND s.clinic = (
    SELECT v.clinic FROM dental_appointment a JOIN dental_slot v ON v.id = a.slot
    WHERE a.msisdn = :msisdn AND a.status = 'booked' ORDER BY v.starts_at DESC LIMIT 1
  ) IS TRUE DESC, s.starts_at, c.position, s.id LIMIT ${LIST_ROWS_MAX}`,
)

// By the primary key a subscriber can hold one slot. An expired hold, or the subscriber's own, is taken over.
const HOLD = preparedSql<SlotRow & { type: string }>(
  'dental-hold',
  `
  WITH let_go AS (
    DELETE FROM dental_hold WHERE epoch = :epoch AND slot <> CAST(:slot AS bigint)
  ), held AS (
    INSERT INTO dental_hold (slot, epoch, msisdn, expires_at)
    SELECT s.id, CAST(:epoch AS text), CAST(:msisdn AS text), CAST(:expires AS timestamptz)
    FROM dental_slot s
    WHERE s.id = CAST(:slot AS bigint) AND s.starts_at > CAST(:today AS timestamptz) AND ${FREE}
    ON CONFLICT (slot) DO UPDATE
      SET epoch = excluded.epoch, msisdn = excluded.msisdn, expires_at = excluded.expires_at
      WHERE dental_hold.msisdn = excluded.msisdn OR dental_hold.expires_at <= CAST(:now AS timestamptz)
    RETURNING slot
  )
  SELECT s.id, ${TYPE_NAME} AS type, c.name AS clinic, c.zone, s.starts_at
  FROM held JOIN dental_slot s ON s.id = held.slot JOIN dental_clinic c ON c.id = s.clinic`,
)

const RELEASE = preparedSql(
  'dental-release',
  `
  DELETE FROM dental_hold WHERE slot = CAST(:slot AS bigint) AND msisdn = :msisdn`,
)

const RELEASE_ALL = preparedSql('dental-release-all', 'DELETE FROM dental_hold WHERE epoch = :epoch')

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
      const asked = { msisdn: context.msisdn, language: context.language, tailored: settings.tailored }
      return { rows: await safely(deps, context, () => TYPES(sql, asked)) }
    },

    async slots(args, context) {
      const { msisdn, todayMs } = context
      const [type, today] = [shortText(args, 'type'), new Date(todayMs)]
      const { tailored } = settings
      const rows = await safely(deps, context, () => SLOTS(sql, { type, msisdn, today, tailored, now: now() }))
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

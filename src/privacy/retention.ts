/**
 * What is old enough to go: SMS that were settled, appointments long past, flow revisions that nobody serves any more.
 */
import type { Knex } from 'knex'
import { forgetOld } from '../sms/outbox/index.ts'

export interface Retention {
  /** Days that a settled SMS is kept. */
  smsDays: number
  /** Months (of 30 days) that an appointment is kept after its day; then profiles without any go too. */
  appointmentsMonths: number
  /** Months (of 30 days) that a PIN or a chosen language is kept unused. */
  idleMonths: number
  /** Days that a flow revision is kept after another took its place. */
  flowRevisionsDays: number
  /** Of one flow. */
  flowRevisionsMax: number
}

export interface Purging {
  knex: Knex
  retention: Retention
  /**
   * Revisions that serve, or that a dialogue is on: they stay however old they are. Null: nobody knows which, all stay.
   */
  inUse: readonly string[] | null
  /** The wall clock. */
  nowMs: number
  /** The calendar: appointments are days of it. */
  todayMs: number
}

/** Rows removed, by what they were. */
export type Purged = Record<
  'sms' | 'appointments' | 'profiles' | 'holds' | 'pins' | 'languages' | 'flow_revisions',
  number
>

/** At a call: a purge must not hold a table. The rest goes with the next one. */
const PURGE_ROWS_MAX = 5_000
const DAY_MS = 86_400_000
const MONTH_MS = 30 * DAY_MS

export async function purge({ knex, retention, inUse, nowMs, todayMs }: Purging): Promise<Purged> {
  const sms = await forgetOld(knex, nowMs, retention.smsDays * DAY_MS)
  const old = new Date(todayMs - retention.appointmentsMonths * MONTH_MS)
  const appointments = await knex('dental_appointment')
    .whereIn(
      'id',
      knex('dental_appointment as a')
        .join('dental_slot as s', 's.id', 'a.slot')
        .where('s.starts_at', '<', old)
        .limit(PURGE_ROWS_MAX)
        .select('a.id'),
    )
    .delete()
  const profiles = await knex('dental_profile')
    .whereIn(
      'msisdn',
      knex('dental_profile as p')
        .where('p.created_at', '<', old)
        .whereNotExists(knex('dental_appointment as a').whereRaw('a.msisdn = p.msisdn').select(knex.raw('1')))
        .whereNotExists(knex('dental_hold as h').whereRaw('h.msisdn = p.msisdn').select(knex.raw('1')))
        .limit(PURGE_ROWS_MAX)
        .select('p.msisdn'),
    )
    .delete()
  const holds = await knex('dental_hold')
    .where('expires_at', '<', new Date(nowMs - DAY_MS))
    .delete()
  const idle = await purgeIdle(knex, new Date(nowMs - retention.idleMonths * MONTH_MS))
  return {
    sms,
    appointments,
    profiles,
    holds,
    ...idle,
    flow_revisions: inUse ? await purgeRevisions(knex, retention, inUse, nowMs) : 0,
  }
}

/**
 * Whoever has the number now may be another. A PIN was last used when it changed, or in the dialogue that verified it.
 */
async function purgeIdle(knex: Knex, before: Date): Promise<{ pins: number; languages: number }> {
  // An epoch says when it began, in its first 48 bits. (RFC 9562 §5.7)
  const verifiedMs = `CASE WHEN verified_in ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7'
    THEN CAST(CAST('x' || lpad(substr(replace(verified_in, '-', ''), 1, 12), 16, '0') AS bit(64)) AS bigint) ELSE 0 END`
  const pins = await knex('pin')
    .where('changed_at', '<', before)
    .where((is) => is.whereNull('verified_in').orWhereRaw(`${verifiedMs} < ?`, [before.getTime()]))
    .delete()
  return { pins, languages: await knex('subscriber_language').where('chosen_at', '<', before).delete() }
}

/** Younger ones stay: a daemon that starts with an older file may be about to serve them. */
const REVISION_YOUNG_MS = 3_600_000

/**
 * A revision goes when a newer one of its flow is older than the retention, or when there are more of its flow than are
 * kept; never while anything or anybody is on it, here or by a decision of an operator.
 */
async function purgeRevisions(
  knex: Knex,
  retention: Retention,
  inUse: readonly string[],
  nowMs: number,
): Promise<number> {
  const cutoff = new Date(nowMs - retention.flowRevisionsDays * DAY_MS)
  const ranked = knex('flow_revision')
    .select(
      'revision',
      'created_at',
      knex.raw('row_number() OVER newest AS rank'),
      knex.raw('lag(created_at) OVER newest AS superseded_at'),
    )
    .joinRaw('WINDOW newest AS (PARTITION BY name ORDER BY created_at DESC, revision)')
  const young = new Date(nowMs - REVISION_YOUNG_MS)
  const old = knex
    .from(ranked.as('r'))
    .whereNotIn('r.revision', [...inUse])
    .where((is) =>
      is
        .where('r.superseded_at', '<', cutoff)
        .orWhere((many) => many.where('r.rank', '>', retention.flowRevisionsMax).where('r.created_at', '<', young)),
    )
    .whereNotExists(
      knex('flow_release as d').whereRaw('r.revision IN (d.active, d.instead_of, d.canary)').select(knex.raw('1')),
    )
    .limit(PURGE_ROWS_MAX)
    .select('r.revision')
  const gone = await knex('flow_revision').whereIn('revision', old).delete()
  const stored = knex('flow_revision as f').whereRaw('f.revision = flow_recall.revision').select(knex.raw('1'))
  await knex('flow_recall').whereNotExists(stored).delete()
  return gone
}

/** What is old enough to go: SMS that were settled, appointments long past, flow revisions that nobody serves any more. */
import type { Knex } from 'knex'
import { forgetOld } from '../reminders/forget.ts'

export interface Retention {
  /** Days that a settled SMS is kept. */
  smsDays: number
  /** Months (of 30 days) that an appointment is kept after its day; then profiles without any go too. */
  appointmentsMonths: number
  /** Days that a flow revision is kept after another took its place. */
  flowRevisionsDays: number
}

export interface Purging {
  knex: Knex
  retention: Retention
  /** Revisions in force, which stay however old they are. */
  inForce: readonly string[]
  /** The wall clock. */
  nowMs: number
  /** The calendar: appointments are days of it. */
  todayMs: number
}

/** Rows removed, by what they were. */
export type Purged = Record<'sms' | 'appointments' | 'profiles' | 'flow_revisions', number>

/** At a call: a purge must not hold a table. The rest goes with the next one. */
export const ROWS_MAX = 5_000
const DAY_MS = 86_400_000
const MONTH_MS = 30 * DAY_MS

export async function purge({ knex, retention, inForce, nowMs, todayMs }: Purging): Promise<Purged> {
  const sms = await forgetOld(knex, nowMs, retention.smsDays * DAY_MS)
  const old = new Date(todayMs - retention.appointmentsMonths * MONTH_MS)
  const appointments = await knex('dental_appointment').whereIn('id', knex('dental_appointment as a')
    .join('dental_slot as s', 's.id', 'a.slot').where('s.starts_at', '<', old).limit(ROWS_MAX).select('a.id')).delete()
  const profiles = await knex('dental_profile').whereIn('msisdn', knex('dental_profile as p').where('p.created_at', '<', old)
    .whereNotExists(knex('dental_appointment as a').whereRaw('a.msisdn = p.msisdn').select(knex.raw('1')))
    .whereNotExists(knex('dental_hold as h').whereRaw('h.msisdn = p.msisdn').select(knex.raw('1')))
    .limit(ROWS_MAX).select('p.msisdn')).delete()
  return { sms, appointments, profiles, flow_revisions: await purgeRevisions(knex, retention, inForce, nowMs) }
}

/** A revision goes when a newer one of its flow is older than the retention: no dialogue lives that long. */
async function purgeRevisions(knex: Knex, retention: Retention, inForce: readonly string[], nowMs: number): Promise<number> {
  const cutoff = new Date(nowMs - retention.flowRevisionsDays * DAY_MS)
  const superseded = knex('flow_revision as r').whereExists(knex('flow_revision as n').whereRaw('n.name = r.name')
    .whereRaw('n.created_at > r.created_at').where('n.created_at', '<', cutoff).select(knex.raw('1')))
    .whereNotIn('r.revision', [...inForce]).limit(ROWS_MAX).select('r.revision')
  return knex('flow_revision').whereIn('revision', superseded).delete()
}

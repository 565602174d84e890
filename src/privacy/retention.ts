/**
 * What is old enough to be removed: settled SMS, unused PINs and languages, flow revisions that serve nobody any more,
 * and what modules of back ends report as past its retention.
 */
import type { Knex } from 'knex'
import { purgeAudit } from '../audit/index.ts'
import type { Sql } from '../base/index.ts'
import type { ModulePurged } from '../plugin/index.ts'
import { forgetOld } from '../sms/outbox/index.ts'
import { askModules, type ModuleFailure, type PersonalModule } from './modules.ts'
import type { Clock } from '../ussd/index.ts'

export interface Retention {
  /** Days for which a settled SMS is kept. */
  smsDays: number
  /** Months (of 30 days) for which modules keep what is over, such as an appointment after its day. */
  appointmentsMonths: number
  /** Months (of 30 days) for which an unused PIN or language is kept. */
  idleMonths: number
  /** Days for which the history of lines is kept. */
  lineEventsDays: number
  /** Days for which the history of flows is kept, and the most rows of one flow. */
  flowEventsDays: number
  flowEventsMax: number
  /** Days for which the audit is kept. */
  auditDays: number
  /** Days for which a flow revision is kept after another replaced it. */
  flowRevisionsDays: number
  /** The most revisions of one flow. */
  flowRevisionsMax: number
}

export interface Purging {
  sql: Sql
  knex: Knex
  retention: Retention
  /** Revisions that serve, or that a dialogue uses: they stay at any age. Null: unknown, so all revisions stay. */
  inUse: readonly string[] | null
  modules: readonly PersonalModule[]
  clock: Clock
  /** Aborted: no further module is asked. */
  stop?: AbortSignal | undefined
}

export interface PurgeOutcome {
  /** How many rows were removed from the daemon's own tables, by kind. */
  own: Record<'sms' | 'pins' | 'languages' | 'line_events' | 'flow_events' | 'audit' | 'flow_revisions', number>
  /** The same for modules that removed something. */
  modules: { backend: string; answer: ModulePurged }[]
  /** Modules whose purge failed, took too long, or did not answer with counts. */
  failed: ModuleFailure[]
}

/** The most rows per call: a purge must not hold a table for long. The next purge removes the rest. */
const PURGE_ROWS_MAX = 5_000
const DAY_MS = 86_400_000
const MONTH_MS = 30 * DAY_MS

/** Purges the daemon's own tables first. Rejects if Postgres is unreachable; modules are not asked then. */
export async function purge({ sql, knex, retention, inUse, modules, clock, stop }: Purging): Promise<PurgeOutcome> {
  const nowMs = clock.now()
  const own = {
    sms: await forgetOld(sql, nowMs, retention.smsDays * DAY_MS),
    ...(await purgeIdle(knex, new Date(nowMs - retention.idleMonths * MONTH_MS))),
    line_events: await purgeLineEvents(knex, nowMs, retention.lineEventsDays),
    flow_events: await purgeFlowEvents(knex, retention, nowMs),
    audit: await purgeAudit(sql, new Date(nowMs - retention.auditDays * DAY_MS), new Date(nowMs)),
    flow_revisions: inUse ? await purgeRevisions(knex, retention, inUse, nowMs) : 0,
  }
  const asked = {
    nowMs,
    todayMs: clock.today(),
    keepMs: retention.appointmentsMonths * MONTH_MS,
    rowsMax: PURGE_ROWS_MAX,
  }
  const { answers, failed } = await askModules({ modules, clock, stop }, async (module, signal) =>
    readPurged(await module.purge?.({ ...asked, signal })),
  )
  return { own, modules: answers, failed }
}

/** How many kinds of rows one module may report: each is a label and costs memory. */
const KINDS_MAX = 20

/** Checks a module's answer before use: its words become labels of a metric. Undefined: nothing was removed. */
function readPurged(said: unknown): ModulePurged | undefined {
  if (said === undefined) return undefined
  const counts = typeof said === 'object' && said !== null ? Object.entries(said) : []
  const isRead = ([what, rows]: [string, unknown]) =>
    /^[a-z][a-z_]{0,31}$/.test(what) && Number.isSafeInteger(rows) && (rows as number) >= 0
  if (typeof said !== 'object' || said === null || counts.length > KINDS_MAX || !counts.every(isRead))
    throw new Error(`purge must answer counts of rows, by at most ${KINDS_MAX} words such as { visits: 12 }`)
  return counts.some(([, rows]) => rows > 0) ? (said as ModulePurged) : undefined
}

/**
 * The number may belong to another person by now. A PIN was last used when it changed, or in the dialogue that verified
 * it.
 */
async function purgeIdle(knex: Knex, before: Date): Promise<{ pins: number; languages: number }> {
  // The first 48 bits of an epoch are the time when it began. (RFC 9562 §5.7)
  const verifiedMs = `CASE WHEN verified_in ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7'
    THEN CAST(CAST('x' || lpad(substr(replace(verified_in, '-', ''), 1, 12), 16, '0') AS bit(64)) AS bigint) ELSE 0 END`
  const pins = await knex('pin')
    .where('changed_at', '<', before)
    .where((is) => is.whereNull('verified_in').orWhereRaw(`${verifiedMs} < ?`, [before.getTime()]))
    .delete()
  return { pins, languages: await knex('subscriber_language').where('chosen_at', '<', before).delete() }
}

async function purgeFlowEvents(knex: Knex, { flowEventsDays, flowEventsMax }: Retention, nowMs: number) {
  const rank = knex.raw('row_number() OVER (PARTITION BY flow ORDER BY at DESC, id DESC) AS rank')
  const old = knex
    .from(knex('flow_event').select('id', 'at', rank).as('e'))
    .where('e.at', '<', new Date(nowMs - flowEventsDays * DAY_MS))
    .orWhere('e.rank', '>', flowEventsMax)
    .limit(PURGE_ROWS_MAX)
    .select('e.id')
  return knex('flow_event').whereIn('id', old).delete()
}

async function purgeLineEvents(knex: Knex, nowMs: number, days: number): Promise<number> {
  const before = new Date(nowMs - days * DAY_MS)
  await knex('instance_command')
    .where('at', '<', new Date(nowMs - COMMAND_MS))
    .delete()
  const old = knex('line_event').where('at', '<', before).limit(PURGE_ROWS_MAX).select('id')
  await knex('alarm_silence').where('until', '<', before).delete()
  return knex('line_event').whereIn('id', old).delete()
}

/** Nobody waits for an answer longer than minutes; one that was never taken may still name a subscriber. */
const COMMAND_MS = DAY_MS

/** Younger revisions stay: a daemon that starts with an older file may be about to serve them. */
const REVISION_YOUNG_MS = 3_600_000

/**
 * A revision is removed if a newer one of its flow is older than the retention, or if its flow has more revisions than
 * are kept. It stays while anything uses it: a dialogue, a daemon, or a decision of an operator.
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

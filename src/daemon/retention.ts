/** The purge job of the daemon: once an hour, and once soon after the start. */
import type { Knex } from 'knex'
import type { Settings } from '../config/index.ts'
import type { Log, Metrics } from '../base/index.ts'
import { purge } from '../privacy/index.ts'
import type { Clock } from '../ussd/index.ts'
import type { Flows } from '../flow/release/index.ts'
import type { DialogueStore } from '../dialogue/index.ts'
import { CENSUS_MAX } from '../admin/index.ts'

export interface RetentionDeps {
  settings: Settings
  knex: Knex
  dialogues: DialogueStore
  flows: Flows
  clock: Clock
  log: Log
  metrics: Metrics
}

/** A start has better things to do first. */
const FIRST_MS = 60_000
const EVERY_MS = 3_600_000

/** Answers how to stop it; resolves when a purge under way is over. Postgres being away is the next hour's matter. */
export function startRetention(deps: RetentionDeps): () => Promise<void> {
  const { clock, log } = deps
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  let cancel = (): void => undefined
  const after = (ms: number) => {
    cancel = clock.after(ms, () => {
      running = purgeOnce(deps)
        .catch((error: unknown) => log.warn({ err: error }, 'old records not removed'))
        .then(() => (stopped ? undefined : after(EVERY_MS)))
    })
  }
  after(FIRST_MS)
  return async () => {
    stopped = true
    cancel()
    await running
  }
}

/** One purge, counted. */
export async function purgeOnce({
  settings,
  knex,
  dialogues,
  flows,
  clock,
  log,
  metrics,
}: RetentionDeps): Promise<void> {
  const { open, whole } = await dialogues.census(CENSUS_MAX)
  const purged = await purge({
    knex,
    retention: settings.retention,
    inUse: whole ? [...flows.wanted(), ...open.keys()] : null,
    nowMs: clock.now(),
    todayMs: clock.today(),
  })
  for (const [what, rows] of Object.entries(purged)) if (rows) metrics.count('retention_purged_total', { what }, rows)
  if (Object.values(purged).some(Boolean)) log.info(purged, 'old records removed')
  // PGlite has no autovacuum: without statistics, statements stay planned for the empty tables that they met first.
  if (settings.postgres === 'embedded') await knex.raw('VACUUM (ANALYZE)')
}

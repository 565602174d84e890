/** The purge job of the daemon: once an hour, and once soon after the start. */
import type { Knex } from 'knex'
import type { Settings } from '../../config/index.ts'
import type { Log, Metrics, Sql } from '../../base/index.ts'
import { purge, type PersonalModule } from '../../privacy/index.ts'
import type { Clock } from '../../ussd/index.ts'
import type { Flows } from '../../flow/release/index.ts'
import type { DialogueStore } from '../../dialogue/index.ts'
import { CENSUS_MAX } from '../../admin/index.ts'

export interface RetentionDeps {
  settings: Settings
  sql: Sql
  knex: Knex
  dialogues: DialogueStore
  flows: Flows
  /** Modules of back ends, and samples that no back end uses: asked for at each purge. */
  modules: readonly PersonalModule[]
  clock: Clock
  log: Log
  metrics: Metrics
  /** False: the clock of this machine is wrong, so nothing is old. Absent: it is right. */
  mayRun?: (() => boolean) | undefined
}

/** A start has more urgent work. */
const FIRST_MS = 60_000
const EVERY_MS = 3_600_000

/**
 * Returns a function that stops it. That function resolves when a running purge is over; it does not wait for modules.
 * If Postgres is unreachable, the purge is tried again the next hour.
 */
export function startRetention(deps: RetentionDeps): () => Promise<void> {
  const { clock, log } = deps
  const stopping = new AbortController()
  let running: Promise<void> = Promise.resolve()
  let cancel = (): void => undefined
  const after = (ms: number) => {
    cancel = clock.after(ms, () => {
      running = ((deps.mayRun?.() ?? true) ? purgeOnce(deps, stopping.signal) : Promise.resolve())
        .catch((error: unknown) => log.warn({ err: error }, 'old records not removed'))
        .then(() => (stopping.signal.aborted ? undefined : after(EVERY_MS)))
    })
  }
  after(FIRST_MS)
  return async () => {
    stopping.abort()
    cancel()
    await running
  }
}

/** One purge, counted. */
export async function purgeOnce(deps: RetentionDeps, stop?: AbortSignal): Promise<void> {
  const { settings, sql, knex, dialogues, flows, modules, clock, log, metrics } = deps
  const { open, whole } = await dialogues.census(CENSUS_MAX)
  const purged = await purge({
    sql,
    knex,
    retention: settings.retention,
    inUse: whole ? [...flows.wanted(), ...open.keys()] : null,
    modules,
    clock,
    stop,
  })
  const counted = (backend: string, removed: Readonly<Record<string, number>>) => {
    for (const [what, rows] of Object.entries(removed))
      if (rows) metrics.count('retention_purged_total', { what, backend }, rows)
  }
  counted('', purged.own)
  for (const { backend, answer } of purged.modules) counted(backend, answer)
  for (const { backend, why } of purged.failed) {
    metrics.count('module_purge_failed_total', { backend })
    log.warn({ backend, why }, 'the module of a back end did not remove its old records')
  }
  if (purged.modules.length > 0 || Object.values(purged.own).some(Boolean)) {
    const modules = Object.fromEntries(purged.modules.map(({ backend, answer }) => [backend, answer]))
    log.info({ ...purged.own, modules }, 'old records removed')
  }
  // PGlite has no autovacuum: without statistics, statements keep the plan that was made for empty tables.
  if (settings.postgres === 'embedded') await knex.raw('VACUUM (ANALYZE)')
}

/** The back ends of the settings, by name: each guarded, counted and timed. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Knex } from 'knex'
import { appBackends } from './apps.ts'
import {
  cached,
  guard,
  httpBackend,
  moduleBackend,
  Refusal,
  type Backend,
  type BackendModule,
} from '../backend/index.ts'
import type { Settings } from '../config/index.ts'
import { UsageError, type Log, type Metrics } from '../base/index.ts'
import type { SmsSubject } from '../sms/outbox/index.ts'
import { dental, dentalReplies, dentalOptions } from '../../samples/dental/index.ts'
import { pins, pinOptions } from '../services/pin/index.ts'
import type { Chance, Clock, Json } from '../ussd/index.ts'

export interface Backends {
  /** Those that flows may call: all but the applications. */
  names: readonly string[]
  get(name: string): Backend | undefined
  /** Those of them that SMS speak of. */
  subjects: readonly SmsSubject[]
  close(): Promise<void>
}

export interface BackendDeps {
  settings: Settings
  knex: Knex
  clock: Clock
  chance: Chance
  metrics: Metrics
  log: Log
}

/** What a module of an operator's own exports as `backend`. */
export type BackendFactory = (deps: ModuleDeps) => BackendModule

/** What it is given: stores, clock, log and figures of the daemon, its own settings, and how to refuse by name. */
export interface ModuleDeps extends Omit<BackendDeps, 'settings'> {
  settings: Record<string, unknown>
  refuse(refusal: string, data?: Json): Refusal
}

export async function createBackends(deps: BackendDeps): Promise<Backends> {
  const { settings, clock, metrics, log } = deps
  const all = new Map<string, Backend>()
  const guarding = { clock, counters: metrics, log, onCall: metrics.backend }
  for (const [name, how] of Object.entries(settings.backends)) {
    if ('http' in how) all.set(name, overHttp(name, how.http, deps))
    else
      all.set(
        name,
        guard(patient(moduleBackend(name, await moduleOf(how, name, deps)), how.patienceMs, settings), guarding),
      )
  }
  const names = [...all.keys()]
  for (const { backend, concurrent, patienceMs } of await appBackends(deps)) {
    all.set(backend.name, guard(patient(backend, patienceMs, settings), guarding, concurrent))
  }
  return {
    names,
    get: (name) => all.get(name),
    subjects: Object.values(settings.backends).some((how) => 'module' in how && how.module === 'dental')
      ? [dentalReplies({ clock })]
      : [],
    close: async () => void (await Promise.all([...all.values()].map((backend) => backend.close?.()))),
  }
}

function patient(backend: Backend, afterMs: number | undefined, { late }: Settings): Backend {
  return afterMs === undefined ? backend : { ...backend, patience: { afterMs, waitMs: late.waitMs } }
}

/** What answers from memory stands before the guard, and the guard before the network. */
function overHttp(name: string, http: Http, { settings, clock, chance, metrics, log }: BackendDeps): Backend {
  const { patienceMs, concurrent, cache, timeoutMs } = http
  const wait = untilLate(patienceMs, settings)
  const bare = httpBackend(name, { ...httpOf(http, name), ...wait }, { clock, chance, counters: metrics })
  const guarding = { clock, counters: metrics, log, onCall: metrics.backend }
  const guarded = guard(patient(bare, patienceMs, settings), guarding, concurrent, http.octetsMax)
  if (!cache) return guarded
  return cached(guarded, cache, {
    clock,
    counters: metrics,
    timeoutMs,
    ...(wait.timeoutMs ? { waitMs: wait.timeoutMs } : {}),
  })
}

/** How long a call of a patient back end may take; nothing for the others. */
function untilLate(patienceMs: number | undefined, { late }: Settings): { timeoutMs?: number } {
  return patienceMs === undefined ? {} : { timeoutMs: patienceMs + late.waitMs }
}

type Http = Extract<Settings['backends'][string], { http: unknown }>['http']
type Module = Extract<Settings['backends'][string], { module: string }>

function httpOf(http: Http, name: string): Parameters<typeof httpBackend>[1] {
  const { tokenFile, patienceMs: _patience, cache: _cache, ...rest } = http
  if (!tokenFile) return rest
  try {
    return { ...rest, token: readFileSync(tokenFile, 'utf8').trim() }
  } catch (error) {
    throw new UsageError(
      `backends.${name}.http.tokenFile: ${tokenFile} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    )
  }
}

async function moduleOf(how: Module, name: string, deps: BackendDeps): Promise<BackendModule> {
  if (how.module === 'dental') return dentalOf(how, name, deps)
  if (how.module === 'pin') {
    const { knex, clock, metrics } = deps
    return pins({ knex, clock, counters: metrics, settings: pinOptions(how.settings, `backends.${name}.settings`) })
  }
  const file = resolve(how.module)
  const loaded = (await import(pathToFileURL(file).href).catch((error: Error) => {
    const remedy = 'built in are dental and pin; else the path of a file'
    throw new UsageError(`backends.${name}.module: ${file} cannot be loaded: ${error.message} (${remedy})`)
  })) as { backend?: BackendFactory }
  if (typeof loaded.backend !== 'function')
    throw new UsageError(`backends.${name}.module: ${file} exports no function 'backend'`)
  return loaded.backend({ ...deps, settings: how.settings, refuse: (refusal, data) => new Refusal(refusal, data) })
}

/** A hold must not lapse while its question may still be answered. */
const HOLD_MARGIN_MS = 30_000

function dentalOf({ settings: own }: Module, name: string, deps: BackendDeps): BackendModule {
  const { settings, knex, clock, chance } = deps
  const { reminders, dialogue } = settings
  return dental({
    knex,
    clock,
    chance,
    settings: {
      holdMs: dialogue.totalMs + HOLD_MARGIN_MS,
      confirmation: reminders.confirmation,
      reminders: { leadsMs: reminders.leads.map(durationMs), quietHours: reminders.quietHours },
      ...dentalOptions(own, `backends.${name}.settings`),
    },
  })
}

/** `24h` as milliseconds; the schema has seen to the form. */
function durationMs(written: string): number {
  const unit = { m: 60_000, h: 3_600_000, d: 86_400_000 }[written.at(-1) as 'm' | 'h' | 'd']
  return Number(written.slice(0, -1)) * unit
}

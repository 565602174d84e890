/** The back ends of the settings, by name: each guarded, counted and timed. */
import { askingSms } from './answer-sms.ts'
import { appBackends } from './apps.ts'
import { cached, FLOW_CACHE, guard, httpBackend, moduleBackend, type Backend } from '../../backend/index.ts'
import type { Settings } from '../../config/index.ts'
import { secretIn, type Log, type Metrics, type Sql } from '../../base/index.ts'
import type { OwedSms } from '../../sms/requests/index.ts'
import type { SmsSubject } from '../../sms/outbox/index.ts'
import type { Chance, Clock } from '../../ussd/index.ts'
import { configuredModules, smsSubject, type LoadedModule } from './modules.ts'

export interface Backends {
  /** The back ends that flows may call: all except the applications. */
  names: readonly string[]
  get(name: string): Backend | undefined
  /** Those that are modules. */
  modules: readonly LoadedModule[]
  /** Those that send SMS. */
  subjects: readonly SmsSubject[]
  close(): Promise<void>
}

export interface BackendDeps {
  /** For the module `pin`: a secret that is not in the database. */
  pinPepper?: Buffer | undefined
  settings: Settings
  sql: Sql
  clock: Clock
  chance: Chance
  metrics: Metrics
  log: Log
  /** Takes the SMS that answers ask for. Absent: they stay in the answer, and nobody gets them. */
  owed?: Pick<OwedSms, 'owe'>
}

export async function createBackends(deps: BackendDeps): Promise<Backends> {
  const { settings, clock, metrics, log } = deps
  const all = new Map<string, Backend>()
  const subjects = new Map<string, SmsSubject>()
  const guarding = { clock, counters: metrics, log, onCall: metrics.backend }
  const modules = await configuredModules(settings, deps)
  for (const [name, how] of Object.entries(settings.backends)) {
    if ('http' in how) all.set(name, overHttp(name, how.http, deps))
    else {
      const { module } = modules.find((one) => one.name === name)!
      if (module.replies && !subjects.has(module.replies.subject))
        subjects.set(module.replies.subject, smsSubject(module.replies))
      const backend = patient(moduleBackend(name, module), how.patienceMs, settings)
      const guarded = guard(backend, guarding, how.concurrent ?? callsAtOnce(how.patienceMs, settings))
      const waitMs = untilDeferred(how.patienceMs, settings).timeoutMs
      all.set(
        name,
        cached(guarded, FLOW_CACHE, {
          clock,
          counters: metrics,
          // If there is an old answer, the rest of the turn is for showing it.
          timeoutMs: Math.floor(settings.dialogue.turnMs / 2),
          ...(waitMs === undefined ? {} : { waitMs }),
        }),
      )
    }
  }
  const names = [...all.keys()]
  for (const { backend, concurrent, patienceMs } of await appBackends(deps)) {
    all.set(backend.name, guard(patient(backend, patienceMs, settings), guarding, concurrent))
  }
  return {
    names,
    modules,
    get: (name) => all.get(name),
    subjects: [...subjects.values()],
    close: async () => void (await Promise.all([...all.values()].map((backend) => backend.close?.()))),
  }
}

function patient(backend: Backend, afterMs: number | undefined, { late }: Settings): Backend {
  return afterMs === undefined ? backend : { ...backend, patience: { afterMs, waitMs: late.waitMs } }
}

/**
 * A module gets as many calls as there are connections: further calls would wait for a connection, without a deadline.
 * A module with `patienceMs` waits for something else.
 */
function callsAtOnce(patienceMs: number | undefined, { postgres }: Settings): number | undefined {
  return patienceMs === undefined && postgres !== 'embedded' ? postgres.poolMax : undefined
}

/** The cache stands in front of the guard, and the guard in front of the network. */
function overHttp(name: string, http: Http, { settings, clock, chance, metrics, log, owed }: BackendDeps): Backend {
  const { patienceMs, concurrent, cache, timeoutMs } = http
  const wait = untilDeferred(patienceMs, settings)
  const bare = httpBackend(name, { ...httpOf(http, name), ...wait }, { clock, chance, counters: metrics })
  const guarding = { clock, counters: metrics, log, onCall: metrics.backend }
  const guarded = guard(patient(bare, patienceMs, settings), guarding, concurrent, http.octetsMax)
  const owner = http.smsToken === undefined ? `backend:${name}` : `token:${http.smsToken}`
  const asking = owed ? askingSms(guarded, { owner, owed, clock, log, counters: metrics }) : guarded
  return cached(asking, cache ?? FLOW_CACHE, {
    clock,
    counters: metrics,
    timeoutMs,
    ...(wait.timeoutMs ? { waitMs: wait.timeoutMs } : {}),
  })
}

/** How long a call of a patient back end may take; nothing for others. */
function untilDeferred(patienceMs: number | undefined, { late }: Settings): { timeoutMs?: number } {
  return patienceMs === undefined ? {} : { timeoutMs: patienceMs + late.waitMs }
}

type Http = Extract<Settings['backends'][string], { http: unknown }>['http']

function httpOf(http: Http, name: string): Parameters<typeof httpBackend>[1] {
  const { tokenFile, patienceMs: _patience, cache: _cache, smsToken: _smsToken, ...rest } = http
  return tokenFile ? { ...rest, token: secretIn(tokenFile, `backends.${name}.http.tokenFile`) } : rest
}

/**
 * The back ends of the settings, by name: each guarded, counted and timed. A reload builds those that changed beside
 * the others. Calls in flight are answered by the old one. One that is gone stays for the dialogues that may need it.
 */
import { createHash } from 'node:crypto'
import type { SmsSubject } from '../../sms/terms/index.ts'
import { askingSms } from './answer-sms.ts'
import { builtApp, type AppListening } from './apps.ts'
import { withConnections } from './connections.ts'
import { cached, FLOW_CACHE, guard, httpBackend, moduleBackend, type Backend } from '../../backend/index.ts'
import type { Settings } from '../../config/index.ts'
import { secretIn, type Log, type Metrics, type Sql } from '../../base/index.ts'
import { appName } from '../../flow/engine/index.ts'
import type { BackendModule } from '../../plugin/index.ts'
import { chosenInSms } from '../../services/subscriber/index.ts'
import type { OwedSms } from '../../sms/requests/index.ts'
import type { Spans } from '../../spans/index.ts'
import type { Chance, Clock } from '../../ussd/index.ts'
import { declaredBy, loadModule, smsSubject, type LoadedModule } from './modules.ts'
import { tenured, type Tenure } from './tenure.ts'

export interface Backends {
  /** The back ends that flows may call: all except the applications. The list itself changes, as do the next two. */
  readonly names: readonly string[]
  get(name: string): Backend | undefined
  /** Those that are modules. */
  readonly modules: readonly LoadedModule[]
  /** What sends SMS. */
  readonly subjects: readonly SmsSubject[]
  /**
   * Builds what these settings have otherwise. Nothing changes before `commit`. `isTrial`: nobody will commit it, so
   * no port is opened. Rejects with ProblemsError or UsageError.
   */
  prepare(next: Pick<Settings, 'backends' | 'apps'>, how?: { isTrial: boolean }): Promise<BackendsChange>
  /** Removes from memory what they answered about this subscriber. */
  forget(msisdn: string): void
  close(): Promise<void>
}

export interface BackendsChange {
  /** As in the settings: `backends.wallet`, `apps.shop`. Also those that changed only in a file that they name. */
  changed: readonly string[]
  names: readonly string[]
  declared: ReturnType<typeof declaredBy>
  commit(): void
  abandon(): Promise<void>
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
  spans?: Pick<Spans, 'headers'> | undefined
}

interface Built {
  setting: string
  /** Of all that it was made of, also what its files hold. */
  print: string
  tenure: Tenure
  module?: BackendModule
  listening?: AppListening
}

export async function createBackends(deps: BackendDeps): Promise<Backends> {
  const backends = new ServedBackends(deps)
  const { commit } = await backends.prepare(deps.settings)
  commit()
  return backends
}

class ServedBackends implements Backends {
  readonly names: string[] = []
  readonly modules: LoadedModule[] = []
  readonly subjects: SmsSubject[] = []
  readonly #deps: BackendDeps
  #built: ReadonlyMap<string, Built> = new Map()
  /** Gone from the settings, but open dialogues may call them. */
  readonly #leaving = new Map<string, { tenure: Tenure; cancel(): void }>()

  constructor(deps: BackendDeps) {
    this.#deps = deps
  }

  /** It may be passed on alone. */
  readonly get = (name: string): Backend | undefined =>
    (this.#built.get(name) ?? this.#leaving.get(name))?.tenure.backend

  async prepare(next: Pick<Settings, 'backends' | 'apps'>, { isTrial } = { isTrial: false }): Promise<BackendsChange> {
    const settings = { ...this.#deps.settings, backends: next.backends, apps: next.apps }
    const fresh = new Map<string, Built>()
    const abandon = async () =>
      void (await Promise.all([...fresh.values()].map(({ tenure }) => tenure.backend.close?.())))
    try {
      for (const { name, setting, print, build } of plansOf(settings, this.#deps)) {
        const before = this.#built.get(name)
        if (before?.print !== print) fresh.set(name, { setting, print, ...(await build(before, isTrial)) })
      }
    } catch (error) {
      await abandon()
      throw error
    }
    const order = [...Object.keys(next.backends), ...Object.keys(next.apps).map(appName)]
    const all = new Map(order.map((name) => [name, fresh.get(name) ?? this.#built.get(name)!]))
    const gone = [...this.#built].filter(([name]) => !all.has(name)).map(([, { setting }]) => setting)
    const changed = [...[...fresh.values()].map(({ setting }) => setting), ...gone]
    return {
      changed,
      names: Object.keys(next.backends),
      declared: declaredBy(modulesOf(all)),
      commit: () => this.#commit(all, Object.keys(next.backends)),
      abandon,
    }
  }

  #commit(all: ReadonlyMap<string, Built>, names: readonly string[]): void {
    for (const [name, old] of this.#built) {
      if (all.get(name) === old) continue
      if (all.has(name)) old.tenure.retire()
      else this.#leave(name, old.tenure)
    }
    this.#built = all
    const modules = modulesOf(all)
    fill(this.names, names)
    fill(this.modules, modules)
    fill(this.subjects, [...subjectsOf(modules), chosenInSms])
  }

  /** No dialogue that began before is open after that. */
  #leave(name: string, tenure: Tenure): void {
    const { clock, settings } = this.#deps
    const { totalMs, resumeMs } = settings.dialogue
    this.#forget(name)
    const cancel = clock.after(totalMs + resumeMs + settings.late.waitMs, () => this.#forget(name))
    this.#leaving.set(name, { tenure, cancel })
  }

  #forget(name: string): void {
    const left = this.#leaving.get(name)
    this.#leaving.delete(name)
    left?.cancel()
    left?.tenure.retire()
  }

  forget(msisdn: string): void {
    for (const { tenure } of [...this.#built.values(), ...this.#leaving.values()]) tenure.backend.forget?.(msisdn)
  }

  async close(): Promise<void> {
    const leaving = [...this.#leaving.values()]
    for (const { cancel } of leaving) cancel()
    const all = [...this.#built.values(), ...leaving].map(({ tenure }) => tenure.backend.close?.())
    await Promise.all(all)
  }
}

function fill<T>(list: T[], items: readonly T[]): void {
  list.splice(0, list.length, ...items)
}

function modulesOf(all: ReadonlyMap<string, Built>): LoadedModule[] {
  return [...all].flatMap(([name, { module }]) => (module ? [{ name, module }] : []))
}

/** The first module with a subject has it. */
function subjectsOf(modules: readonly LoadedModule[]): SmsSubject[] {
  const subjects = new Map<string, SmsSubject>()
  for (const { module } of modules) {
    const { replies } = module
    if (replies && !subjects.has(replies.subject)) subjects.set(replies.subject, smsSubject(replies))
  }
  return [...subjects.values()]
}

interface Plan {
  name: string
  setting: string
  print: string
  /** `before`: what has this name now. */
  build(before: Built | undefined, isTrial: boolean): Promise<Omit<Built, 'setting' | 'print'>>
}

function printOf(...of: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(of)).digest('hex')
}

/** What each back end of these settings is made of. Throws if a file of one cannot be read. */
function plansOf(settings: Settings, deps: BackendDeps): Plan[] {
  const guarding = { clock: deps.clock, counters: deps.metrics, log: deps.log, onCall: deps.metrics.backend }
  const own = Object.entries(settings.backends).map(([name, how]): Plan => {
    const setting = `backends.${name}`
    if (!('http' in how))
      return { name, setting, print: printOf(how), build: () => ofModule(name, how, { ...deps, settings }) }
    const token = how.http.tokenFile ? secretIn(how.http.tokenFile, `${setting}.http.tokenFile`) : undefined
    const build = async () => ({
      tenure: tenured(overHttp(name, how.http, token, { ...deps, settings }), deps.log),
    })
    return { name, setting, print: printOf(how, token), build }
  })
  const apps = Object.entries(settings.apps).map(([name, app]): Plan => {
    const { made, build } = builtApp(name, app, { ...deps, settings })
    return {
      name: appName(name),
      setting: `apps.${name}`,
      print: printOf(made),
      async build(before, isTrial) {
        const { backend, listening } = await build(before?.listening, isTrial)
        const guarded = guard(patient(backend, app.patienceMs, settings), guarding, app.concurrent)
        return { tenure: tenured(guarded, deps.log), ...(listening ? { listening } : {}) }
      },
    }
  })
  return [...own, ...apps]
}

type Module = Exclude<Settings['backends'][string], { http: unknown }>

async function ofModule(name: string, how: Module, deps: BackendDeps): Promise<Pick<Built, 'tenure' | 'module'>> {
  const { settings, clock, metrics, log } = deps
  const guarding = { clock, counters: metrics, log, onCall: metrics.backend }
  const module = await loadModule(name, how, { ...deps, sql: ownSql(deps) })
  const backend = patient(moduleBackend(name, module), how.patienceMs, settings)
  const guarded = guard(backend, guarding, how.concurrent)
  const waitMs = untilDeferred(how.patienceMs, settings).timeoutMs
  const kept = cached(guarded, FLOW_CACHE, {
    clock,
    counters: metrics,
    // If there is an old answer, the rest of the turn is for showing it.
    timeoutMs: Math.floor(settings.dialogue.turnMs / 2),
    ...(waitMs === undefined ? {} : { waitMs }),
  })
  return { tenure: tenured(kept, log), module }
}

function patient(backend: Backend, afterMs: number | undefined, { late }: Settings): Backend {
  return afterMs === undefined ? backend : { ...backend, patience: { afterMs, waitMs: late.waitMs } }
}

/**
 * More calls of a module run at the same time than there are connections: short statements share some. What does not
 * share waits here, and not in the pool, where the SMS lane would wait behind it.
 */
function ownSql({ sql, settings, clock, metrics }: BackendDeps): Sql {
  const { postgres, dialogue } = settings
  if (postgres === 'embedded') return sql
  const shares = postgres.pooler === undefined
  return withConnections(sql, { max: postgres.poolMax, shares, waitMs: dialogue.turnMs, clock, counters: metrics })
}

/** The cache stands in front of the guard, and the guard in front of the network. */
function overHttp(name: string, http: Http, token: string | undefined, deps: BackendDeps): Backend {
  const { settings, clock, chance, metrics, log, owed, spans } = deps
  const { patienceMs, concurrent, cache, timeoutMs } = http
  const wait = untilDeferred(patienceMs, settings)
  const asked = { clock, chance, counters: metrics, traceHeaders: spans?.headers }
  const bare = httpBackend(name, { ...httpOf(http, token), ...wait }, asked)
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

function httpOf(http: Http, token: string | undefined): Parameters<typeof httpBackend>[1] {
  const { tokenFile: _file, patienceMs: _patience, cache: _cache, smsToken: _smsToken, ...rest } = http
  return token === undefined ? rest : { ...rest, token }
}

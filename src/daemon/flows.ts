/** The flows of the settings' folder, watched: changed files apply to new dials, broken ones change nothing. */
import { appFlows, declaredBy, smsCallable, servicesOf, type Backends, type BackendsChange } from './backends/index.ts'
import type { Settings } from '../config/index.ts'
import {
  dialogueInLog,
  tellsDebug,
  ProblemsError,
  UsageError,
  type Log,
  type Metrics,
  type Problem,
  didYouMean,
  monotonicClock,
} from '../base/index.ts'
import {
  openFlows,
  type Flows,
  type PreparedFlows,
  type Reload,
  type Taken,
  type Decided,
} from '../flow/release/index.ts'
import { SUBSCRIBER, type ScreenTypes } from '../flow/language/index.ts'
import { loadScreenTypes, type DeclaredBackend } from '../flow/read/index.ts'
import { APP_LEAD, type CompiledFlow, type FlowArchive } from '../flow/engine/index.ts'
import type { Clock } from '../ussd/index.ts'

export interface ServedFlows {
  registry: Flows
  /** Names of all back ends that flows may call. */
  callable: readonly string[]
  /** Those that say themselves what they can be asked. */
  declared: readonly DeclaredBackend[]
  /** Screen types: the built-in ones and those of plug-ins. */
  types: ScreenTypes
  /**
   * What these settings mean for flows: other back ends, applications, services. Rejects with ProblemsError if a
   * service would have no flow, or a flow that serves would miss a back end. Nothing changes before `commit`.
   */
  prepare(next: Settings, backends: Pick<BackendsChange, 'names' | 'declared'>): Promise<{ commit(): Promise<Reload> }>
  stop(): Promise<void>
}

export interface FlowDeps {
  settings: Settings
  archive: FlowArchive
  decided: Decided
  /** Names of the back ends of the settings, and those that are modules. */
  backends: Pick<Backends, 'names' | 'modules'>
  clock: Clock
  log: Log
  metrics: Metrics
  /** Called for each file whose flow serves from now on. */
  onTaken: (taken: Taken) => void
  watch?: ((flow: CompiledFlow) => CompiledFlow) | undefined
}

/** Throws ProblemsError or UsageError if a service has no flow that could ever serve it. */
export async function serveFlows(deps: FlowDeps): Promise<ServedFlows> {
  const { settings, archive, clock, log } = deps
  const { names } = deps.backends
  const callable = callableOf(names, settings)
  const declared = declaredBy(deps.backends.modules)
  const types = await loadScreenTypes(settings.flows.plugins)
  const { dir, publish, testers } = settings.flows
  const { flows, first } = await openFlows({
    folder: dir,
    readable: settings.privacy.storeKeyFile === undefined,
    archive,
    backends: callable,
    declared,
    types,
    services: appFlows(settings),
    decisions: deps.decided,
    mode: publish,
    testers,
    pause: (ms) => new Promise((done) => clock.after(ms, done)),
    now: monotonicClock(clock),
    onReload: (reload) => report(reload, deps),
  })
  requireServices(settings, flows, first)
  let stopped = false
  let cancel = (): void => undefined
  const again = () => {
    cancel = clock.after(settings.flows.reloadMs, () => {
      flows
        .look()
        .catch((error: unknown) => log.error({ err: error }, 'flows not reloaded'))
        .finally(() => stopped || again())
    })
  }
  if (settings.flows.reloadMs > 0) again()
  return {
    registry: telling(deps.watch ? watched(flows, deps.watch) : flows, log),
    callable,
    declared,
    types,
    async prepare(next, backends) {
      const [others, saying] = [callableOf(backends.names, next), backends.declared]
      const services = appFlows({ ...next, contracts: settings.contracts })
      const prepared = await flows.prepare({ backends: others, declared: saying, services })
      requireServed(next, others, prepared)
      return {
        commit() {
          callable.splice(0, callable.length, ...others)
          declared.splice(0, declared.length, ...saying)
          return prepared.commit()
        },
      }
    },
    stop: async () => {
      stopped = true
      cancel()
    },
  }
}

/** A copy: the list changes with the settings. */
function callableOf(names: readonly string[], settings: Pick<Settings, 'lines' | 'records'>): string[] {
  return [...names, ...smsCallable(settings)]
}

/** Throws ProblemsError if these settings would leave a dial without an answer. */
function requireServed(next: Settings, callable: readonly string[], { inForce, problems }: PreparedFlows): void {
  const wrong: Problem[] = []
  for (const { code, flow } of servicesOf(next)) {
    if (inForce.some(({ name }) => name === flow)) continue
    const broken = problems.filter(({ where }) => where.includes(`${flow}.yaml`))
    const remedy =
      didYouMean(
        flow,
        inForce.map(({ name }) => name),
      ) ?? `add ${next.flows.dir}/${flow}.yaml`
    if (broken.length) wrong.push(...broken)
    else wrong.push({ where: `services ${code}`, what: `there is no flow '${flow}' in ${next.flows.dir}`, remedy })
  }
  for (const { revision, backends } of inForce.filter(({ name }) => !name.startsWith(APP_LEAD))) {
    for (const name of backends) {
      if (callable.includes(name) || name === SUBSCRIBER) continue
      const remedy = `leave backends.${name} where it is until a flow without it serves`
      wrong.push({ where: `backends.${name}`, what: `is gone, and the flow ${revision} calls it`, remedy })
    }
  }
  if (wrong.length) throw new ProblemsError('services and back ends', wrong)
}

function watched(flows: Flows, watch: (flow: CompiledFlow) => CompiledFlow): Flows {
  const maybe = (flow: CompiledFlow | undefined) => flow && watch(flow)
  return {
    ...flows,
    current: (...of) => maybe(flows.current(...of)),
    pinned: async (revision) => maybe(await flows.pinned(revision)),
    loaded: (revision) => maybe(flows.loaded?.(revision)),
  }
}

/** At debug: which revision a new dial got, and which kept one was loaded for a dialogue. */
function telling(flows: Flows, log: Log): Flows {
  return {
    ...flows,
    current(name, msisdn) {
      const flow = flows.current(name, msisdn)
      if (tellsDebug(log))
        log.debug(
          { flow: name, revision: flow?.revision, ...dialogueInLog({ msisdn: msisdn ?? '', line: '' }) },
          'revision chosen',
        )
      return flow
    },
    async pinned(revision) {
      const flow = await flows.pinned(revision)
      log.debug({ revision, isKept: flow !== undefined }, 'revision of a dialogue loaded')
      return flow
    },
  }
}

function report(reload: Reload, { log, metrics, onTaken }: FlowDeps): void {
  for (const taken of reload.taken) onTaken(taken)
  for (const revision of reload.served) {
    metrics.count('flow_reloads_total', { flow: revision.split('@')[0]!, result: 'served' })
    log.info({ revision }, 'flow in force')
  }
  for (const name of reload.refused) {
    metrics.count('flow_reloads_total', { flow: name, result: 'refused' })
    log.error({ flow: name }, 'flow refused: its last good revision, if any, stays in force')
  }
  for (const { severity, where, what, remedy } of reload.problems) {
    log[severity === 'error' ? 'error' : 'warn']({ where, what, ...(remedy ? { remedy } : {}) }, 'flow problem')
  }
}

function requireServices(settings: Settings, flows: Flows, first: Reload): void {
  const names = flows.names().map((flow) => flow.name)
  const missing = servicesOf(settings).filter((service) => !names.includes(service.flow))
  if (!missing.length) return
  const errors = first.problems.filter((problem) => problem.severity === 'error')
  if (errors.length) throw new ProblemsError(`flows in ${settings.flows.dir}`, errors)
  const { code, flow } = missing[0]!
  const remedy = didYouMean(flow, names) ?? `add ${settings.flows.dir}/${flow}.yaml`
  throw new UsageError(`service ${code}: there is no flow '${flow}' in ${settings.flows.dir} (${remedy})`)
}

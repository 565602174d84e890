/**
 * A daemon from its settings: built in the order stores, back ends, flows, connections, services, gateway, admin; then
 * started; and stopped in reverse. The only place that builds things.
 */
import type { Logger } from 'pino'
import { startAdmin, createAdminService, createFlowService, tokensOf } from '../admin/index.ts'
import type { Admin, Readiness, Reloaded } from '../admin/index.ts'
import { createBackends, type Backends } from './backends.ts'
import type { Metrics } from '../base/index.ts'
import type { Settings } from '../config/index.ts'
import { createConnections, type Connections } from './connections.ts'
import { createDrain, type Drain } from './drain.ts'
import type { CompiledFlow } from '../flow/engine/index.ts'
import { serveFlows, type ServedFlows } from './flows.ts'
import { registerGauges } from './gauges.ts'
import { createGateway, createIntake, createOverload, type Gateway } from '../gateway/index.ts'
import type { ServedIngress } from './ingress.ts'
import { groupsOf } from './lines/index.ts'
import type { Push } from '../push/index.ts'
import { absentSamples } from './modules.ts'
import { readinessOf } from './readiness.ts'
import { createReload, noFile } from './reload.ts'
import { startRetention } from './retention.ts'
import { createRuntime, type Runtime, type RuntimeOptions } from './runtime.ts'
import { createServices, type DaemonServices } from './services.ts'
import { createStopOrder, type StopOrder } from './stop-order.ts'
import { openStores, type Stores } from './stores.ts'
import { startSweeps } from './sweeps.ts'

export interface DaemonOptions extends RuntimeOptions {
  /** Reads the settings again; absent: they came from no file. */
  read?: () => Settings
  /** Flows to play in place of those that are served: the recorder of talks needs that. */
  watch?: (flow: CompiledFlow) => CompiledFlow
}

export interface Daemon {
  readonly log: Logger
  readonly metrics: Metrics
  readonly admin: Admin
  readonly ingress: ServedIngress
  readonly stores: Stores
  /** USSD that we begin. */
  readonly push: Push
  /** Whether at least one line is bound and the stores answer. */
  readiness(): Promise<Readiness>
  /** For the watchdog. If it answers, the event loop runs. */
  healthy(): boolean
  /**
   * Reads the settings again and makes the lines theirs. Throws ProblemsError or UsageError; nothing has changed then.
   */
  reload(): Reloaded
  /** Refuses new dialogues, sends the replies that it owes within `stopMs`, unbinds, closes. Idempotent. */
  stop(): Promise<void>
}

export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const runtime = createRuntime(options)
  const stops = createStopOrder(runtime.log)
  try {
    const parts = await build(runtime, options, stops)
    const outside = await openAdmin(runtime, parts, options.read ?? noFile)
    stops.add(() => outside.admin.stop())
    await start(runtime, parts, stops)
    const { settings, instance, log, metrics } = runtime
    const { stores, connections, services } = parts
    const { ingress } = connections
    const { admin } = outside
    log.info(
      { instance, lines: settings.lines.map((line) => line.name), admin: admin.port, door: ingress.port() },
      'daemon started',
    )
    return {
      ...outside,
      log,
      metrics,
      ingress,
      stores,
      push: services.push,
      healthy: () => true,
      stop: () => stops.stopAll(),
    }
  } catch (error) {
    await stops.stopAll()
    throw error
  }
}

/** The parts of a daemon; each is built from those above it. */
interface Parts {
  stores: Stores
  backends: Backends
  flows: ServedFlows
  connections: Connections
  services: DaemonServices
  gateway: Gateway
  drain: Drain
}

async function build(runtime: Runtime, options: DaemonOptions, stops: StopOrder): Promise<Parts> {
  const stores = await openStores(runtime)
  stops.add(() => stores.close())
  const backends = await createBackends({ ...runtime, sql: stores.sql })
  stops.add(() => backends.close())
  const { archive, decided } = stores
  const flows = await serveFlows({ ...runtime, archive, decided, backends: backends.names, watch: options.watch })
  stops.add(() => flows.stop())
  const drain = createDrain(runtime.clock)
  const takeUp = createIntake()
  const connections = createConnections(runtime, {
    onRequest: (pdu, line, link) => drain.during(() => takeUp(() => gateway.onRequest(pdu, line, link))),
    onLate: (late, line) => services.sms.onLate(late, line),
  })
  stops.add(() => connections.recorder.stop())
  const { lines } = connections
  const services = createServices(runtime, { stores, backends, flows: flows.registry, lines })
  const gateway = buildGateway(runtime, { stores, flows, connections, services })
  return { stores, backends, flows, connections, services, gateway, drain }
}

type AroundGateway = Pick<Parts, 'stores' | 'flows' | 'connections' | 'services'>

function buildGateway(runtime: Runtime, { stores, flows, connections, services }: AroundGateway): Gateway {
  const { settings } = runtime
  const msisdnOf = (name: string) => settings.lines.find((line) => line.name === name)?.msisdn
  return createGateway({
    ...runtime,
    dialogues: stores.dialogues,
    flows: flows.registry,
    services: services.services,
    late: services.deferred,
    heard: connections.recorder.heard,
    backend: services.backend,
    chosenLanguage: services.chosenLanguage,
    line: connections.line,
    onReceipt: services.sms.onReceipt,
    onSms: services.sms.onSms,
    texts: settings.texts,
    limits: settings.dialogue,
    overload: createOverload(settings.dialogue.perSubscriber, msisdnOf),
  })
}

/** The admin server, for operators and their monitoring. */
async function openAdmin(runtime: Runtime, parts: Parts, read: () => Settings) {
  const { settings, clock, log, metrics } = runtime
  const { stores, flows, connections, services, gateway } = parts
  const { lines, recorder } = connections
  const reload: () => Reloaded = createReload({ settings, lines, read })
  const readiness = () => readinessOf(stores, lines, flows.registry)
  registerGauges({ metrics, stores, lines, gateway })
  const admin = await startAdmin({
    ...settings.admin,
    registry: metrics.registry,
    readiness,
    now: clock.now,
    counters: metrics,
    log,
    tokens: tokensOf(settings.admin.tokensFile),
    desk: createAdminService({
      settings,
      groups: () => groupsOf(settings),
      dialogues: stores.dialogues,
      lines,
      gateway,
      push: services.push,
      trace: recorder.trace,
      sms: services.sms.replacing,
      reload,
    }),
    flows: createFlowService({
      ...stores,
      flows: flows.registry,
      backends: flows.callable,
      types: flows.types,
      readable: settings.privacy.storeKeyFile === undefined,
      clock,
    }),
  })
  return { admin, readiness, reload }
}

/** Lines and the HTTP ingress open last: by then everything exists that an answer needs. */
async function start(runtime: Runtime, parts: Parts, stops: StopOrder): Promise<void> {
  const { settings, clock } = runtime
  const { stores, flows, connections, services, gateway, drain } = parts
  const { lines, ingress } = connections
  // Without a bind we cannot tell a subscriber anything; another daemon may be able to.
  const sweep = async () => (lines.anyBound() || ingress.line ? gateway.sweep() : undefined)
  const stopSweeps = startSweeps(runtime, sweep)
  const { sql, knex, dialogues } = stores
  const modules = [...parts.backends.modules, ...(await absentSamples(settings, { ...runtime, sql }))]
  stops.add(startRetention({ ...runtime, sql, knex, dialogues, flows: flows.registry, modules }))
  services.sms.start()
  stops.add(() => services.sms.stop())
  stops.add(() => ingress.stop())
  lines.start()
  stops.add(async () => {
    await drain.run(gateway, settings.stopMs)
    stopSweeps()
    await lines.stop(clock.now() + settings.stopMs)
  })
  services.deferred.start()
  stops.add(() => services.deferred.stop())
  await ingress.open()
}

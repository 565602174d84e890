/**
 * Builds a daemon from its settings, in the order stores, back ends, flows, connections, services, gateway, admin; then
 * starts it; and stops it in reverse order. Only this file builds things.
 */
import type { Logger } from 'pino'
import {
  watchTokens,
  type Admin,
  type DaemonState,
  type Readiness,
  type Reloaded,
  type WatchedTokens,
} from '../admin/index.ts'
import { openAdmin } from './admin.ts'
import { createAudit, type Audit } from '../audit/index.ts'
import { createFleet, type Fleet } from '../fleet/index.ts'
import { absentSamples, createBackends, type Backends } from './backends/index.ts'
import {
  createStillness,
  type Stillness,
  monotonicClock,
  type Metrics,
  packageVersion,
  type WallClock,
} from '../base/index.ts'
import type { ConfiguredLine, Settings } from '../config/index.ts'
import { createConnections, type Connections } from './connections.ts'
import { drain, stopTimes } from './drain.ts'
import type { DeskDemo } from '../desk/index.ts'
import type { CompiledFlow } from '../flow/engine/index.ts'
import { serveFlows, type ServedFlows } from './flows.ts'
import type { Hooks } from '../hooks/index.ts'
import {
  createGateway,
  createIntake,
  createOverload,
  type Gateway,
  type GatewayDeps,
  type Overload,
} from '../gateway/index.ts'
import type { ServedIngress } from './ingress.ts'
import { createLastRun, type LastRun } from './last-run.ts'
import { createLineHolds, type LineHolds } from './lines/index.ts'
import { pinPepperOf } from './pin-pepper.ts'
import type { Push } from '../push/index.ts'
import { STATUS } from '../smpp/pdu/index.ts'
import type { LinkPort, Pdu } from '../smpp/index.ts'
import { createClockCheck, trustedClock, type ClockCheck } from './clock-check.ts'
import { createRecords, recordingOf, type DaemonRecords, startRetention } from './records/index.ts'
import { createRuntime, logging, type Runtime, type RuntimeOptions } from './runtime.ts'
import { createServices, type DaemonServices, createSmsAsking, createSmsHooks } from './services/index.ts'
import type { OwedSms, SmsRequests } from '../sms/requests/index.ts'
import { startStretchWatch } from './stretches.ts'
import { NEWEST_FORM, OLDEST_FORM, type RecordForm } from '../store/index.ts'
import { createStopOrder, type StopOrder } from './stop-order.ts'
import { openStores, type Stores } from './stores/index.ts'
import { startSweeps } from './sweeps.ts'
import { createDaemonTestDials, type DaemonTestDials } from './test-dials.ts'
import {
  certificateFiles,
  createOpenDialogues,
  createWatch,
  notingConnect,
  type OpenDialogues,
  type Watch,
} from './watch/index.ts'
import {
  createCertificates,
  createFlowEvents,
  createLineEvents,
  type FlowEvents,
  type LineEvents,
} from '../watch/index.ts'

export interface DaemonOptions extends RuntimeOptions {
  /** To compare with the clocks of the stores. Absent: they are not compared. */
  wall?: WallClock
  /** Reads the settings again. Absent: they did not come from a file. */
  read?: () => Settings
  /** Flows to play in place of those that serve: the recorder of talks needs that. */
  watch?: (flow: CompiledFlow) => CompiledFlow
  /** The demo: its desk lets in everybody on this machine. */
  desk?: DeskDemo
}

export interface Daemon {
  /** Among those that share its stores. */
  readonly name: string
  readonly log: Logger
  readonly metrics: Metrics
  readonly admin: Admin
  readonly ingress: ServedIngress
  readonly stores: Stores
  /** USSD that we begin. */
  readonly push: Push
  /** Whether at least one line is bound and the stores answer. */
  readiness(): Promise<Readiness>
  /** For the watchdog: an answer shows that the event loop runs. */
  healthy(): boolean
  /** Reads the settings again. Rejects with ProblemsError or UsageError; then nothing has changed. */
  reload(): Promise<Reloaded>
  /** Refuses new dialogues, sends the replies that it owes within `stopMs`, unbinds, closes. Idempotent. */
  stop(): Promise<void>
}

export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const runtime = createRuntime(options)
  const stops = createStopOrder(runtime.log)
  try {
    const parts = await build(runtime, options, stops)
    const { joinFleet, stopAdmin, ...outside } = await openAdmin(runtime, parts, options)
    stops.add(() => stopAdmin())
    await start(runtime, parts, stops)
    joinFleet()
    // Not before: a start loads and compiles, and nobody waits for an answer yet.
    stops.add(startStretchWatch(runtime))
    const { settings, instance, name, log, metrics } = runtime
    const { stores, connections, services } = parts
    const { ingress } = connections
    const { admin } = outside
    log.info(
      {
        instance,
        name,
        version: packageVersion(),
        lines: settings.lines.map((line) => line.name),
        admin: admin.port,
        door: ingress.port(),
      },
      'daemon started',
    )
    return {
      ...outside,
      name,
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
export interface DaemonParts {
  stores: Stores
  lineEvents: LineEvents
  flowEvents: FlowEvents
  fleet: Fleet<DaemonState>
  audit: Audit
  opened: OpenDialogues
  watch: Watch
  holds: LineHolds
  testDials: DaemonTestDials
  tokens: WatchedTokens
  backends: Backends
  flows: ServedFlows
  connections: Connections
  services: DaemonServices
  gateway: Gateway
  clockCheck: ClockCheck
  lastRun: LastRun
  requests: SmsRequests
  owed: OwedSms
  hooks: Hooks
  records: DaemonRecords
}

async function build(runtime: Runtime, options: DaemonOptions, stops: StopOrder): Promise<DaemonParts> {
  const recording = recordingOf(runtime.settings, runtime.name)
  // Nothing is written before there is a fleet.
  const recordForm = (): RecordForm => (histories.fleet.recordForm() === NEWEST_FORM ? NEWEST_FORM : OLDEST_FORM)
  const stores = await openSpanned({ ...logging(runtime, 'store'), recording, recordForm })
  stops.add(() => stores.close())
  const histories = createSeen(logging(runtime, 'fleet'), stores, stops)
  const { lineEvents, flowEvents, fleet, audit } = histories
  const tokens = watchTokens(runtime.settings.admin.tokensFile, { ...logging(runtime, 'admin'), audit })
  stops.add(async () => tokens.stop())
  const clockCheck = await checkClock(runtime, stores, options.wall)
  stops.add(async () => clockCheck.stop())
  const records = createRecords(runtime, { stores, recording, mayRun: () => clockCheck.isKnown() })
  stops.add(() => records.stop())
  const { requests, owed } = createSmsAsking(logging(runtime, 'sms'), stores, clockCheck, {
    replace: (sms) => services.sms.atSmsc.replace(sms),
    recall: (sms) => services.sms.atSmsc.recall(sms),
  })
  stops.add(() => owed.stop())
  const hooks = createSmsHooks(logging(runtime, 'sms'), stores, clockCheck)
  stops.add(() => hooks.stop())
  const pinPepper = pinPepperOf(runtime.settings)
  const backends = await createBackends({ ...logging(runtime, 'backend'), owed, sql: stores.sql, pinPepper })
  stops.add(() => backends.close())
  const serves = { ...stores, backends, onTaken: flowEvents.taken, watch: options.watch }
  const flows = await serveFlows({ ...logging(runtime, 'flow'), ...serves })
  stops.add(() => flows.stop())
  const stillness = createStillness({ monotonicMs: () => performance.now(), clock: runtime.clock })
  stops.add(async () => stillness.stop())
  const holds = createLineHolds({ data: runtime.settings.data, log: runtime.log })
  const certificates = createCertificates(() => certificateFiles(runtime.settings), runtime.clock.now)
  const connections = createConnections(logging(runtime, 'smpp'), {
    connect: notingConnect(certificates),
    onRequest: entrance(runtime, clockCheck, (pdu, line) => testDials.gatewayOf(pdu, line)),
    onLate: (late, line) => services.sms.onLate(late, line),
    onOutage: lineEvents.outage,
    onChange(line, what) {
      if (what === 'removed') holds.release(line)
      lineEvents.change(line, what)
    },
    shares: stores.lineShares(runtime.instance),
  })
  stops.add(() => connections.recorder.stop())
  const { lines } = connections
  const { perSubscriber } = runtime.settings.dialogue
  const overload = createOverload(perSubscriber, (name) => lineOf(runtime, name)?.msisdn)
  const needed = { stores, backends, flows: flows.registry, lines, clockCheck, overload, requests, records }
  const services = createServices(logging(runtime, 'ussd'), needed)
  const lastRun = createLastRun({ ...runtime, data: runtime.settings.data })
  const before = { stores, flows, connections, services }
  const around = gatewayDeps(logging(runtime, 'ussd'), { ...before, overload, stillness, lastRun, holds, records })
  const gateway = createGateway(around)
  const testDials = createDaemonTestDials(runtime, { lines, clockCheck, gateway, around })
  const looks = { stores, lines, clockCheck, certificates, fleet, testDials }
  const watch = createWatch(logging(runtime, 'fleet'), looks)
  stops.add(() => watch.stop())
  const built = { ...histories, watch, stores, backends, flows, connections, services, gateway }
  return { ...built, holds, testDials, tokens, clockCheck, lastRun, requests, owed, hooks, records }
}

/** The stores; where there are spans, each call that a turn awaits has one. */
async function openSpanned(deps: Runtime & Parameters<typeof openStores>[0]): Promise<Stores> {
  const stores = await openStores(deps)
  deps.spans?.sql(stores.sql)
  deps.spans?.store(stores.dialogues)
  return stores
}

/** What others see of this daemon: its place in the fleet, and the histories of lines and flows. */
function createSeen(runtime: Runtime, { sql, dialogues }: Stores, stops: StopOrder) {
  const deps = { ...runtime, sql, counters: runtime.metrics }
  const fleet = createFleet<DaemonState>({ ...deps, version: packageVersion(), recordForm: NEWEST_FORM })
  const [lineEvents, flowEvents, audit] = [createLineEvents(deps), createFlowEvents(deps), createAudit(deps)]
  const isShared = runtime.settings.redis !== 'embedded'
  const opened = createOpenDialogues({ ...runtime, dialogues, fleet, isShared })
  for (const one of [fleet, lineEvents, flowEvents, audit, opened]) stops.add(() => one.stop())
  return { fleet, lineEvents, flowEvents, audit, opened }
}

async function checkClock(runtime: Runtime, stores: Stores, wall: DaemonOptions['wall']): Promise<ClockCheck> {
  const asked = stores.clocks()
  if (!wall || Object.keys(asked).length === 0) return trustedClock
  const check = createClockCheck({ ...runtime, wall, stores: asked })
  await check.start()
  return check
}

/** Where the requests of SMSCs come in. While the clock is wrong, nothing is decided here. */
function entrance(
  runtime: Runtime,
  clockCheck: ClockCheck,
  gatewayOf: DaemonTestDials['gatewayOf'],
): Gateway['onRequest'] {
  const { spans } = runtime
  const onRequest: Gateway['onRequest'] = (pdu, line, link) =>
    clockCheck.isRight() ? gatewayOf(pdu, line).onRequest(pdu, line, link) : deliverAgain(runtime, pdu, link)
  return spans ? spans.request(onRequest) : onRequest
}

/** Another daemon serves it, or this one when its clock is right again. (SMPP v3.4 §5.1.3) */
async function deliverAgain({ metrics }: Runtime, pdu: Pdu, link: LinkPort): Promise<void> {
  metrics.count('limits_total', { limit: 'clock_wrong' })
  link.respond(pdu, STATUS.ESME_RX_T_APPN)
}

function lineOf({ settings }: Runtime, name: string): ConfiguredLine | undefined {
  return settings.lines.find((line) => line.name === name)
}

type AroundGateway = Pick<DaemonParts, 'stores' | 'flows' | 'connections' | 'services'> & {
  overload: Overload
  stillness: Stillness
  lastRun: LastRun
  holds: LineHolds
  records: DaemonRecords
}

function gatewayDeps(runtime: Runtime, around: AroundGateway): GatewayDeps {
  const { settings, spans, metrics } = runtime
  const { stores, flows, connections, services, overload, stillness, lastRun, holds, records } = around
  const intake = createIntake({ now: monotonicClock(runtime.clock) })
  return {
    ...runtime,
    metrics: spans ? spans.metrics(metrics) : metrics,
    dialogues: stores.dialogues,
    flows: flows.registry,
    services: services.services,
    deferred: services.deferred,
    mark: connections.recorder.mark,
    backend: services.backend,
    chosenLanguage: services.chosenLanguage,
    line: connections.line,
    onReceipt: services.sms.onReceipt,
    onSms: services.sms.onSms,
    texts: settings.texts,
    limits: settings.dialogue,
    overload,
    heldLine: holds.of,
    stoodStill: stillness.last,
    isSuspect: lastRun.isSuspect,
    onTurnedAway: records.turnedAway,
    keepsTexts: settings.support.transcriptDays > 0,
    intake: spans ? spans.intake(intake) : intake,
    activeMs: () => performance.eventLoopUtilization().active,
  }
}

/** Opens lines and the HTTP ingress last: by then everything that an answer needs exists. */
async function start(runtime: Runtime, parts: DaemonParts, stops: StopOrder): Promise<void> {
  const { settings, clock } = runtime
  const { stores, flows, connections, services, gateway, clockCheck, lastRun } = parts
  const { lines, ingress } = connections
  lastRun.begin()
  stops.add(async () => lastRun.end())
  // Without a bind we cannot reach a subscriber; another daemon may be able to. With a wrong clock we would end
  // dialogues that are not over.
  const sweep = async () => (clockCheck.isKnown() && (lines.anyBound() || ingress.line) ? gateway.sweep() : undefined)
  const stopSweeps = startSweeps(runtime, sweep)
  const { sql, knex, dialogues } = stores
  const absent = await absentSamples(settings, { ...runtime, sql })
  stops.add(
    startRetention({
      ...runtime,
      sql,
      knex,
      dialogues,
      flows: flows.registry,
      get modules() {
        return [...parts.backends.modules, ...absent]
      },
      mayRun: () => clockCheck.isKnown(),
    }),
  )
  parts.owed.start()
  parts.records.start()
  parts.hooks.start()
  services.sms.start()
  stops.add(() => services.sms.stop())
  stops.add(() => ingress.stop())
  lines.start()
  parts.watch.start()
  parts.opened.start()
  parts.testDials.start()
  stops.add(() => parts.testDials.stop())
  stops.add(async () => {
    const { repliesMs, goneMs } = stopTimes(clock.now(), settings.stopMs)
    await drain(gateway, clock, repliesMs)
    stopSweeps()
    await lines.stop(repliesMs, goneMs)
  })
  services.deferred.start()
  stops.add(() => services.deferred.stop())
  await ingress.open()
}

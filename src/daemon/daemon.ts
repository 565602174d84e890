/**
 * The daemon's parts, in the order they start; they stop in reverse. The only place that builds things.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { Logger } from 'pino'
import {
  createAdminService,
  createFlowService,
  startAdmin,
  tokensOf,
  type Admin,
  type Readiness,
  type Reloaded,
} from '../admin/index.ts'
import { servicesOf } from './apps.ts'
import { createBackends } from './backends.ts'
import type { Settings } from '../config/index.ts'
import { UsageError, pooled, uuidV7, createLog, createMetrics, type Metrics } from '../base/index.ts'
import { createDrain } from './drain.ts'
import { loadScreenTypes } from '../flow/read/index.ts'
import type { CompiledFlow } from '../flow/engine/index.ts'
import { createIngress, type ServedIngress } from './ingress.ts'
import { serveFlows } from './flows.ts'
import { createGateway, type Gateway, createIntake, createOverload } from '../gateway/index.ts'
import { sendsSms, smsBackend } from './flow-sms.ts'
import { SMS } from '../flow/language/index.ts'
import { languageLookup, subscriberBackend } from './languages.ts'
import { createDaemonLate } from './deferred.ts'
import { groupsOf } from './line.ts'
import { createLines, type Lines } from './lines.ts'
import { createDaemonPush } from './push.ts'
import { createDaemonRecorder } from './recorder.ts'
import type { Push } from '../push/index.ts'
import { createReload, noFile } from './reload.ts'
import { startRetention } from './retention.ts'
import { createSmsSide } from '../sms/index.ts'
import { chosenInSms, subscriberLanguages } from '../services/subscriber/index.ts'
import { openStores, type Stores } from './stores.ts'
import type { Chance, Clock } from '../ussd/index.ts'

export interface DaemonOptions {
  settings: Settings
  clock: Clock
  chance: Chance
  /** Where the log goes; stdout when absent. */
  log?: Logger
  /** Reads the settings again; absent: they came from no file. */
  read?: () => Settings
  /** Flows to be played in place of those that are served: for whoever takes down what is played. */
  watch?: (flow: CompiledFlow) => CompiledFlow
  /** Node's own figures in /metrics; off in tests that start many daemons. */
  processMetrics?: boolean
}

export interface Daemon {
  readonly log: Logger
  readonly metrics: Metrics
  readonly admin: Admin
  readonly door: ServedIngress
  readonly stores: Stores
  /** USSD that we begin. */
  readonly push: Push
  /** Whether at least one line is bound and the stores answer. */
  readiness(): Promise<Readiness>
  /** For the watchdog: the event loop turns, which asking proves, and nothing is wedged. */
  healthy(): boolean
  /**
   * Reads the settings again and makes the lines theirs. Throws ProblemsError or UsageError; nothing has changed then.
   */
  reload(): Reloaded
  /** Refuses new dialogues, gives the replies it owes within `stopMs`, unbinds, closes. Idempotent. */
  stop(): Promise<void>
}

export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { settings, clock, chance } = options
  const started: (() => Promise<unknown>)[] = []
  const onStop = <T>(part: T, stop: () => Promise<unknown>): T => (started.push(stop), part)
  mkdirSync(settings.data, { recursive: true, mode: 0o700 })
  const key = logKey(settings)
  const log = options.log ?? createLog({ level: settings.log.level, key, services: settings.services })
  const metrics = createMetrics({ process: options.processMetrics ?? true })
  const instance = randomBytes(4).toString('hex')
  const random = pooled(randomBytes)
  const mint = { epoch: () => uuidV7(clock.now(), random), token: () => Buffer.from(random(9)).toString('base64url') }
  try {
    const stores = await openStores({ settings, log, metrics, clock })
    onStop(stores, () => stores.close())
    const backends = await createBackends({ settings, knex: stores.knex, clock, chance, metrics, log })
    onStop(backends, () => backends.close())
    const callable = sendsSms(settings.lines) ? [...backends.names, SMS] : backends.names
    const types = await loadScreenTypes(settings.flows.plugins)
    const flows = await serveFlows({
      ...stores,
      settings,
      clock,
      log,
      metrics,
      backends: callable,
      types,
      watch: options.watch,
    })
    onStop(flows, () => flows.stop())
    const drain = createDrain(clock)
    const recorder = createDaemonRecorder(settings, {
      now: clock.now,
      key,
      log,
      has: (line) => lines.get(line) !== undefined,
    })
    onStop(recorder, () => recorder.stop())
    const takeUp = createIntake()
    const onRequest: Gateway['onRequest'] = (pdu, line, link) =>
      drain.during(() => takeUp(() => gateway.onRequest(pdu, line, link)))
    const lines: Lines = createLines({
      settings,
      clock,
      chance,
      log,
      metrics,
      instance,
      tap: recorder.tap,
      onState: recorder.onState,
      onRequest,
      onLate: (late, line) => sms.onLate(late, line),
    })
    const door = createIngress({ settings, clock, log, metrics, instance, onRequest })
    const languages = subscriberLanguages(stores.knex)
    const chosenLanguage = languageLookup({ languages, flows: flows.registry, clock, log, metrics })
    const subscriber = subscriberBackend(languages, clock)
    const texting = smsBackend({ knex: stores.knex, clock, lines: () => settings.lines })
    const own = new Map([subscriber, texting].map((each) => [each.name, each]))
    const backend = (name: string) => own.get(name) ?? backends.get(name)
    const push = createDaemonPush({
      settings,
      dialogues: stores.dialogues,
      flows: flows.registry,
      services: servicesOf(settings),
      backend,
      chosenLanguage,
      knex: stores.knex,
      lines,
      clock,
      chance,
      mint,
      log,
      metrics,
    })
    const late = createDaemonLate({
      settings,
      ...stores,
      flows: flows.registry,
      backend,
      lines,
      push,
      clock,
      mint,
      log,
      metrics,
      instance,
    })
    const sms = createSmsSide({
      settings,
      knex: stores.knex,
      shelf: stores.shelf,
      lines,
      push,
      subjects: [...backends.subjects, chosenInSms],
      clock,
      chance,
      log,
      metrics,
    })
    const gateway = createGateway({
      dialogues: stores.dialogues,
      flows: flows.registry,
      services: servicesOf(settings),
      late,
      heard: recorder.heard,
      backend,
      chosenLanguage,
      line: (name) => (name === door.line?.name ? door.line : lines.get(name)),
      onReceipt: sms.onReceipt,
      onSms: sms.onSms,
      clock,
      chance,
      mint,
      log,
      metrics,
      texts: settings.texts,
      limits: settings.dialogue,
      overload: createOverload(
        settings.dialogue.perSubscriber,
        (name) => settings.lines.find((line) => line.name === name)?.msisdn,
      ),
    })
    const reload = createReload({ settings, lines, read: options.read ?? noFile })
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
        push,
        trace: recorder.trace,
        sms: sms.replacing,
        reload,
      }),
      flows: createFlowService({
        ...stores,
        flows: flows.registry,
        backends: callable,
        types,
        readable: settings.privacy.storeKeyFile === undefined,
        clock,
      }),
    })
    onStop(admin, () => admin.stop())
    // Unbound we could tell nobody: another daemon may be able to.
    const sweep = async () => (lines.anyBound() || door.line ? gateway.sweep() : undefined)
    const stopSweeps = repeat(clock, settings.dialogue.sweepMs, sweep, metrics, log)
    gauges({ metrics, stores, lines, gateway })
    onStop(flows, startRetention({ ...stores, settings, flows: flows.registry, clock, log, metrics }))
    sms.start()
    onStop(sms, () => sms.stop())
    onStop(door, () => door.stop())
    lines.start()
    onStop(lines, async () => {
      await drain.run(gateway, settings.stopMs)
      stopSweeps()
      await lines.stop(clock.now() + settings.stopMs)
    })
    late.start()
    onStop(late, () => late.stop())
    await door.open()
    log.info(
      { instance, lines: settings.lines.map((line) => line.name), admin: admin.port, door: door.port() },
      'daemon started',
    )

    async function readiness(): Promise<Readiness> {
      const store = await stores.check()
      const states = lines.states()
      const isHeard = lines.anyBound() || lines.all.length === 0
      // Alive and well, and waiting for the other daemon's bind: not the same as broken.
      const standby =
        !isHeard &&
        Object.values(states)
          .flat()
          .some((bind) => bind.state === 'standby')
      return {
        ready: store.ok && isHeard,
        parts: { standby, lines: states, stores: store, flows: flows.registry.names() },
      }
    }
    return {
      log,
      metrics,
      admin,
      door,
      stores,
      push,
      readiness,
      reload,
      healthy: () => true,
      stop: once(() => stopAll(started, log)),
    }
  } catch (error) {
    await stopAll(started, log)
    throw error
  }
}

/** The key that hashes numbers in the log: given, or made once and kept with the data. */
function logKey(settings: Settings): Buffer {
  const file = settings.log.msisdnKeyFile ?? join(settings.data, 'log-key')
  if (!existsSync(file)) {
    if (settings.log.msisdnKeyFile) throw new UsageError(`log.msisdnKeyFile: ${file} is not there`)
    writeFileSync(file, randomBytes(32), { mode: 0o600 })
  }
  return readFileSync(file)
}

/** Runs again and again, never twice at once; what it throws is a bug, counted, and not the end. */
function repeat(clock: Clock, everyMs: number, run: () => Promise<unknown>, metrics: Metrics, log: Logger): () => void {
  let stopped = false
  let cancel = (): void => undefined
  const again = () => {
    cancel = clock.after(everyMs, () => {
      run()
        .catch((error: unknown) => {
          metrics.count('bugs_total', { where: 'sweep' })
          log.error({ err: error }, 'sweep failed')
        })
        .finally(() => {
          if (!stopped) again()
        })
    })
  }
  again()
  return () => {
    stopped = true
    cancel()
  }
}

function gauges(parts: { metrics: Metrics; stores: Stores; lines: Lines; gateway: Gateway }): void {
  const { metrics, stores, lines, gateway } = parts
  metrics.gauge('ussd_dialogues_open', 'Dialogues taken or resting', () => stores.dialogues.count().catch(() => -1))
  metrics.gauge('ussd_turns_under_way', 'Turns being played now', () => gateway.turnsUnderWay())
  metrics.gauge(
    'event_loop_turns',
    'Turns of the event loop so far: smpp_write against it tells whether writes are gathered',
    () => performance.nodeTiming.uvMetricsInfo.loopCount,
  )
  metrics.gauge(
    'redis_nodes_known',
    'Redis servers that hold dialogues; 0: embedded',
    () => stores.dialogues.nodes?.().known ?? 0,
  )
  metrics.gauge('redis_nodes_ready', 'Those that we are connected to', () => stores.dialogues.nodes?.().ready ?? 0)
  metrics.gauge('smpp_links_bound', 'Links that are bound', () => lines.boundCount())
  const eachBind = (value: 'up' | 'standby') => () =>
    lines.binds().map(({ line, bind, ...figure }) => ({ labels: { line, bind }, value: Number(figure[value]) }))
  metrics.gauges('smpp_bind_up', '1: the bind is up; 0: it should be, and is not', ['line', 'bind'], eachBind('up'))
  metrics.gauges(
    'smpp_bind_standby',
    '1: already bound, the SMSC says: waits to take over',
    ['line', 'bind'],
    eachBind('standby'),
  )
}

async function stopAll(started: (() => Promise<unknown>)[], log: Logger): Promise<void> {
  for (const stop of started.splice(0).toReversed()) {
    await stop().catch((error: unknown) => log.error({ err: error }, 'a component did not stop'))
  }
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => (running ??= run())
}

/**
 * The gateway of test dials: that of subscribers in all but what it counts and what it may ask. No call that changes
 * something is made, so nothing is billed and no SMS is sent, and nothing is counted as a subscriber's.
 */
import type { Backend } from '../backend/index.ts'
import type { CounterName, Log, Metrics } from '../base/index.ts'
import { APP_LEAD, type CompiledFlow, type FlowRegistry } from '../flow/engine/index.ts'
import { createGateway, type Gateway, type GatewayDeps } from '../gateway/index.ts'
import type { Line } from '../smpp/index.ts'
import { TEST_LINE_LEAD } from './caught-line.ts'

/** What happened behind the first screen. The first of each kind. */
export interface DialNotes {
  /** What the message was: see `ussd_messages_total`. */
  message?: string
  /** Why the dialogue ended. */
  ended?: string
  /** A back end that did not answer: `BACKEND.OPERATION: why`. */
  failed?: string
  /** A call that was not made. */
  wouldChange?: string
}

/** `line`: where replies go. Absent: the lines of the daemon, for dials that come through the network. */
export function testGateway(base: GatewayDeps, notes: DialNotes, line?: Line): Gateway {
  const { mark: _mark, onTurnedAway: _away, ...rest } = base
  return createGateway({
    ...rest,
    ...(line ? { line: () => line, services: servicesOn(base.services, line.name) } : {}),
    flows: renaming(base.flows),
    backend: (name) => asking(base.backend(name), notes),
    onReceipt: async () => undefined,
    onSms: async () => undefined,
    // Who may dial is said for subscribers.
    overload: { inTime: () => true, mayDial: () => true },
    deferred: { mayHold: () => false, hold: base.deferred.hold },
    log: quiet(base.log),
    metrics: noting(base.metrics, notes),
  })
}

/** The name of the line as the settings have it. */
const realName = (line: string) => (line.startsWith(TEST_LINE_LEAD) ? line.slice(TEST_LINE_LEAD.length) : line)

function servicesOn(services: GatewayDeps['services'], line: string): GatewayDeps['services'] {
  return services.map((one) => (one.lines?.includes(realName(line)) ? { ...one, lines: [line] } : one))
}

/** Flows see the line by its own name. */
function renaming(flows: FlowRegistry): FlowRegistry {
  const renamed = (flow: CompiledFlow | undefined) =>
    flow && { ...flow, begin: (input: Parameters<CompiledFlow['begin']>[0]) => begun(flow, input) }
  const begun = (flow: CompiledFlow, input: Parameters<CompiledFlow['begin']>[0]) =>
    flow.begin({ ...input, line: realName(input.line) })
  return {
    current: (...of) => renamed(flows.current(...of)),
    pinned: async (revision) => renamed(await flows.pinned(revision)),
    loaded: (revision) => renamed(flows.loaded?.(revision)),
  }
}

/**
 * The same back end, without calls that change something. An application is asked, because only it has a first screen;
 * it hears of the end, too.
 */
function asking(backend: Backend | undefined, notes: DialNotes): Backend | undefined {
  if (!backend) return undefined
  const isApp = backend.name.startsWith(APP_LEAD)
  return {
    name: backend.name,
    async call(operation, args, context) {
      if (context.once && !isApp) {
        notes.wouldChange ??= `${backend.name}.${operation}`
        return { is: 'failed', why: 'refused-call', detail: 'a test dial changes nothing' }
      }
      const result = await backend.call(operation, args, { ...context, line: realName(context.line) })
      if (result.is === 'failed') notes.failed ??= `${backend.name}.${operation}: ${result.why}`
      return result
    },
    ...(isApp && backend.ended
      ? {
          ended: (epoch, reason, about) =>
            backend.ended!(epoch, reason, about && { ...about, line: realName(about.line) }),
        }
      : {}),
  }
}

/** A dialogue that ends is a line of the log for each subscriber, and not for each test. */
function quiet(log: Log): Log {
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.debug({ ...fields, testDial: true }, message),
    warn: (fields, message) => log.warn({ ...fields, testDial: true }, message),
    error: (fields, message) => log.error({ ...fields, testDial: true }, message),
  }
}

/** What is a fault of ours is counted all the same. */
const OURS: ReadonlySet<CounterName> = new Set<CounterName>([
  'dialogue_store_errors_total',
  'language_lookups_failed',
  'bugs_total',
])

function noting(metrics: Metrics, notes: DialNotes): Metrics {
  return {
    ...metrics,
    turn: () => undefined,
    ended: () => undefined,
    count(name, labels, by) {
      if (OURS.has(name)) metrics.count(name, labels, by)
      if (name === 'ussd_messages_total' && labels?.kind === 'begin') notes.message ??= labels.result!
      if (name === 'ussd_dialogues_total') notes.ended ??= labels!.reason!
    },
  }
}

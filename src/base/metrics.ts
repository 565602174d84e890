/**
 * What is counted: one table, so that the docs and the dashboard have one source. No label ever holds a number, a text
 * or anything else of a subscriber's.
 */
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { batchedCounter } from './batched-counter.ts'

export type Labels = Record<string, string>

/** The port that everything counts through. */
export interface Counters {
  count(name: CounterName, labels?: Labels, by?: number): void
}

/** name → [help, labels] */
export const COUNTERS = {
  // The SMPP books balance on every line (src/smpp/session/counters.ts): received = handled + duplicate + rejected +
  // dropped; submitted = ok + refused + timeout + lost.
  smpp_rx: ['PDUs received', ['line', 'command']],
  smpp_rx_handled: ['PDUs received and dealt with', ['line', 'command']],
  smpp_rx_duplicate: ['PDUs received twice over', ['line', 'command']],
  smpp_rx_rejected: ['PDUs answered with an error', ['line', 'command', 'status']],
  // reason: late-response, wrong-command, unexpected-response, unknown-response, outbind, link-closed, nack-0
  smpp_rx_dropped: ['PDUs that nothing was to be done with', ['line', 'command', 'reason']],
  smpp_rx_deferred: [
    'Of the rejected: requests that came while we were unbinding, for the SMSC to deliver again',
    ['line', 'command'],
  ],
  smpp_tx_submit: ['Requests of ours written', ['line', 'lane']],
  smpp_tx_ok: ['Requests of ours accepted', ['line', 'lane']],
  smpp_tx_refused: ['Requests of ours refused', ['line', 'lane', 'status']],
  smpp_tx_timeout: ['Requests of ours without a response in time', ['line', 'lane']],
  smpp_tx_lost: ['Requests of ours whose link closed before the response', ['line', 'lane']],
  smpp_unsent: ['Requests of ours that were never written', ['line', 'lane', 'why']],
  smpp_framing_fault: ['Octets that cannot be SMPP, by what they look like', ['line', 'speaks']],
  smpp_tolerated: ['Faults of PDUs that were taken all the same', ['line', 'what']],
  smpp_handler_failed: ['Handlers of ours that threw or were silent: bugs', ['line', 'how']],
  smpp_limit: ['Limits of the SMPP side that were hit', ['line', 'limit']],
  smpp_bind_refused: ['Binds that the SMSC refused', ['line', 'status']],
  smpp_enquire_missed: ['enquire_link without an answer in time', ['line']],
  smpp_link_lost: ['Links that closed', ['line', 'why']],
  line_changes_total: [
    'Lines added, changed, removed, stopped, started; refused: could not be bound with new settings',
    ['line', 'what'],
  ],
  smpp_write: ['Socket writes: at most one a link and event-loop turn', ['line']],
  ussd_messages_total: ['USSD messages by kind and by what became of them', ['line', 'kind', 'result']],
  language_lookups_failed: [
    "New dialogues that started in the line's language because the chosen one could not be read",
    ['why'],
  ],
  ussd_replies_total: ['USSD replies by action and outcome', ['line', 'action', 'result']],
  ussd_given_up_total: [
    'Screens that the SMSC throttled until their time was over, or the dialogue went on without them',
    ['line', 'why'],
  ],
  ussd_dialogues_total: ['Dialogues ended, by flow and reason', ['line', 'flow', 'reason']],
  ussd_pushes_total: ['USSD that we began, by what came of it', ['line', 'result']],
  ussd_late_total: ["Answers that came after the network's patience, by what was done", ['line', 'what']],
  ussd_cut_total: ['Replies that were over one page and cut', ['line', 'flow']],
  admin_turned_away_total: ['Requests that the admin door did not let in, by why', ['why']],
  door_requests_total: ['Requests at the HTTP door by status', ['status']],
  dialogue_store_errors_total: [
    'Calls of the dialogue store that failed; record: what no call was told of',
    ['call', 'code'],
  ],
  dialogue_store_plain_total: [
    'Stored values without a bound seal that were read all the same, up to privacy.plainUntil',
    [],
  ],
  store_key_reloads_total: ["Files of the dialogue store's keys read again while running", ['result']],
  dialogue_takeovers_total: ['Turns taken over from a daemon that died, and replies sent again', ['kind']],
  flow_reloads_total: ['Flow files loaded or refused', ['flow', 'result']],
  flow_turns_total: ['Turns by flow revision; the revisions that were used last', ['revision']],
  flow_ends_total: [
    'Dialogues ended, by flow revision and reason; the revisions that were used last',
    ['revision', 'reason'],
  ],
  backend_calls_total: ['Back end calls by outcome', ['backend', 'operation', 'result']],
  backend_retries_total: [
    'Back end calls made again, by what had come of the try before',
    ['backend', 'operation', 'why'],
  ],
  backend_cache_total: [
    'Reads that may be answered from memory, by where the answer came from',
    ['backend', 'operation', 'result'],
  ],
  module_events_total: ['What modules of back ends count themselves', ['backend', 'event']],
  sms_total: ['SMS of the outbox by what became of them', ['kind', 'state']],
  sms_replaced_total: ['SMS for which an operator had another text, by what came of it', ['result']],
  sms_queries_total: [
    'Parts of SMS that the SMSC was asked about because their receipts were overdue',
    ['line', 'result'],
  ],
  sms_late_total: [
    'Responses to SMS that came after their deadline, and whether they told something new',
    ['line', 'result'],
  ],
  sms_receipts_total: ['Delivery receipts by state and whether they met an SMS', ['line', 'state', 'result']],
  sms_incoming_total: ['SMS from subscribers', ['line', 'result']],
  sms_unfinished_total: ['Long SMS of subscribers that were given up before all of their parts came', ['group', 'why']],
  pin_total: ['Tries and changes of PINs by what came of them', ['result']],
  retention_purged_total: [
    'Rows removed because they were old enough; backend: whose module removed them, empty for the daemon itself',
    ['what', 'backend'],
  ],
  module_purge_failed_total: ['Hourly purges of modules of back ends that failed or took too long', ['backend']],
  limits_total: ['Limits that were hit, by name', ['limit']],
  bugs_total: ['Exceptions that should not have been', ['where']],
} as const satisfies Record<string, readonly [string, readonly string[]]>

export type CounterName = keyof typeof COUNTERS

export interface Metrics extends Counters {
  registry: Registry
  /** Seconds from a message to the reply handed to the link. */
  turn(seconds: number, flow: string, revision: string): void
  /** A dialogue of that revision ended. */
  ended(revision: string, reason: string): void
  backend(seconds: number, backend: string): void
  /** A figure read when asked for. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void
  /** The same with labels: as many values as there are when asked. */
  gauges(name: string, help: string, labels: readonly string[], read: () => { labels: Labels; value: number }[]): void
  /** The sum over all labels; tests balance books with it. */
  value(name: CounterName, labels?: Labels): Promise<number>
}

const NONE: Labels = {}

/** Revisions that /metrics tells apart: enough for each flow and its trials; those unused for longest go. */
export const REVISIONS_TOLD_MAX = 50

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function createMetrics(options: { process: boolean }): Metrics {
  const registry = new Registry()
  if (options.process) collectDefaultMetrics({ register: registry })
  const counters = new Map(
    Object.entries(COUNTERS).map(([name, [help, labelNames]]) => [
      name,
      batchedCounter({ name: total(name), help, labelNames, registry }),
    ]),
  )
  const timed = <Name extends string>(name: string, help: string, label: Name) =>
    new Histogram({ name, help, labelNames: [label], buckets: SECONDS, registers: [registry] })
  const turns = timed('ussd_turn_seconds', 'From a message to its reply', 'flow')
  const calls = timed('backend_call_seconds', 'Back end calls', 'backend')
  const revisions = new Set<string>()
  const told = (revision: string): Labels => {
    revisions.delete(revision)
    revisions.add(revision)
    if (revisions.size > REVISIONS_TOLD_MAX) {
      const [oldest] = revisions as Set<string> & [string]
      revisions.delete(oldest)
      for (const name of ['flow_turns_total', 'flow_ends_total']) counters.get(name)!.forget('revision', oldest)
    }
    return { revision }
  }
  return {
    registry,
    count: (name, labels = NONE, by = 1) => counters.get(name)!.count(labels, by),
    turn(seconds, flow, revision) {
      turns.observe({ flow }, seconds)
      counters.get('flow_turns_total')!.count(told(revision), 1)
    },
    ended: (revision, reason) => counters.get('flow_ends_total')!.count({ ...told(revision), reason }, 1),
    backend: (seconds, backend) => calls.observe({ backend }, seconds),
    ...gaugesOf(registry),
    async value(name, labels = {}) {
      const values = await counters.get(name)!.values()
      return values
        .filter((v) => Object.entries(labels).every(([key, want]) => v.labels[key] === want))
        .reduce((sum, v) => sum + v.value, 0)
    },
  }
}

function gaugesOf(registry: Registry): Pick<Metrics, 'gauge' | 'gauges'> {
  return {
    gauge(name, help, read) {
      const gauge: Gauge = new Gauge({
        name,
        help,
        registers: [registry],
        async collect() {
          gauge.set(await read())
        },
      })
    },
    gauges(name, help, labelNames, read) {
      const gauge: Gauge = new Gauge({
        name,
        help,
        labelNames,
        registers: [registry],
        collect() {
          gauge.reset()
          for (const { labels, value } of read()) gauge.set(labels, value)
        },
      })
    },
  }
}

/** Prometheus wants counters to say so. */
function total(name: string): string {
  return name.endsWith('_total') ? name : `${name}_total`
}

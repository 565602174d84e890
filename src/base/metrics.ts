/**
 * What is counted: one table, so that the docs and the dashboard have one source. No label ever holds a number, a text
 * or anything else of a subscriber.
 */
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { batchedCounter } from './batched-counter.ts'
import { QUIET_SAMPLER, registerEventLoopLag } from './tasks/index.ts'

export type Labels = Record<string, string>

/** The port for counting. */
export interface Counters {
  count(name: CounterName, labels?: Labels, by?: number): void
}

/** name → [help, labels] */
export const COUNTERS = {
  // The SMPP books balance on every line (src/smpp/session/counters.ts): received = handled + duplicate + rejected +
  // dropped; submitted = ok + refused + timeout + lost.
  smpp_rx: ['PDUs received', ['line', 'command']],
  smpp_rx_handled: ['PDUs received and handled', ['line', 'command']],
  smpp_rx_duplicate: ['PDUs received twice', ['line', 'command']],
  smpp_rx_rejected: ['PDUs answered with an error', ['line', 'command', 'status']],
  // reason: late-response, wrong-command, unexpected-response, unknown-response, outbind, link-closed, nack-0
  smpp_rx_dropped: ['PDUs received and ignored', ['line', 'command', 'reason']],
  smpp_rx_deferred: [
    'Requests refused while we were unbinding, so that the SMSC delivers them again; part of rejected',
    ['line', 'command'],
  ],
  smpp_tx_submit: ['Requests that we sent', ['line', 'lane']],
  smpp_tx_ok: ['Our requests that the SMSC accepted', ['line', 'lane']],
  smpp_tx_refused: ['Our requests that the SMSC refused', ['line', 'lane', 'status']],
  smpp_tx_timeout: ['Our requests without a response in time', ['line', 'lane']],
  smpp_tx_lost: ['Our requests whose link closed before the response', ['line', 'lane']],
  smpp_tx_recalled: ['Our requests that were taken back before the socket had them', ['line', 'lane']],
  smpp_unsent: ['Our requests that were never sent; of a reply its end, not its tries', ['line', 'lane', 'why']],
  smpp_framing_fault: ['Octets that are not SMPP, by the protocol that they look like', ['line', 'speaks']],
  smpp_tolerated: ['Faults in PDUs that we accepted anyway', ['line', 'what']],
  smpp_handler_failed: ['Handlers that threw or did not answer: bugs', ['line', 'how']],
  smpp_limit: ['Limits that the SMPP side reached', ['line', 'limit']],
  // kind: ussd, otp, transactional, reminder, campaign, and what a module calls its SMS; sms: questions about SMS
  smpp_cap_used: ['Requests under the cap of a line (submits.perSecond), by what they are', ['line', 'kind']],
  smpp_cap_waits: ['Requests that the cap of a line held back', ['line', 'lane']],
  smpp_cap_wait_seconds: ['For how long it held them back, in all', ['line', 'lane']],
  smpp_cap_asks: [
    'Times that this daemon asked for its share of the cap of a line: given; away: the store did not answer',
    ['line', 'result'],
  ],
  // why: src/smpp/session/trouble.ts
  smpp_connect_failures: [
    'Tries of a bind that failed, by why; a working bind that is lost is in smpp_link_lost',
    ['line', 'why'],
  ],
  smpp_bind_refused: ['Binds that the SMSC refused', ['line', 'status']],
  smpp_enquire_missed: ['enquire_link without an answer in time', ['line']],
  smpp_link_lost: ['Links that closed', ['line', 'why']],
  line_changes_total: [
    'Lines added, changed, removed, stopped, started; refused: the line could not bind with new settings',
    ['line', 'what'],
  ],
  // how: waited, once for all that waited together; hindered: the SMSC sent less meanwhile, so nothing waits for now
  smpp_together: ['Waits of what the SMSC sends often, to be handled together (togetherMs)', ['line', 'how']],
  smpp_write: ['Socket writes: at most one a link and event-loop turn', ['line']],
  ussd_messages_total: ['USSD messages by kind and result', ['line', 'kind', 'result']],
  language_lookups_failed: [
    'New dialogues that started in the default language because the chosen one could not be read',
    ['why'],
  ],
  ussd_replies_total: [
    'USSD replies by action and outcome of each time that they were sent; unsent: never sent, however often it was tried',
    ['line', 'action', 'result'],
  ],
  ussd_given_up_total: [
    'Screens given up because the SMSC throttled them too long, or the dialogue went on without them',
    ['line', 'why'],
  ],
  // service: a code of the settings, `*` among them; push; none: no service has the code any more
  ussd_dialogues_total: ['Dialogues ended, by flow, service code and reason', ['line', 'flow', 'service', 'reason']],
  // result: src/test-dials/outcome.ts
  ussd_test_dials_total: ['Test dials of the schedule by result', ['line', 'service', 'result']],
  ussd_pushes_total: ['USSD pushes by result', ['line', 'result']],
  // kind: dialogue, deferred, sms, refused
  records_files_total: ['Files of call detail records written', ['partner']],
  flow_screens_total: [
    'Screens of flows that dialogues reached, and where they ended before the end of the flow (what: reached, left); from their records',
    ['flow', 'screen', 'what'],
  ],
  records_total: ['Call detail records written', ['kind']],
  ussd_late_total: ['Deferred answers, by what was done with them', ['line', 'what']],
  ussd_cut_total: ['Replies cut because they were longer than one page', ['line', 'flow']],
  admin_turned_away_total: ['Requests that the admin server refused, by reason', ['why']],
  // why: nobody, wrong, locked, unsigned, signature, stale, replay, address, msisdn, service, rate; without tokens:
  // page, not-here, content-type
  door_turned_away_total: ['Requests that the HTTP ingress refused, by reason', ['why']],
  door_requests_total: ['Requests to the HTTP ingress by status', ['status']],
  dialogue_store_errors_total: [
    'Calls of the dialogue store that failed; record: faults outside any call',
    ['call', 'code'],
  ],
  dialogue_outdated_total: [
    'Messages that met a dialogue in Redis which another daemon had taken further than this one knew, and were decided again',
    [],
  ],
  dialogue_store_plain_total: ['Stored values without a bound seal that were read because of privacy.plainUntil', []],
  store_key_reloads_total: ['Reloads of the key file of the dialogue store', ['result']],
  dialogue_takeovers_total: ['Turns taken over from a dead daemon, and replies sent again', ['kind']],
  settings_reloads_total: ['Reloads of the settings: taken, or refused because something in them is wrong', ['result']],
  flow_reloads_total: ['Flow files loaded or refused', ['flow', 'result']],
  flow_turns_total: ['Turns by flow revision; only the revisions used last', ['revision']],
  flow_ends_total: [
    'Dialogues ended, by flow revision and reason; only the revisions used last',
    ['revision', 'reason'],
  ],
  backend_calls_total: ['Back end calls by outcome', ['backend', 'operation', 'result']],
  backend_retries_total: ['Back end calls repeated, by the result of the try before', ['backend', 'operation', 'why']],
  backend_cache_total: [
    'Reads that may come from the cache, by where the answer came from',
    ['backend', 'operation', 'result'],
  ],
  module_events_total: ['Events that back end modules count', ['backend', 'event']],
  sms_total: ['SMS of the outbox by state', ['kind', 'state']],
  // why: expired, receipt (the network gave it up), tries, no-response, refused, not-sent (its template)
  sms_given_up_total: ['SMS that nobody gets any more, by why; each has a line in the log', ['line', 'why']],
  sms_owed_total: [
    'answers of back ends that asked for SMS while Postgres did not answer: kept, sent later, lost',
    ['what'],
  ],
  sms_requests_total: [
    'SMS that flows, back ends and applications asked for or cancelled, by owner and result',
    ['owner', 'result'],
  ],
  sms_replaced_total: ['SMS whose text an operator replaced, by result', ['result']],
  sms_operator_total: [
    'SMS that an operator had sent again (retry) or taken back (cancel), by result',
    ['what', 'result'],
  ],
  sms_queries_total: ['Questions to the SMSC about parts of SMS with overdue receipts', ['line', 'result']],
  sms_late_total: [
    'Responses to SMS that arrived after their deadline, by whether they changed anything',
    ['line', 'result'],
  ],
  sms_receipts_total: ['Delivery receipts by state and by whether they match an SMS', ['line', 'state', 'result']],
  sms_incoming_total: ['SMS from subscribers', ['line', 'result']],
  sms_unfinished_total: ['Long SMS from subscribers given up because parts were missing', ['group', 'why']],
  hook_events_total: ['Events of SMS for web-hooks: told, again, given-up', ['hook', 'result']],
  pin_total: ['PIN tries and changes by result', ['result']],
  retention_purged_total: [
    'Rows removed because of their age; backend: whose module removed them, empty for the daemon itself',
    ['what', 'backend'],
  ],
  module_purge_failed_total: ['Hourly purges of modules of back ends that failed or took too long', ['backend']],
  // where: src/base/tasks/stretch.ts
  slow_stretches_total: ['Pieces of work on outside data that held the event loop for over 50 ms, by place', ['where']],
  limits_total: ['Limits reached, by name', ['limit']],
  bugs_total: ['Unexpected exceptions: bugs', ['where']],
} as const satisfies Record<string, readonly [string, readonly string[]]>

export type CounterName = keyof typeof COUNTERS

export interface Metrics extends Counters {
  registry: Registry
  /** Seconds from a message to the reply handed to the link. */
  turn(seconds: number, flow: string, revision: string): void
  /** A dialogue of that revision ended. */
  ended(revision: string, reason: string): void
  backend(seconds: number, backend: string): void
  /** A value that is read on request. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void
  /** The same with labels: as many values as exist at that moment. */
  gauges(name: string, help: string, labels: readonly string[], read: () => { labels: Labels; value: number }[]): void
  /** Each combination of labels. */
  rows(name: CounterName): Promise<{ labels: Labels; value: number }[]>
  /** Sums by the values of one label. */
  sums(name: CounterName, label: string): Promise<Map<string, number>>
  /** The sum over all labels; tests balance books with it. */
  value(name: CounterName, labels?: Labels): Promise<number>
}

const NONE: Labels = {}

/**
 * How many revisions /metrics distinguishes: enough for each flow and its trials. The longest unused ones are dropped.
 */
export const REVISIONS_TOLD_MAX = 50

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function createMetrics(options: { process: boolean }): Metrics {
  const registry = new Registry()
  if (options.process) {
    collectDefaultMetrics({ register: registry, ...QUIET_SAMPLER })
    registerEventLoopLag(registry)
  }
  const counters = new Map(
    Object.entries(COUNTERS).map(([name, [help, labelNames]]) => [
      name,
      batchedCounter({ name: total(name), help, labelNames, registry }),
    ]),
  )
  const timed = <Name extends string>(name: string, help: string, label: Name) =>
    new Histogram({ name, help, labelNames: [label], buckets: SECONDS, registers: [registry] })
  const turns = timed('ussd_turn_seconds', 'Time from a message to its reply', 'flow')
  const calls = timed('backend_call_seconds', 'Time of back end calls', 'backend')
  const revisions = new Set<string>()
  let newest = ''
  const told = (revision: string): Labels => {
    if (revision === newest) return { revision }
    newest = revision
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
    rows: (name) => counters.get(name)!.values(),
    async sums(name, label) {
      const sums = new Map<string, number>()
      for (const { labels, value } of await counters.get(name)!.values()) {
        const of = labels[label] ?? ''
        sums.set(of, (sums.get(of) ?? 0) + value)
      }
      return sums
    },
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

/** Prometheus requires this ending for counters. */
function total(name: string): string {
  return name.endsWith('_total') ? name : `${name}_total`
}

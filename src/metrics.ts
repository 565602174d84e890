/**
 * What is counted: one table, so that the docs and the dashboard have one source. No label ever holds a number, a text
 * or anything else of a subscriber's.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

export type Labels = Record<string, string>

/** The port that everything counts through. */
export interface Counters {
  count(name: CounterName, labels?: Labels, by?: number): void
}

/** name → [help, labels] */
export const COUNTERS = {
  smpp_rx_pdus_total: ['PDUs received, each counted once by what became of it', ['line', 'command', 'result']],
  smpp_tx_pdus_total: ['PDUs written', ['line', 'command']],
  smpp_submits_total: ['Requests of ours by outcome: ok, refused, timeout, lost, unsent', ['line', 'lane', 'result', 'status']],
  smpp_binds_total: ['Bind attempts by outcome', ['line', 'result']],
  smpp_faults_total: ['Things a peer did that no peer should, by kind', ['line', 'kind']],
  ussd_messages_total: ['USSD messages by kind and by what became of them', ['line', 'kind', 'result']],
  ussd_replies_total: ['USSD replies by action and outcome', ['line', 'action', 'result']],
  ussd_dialogues_total: ['Dialogues ended, by flow and reason', ['line', 'flow', 'reason']],
  ussd_cut_total: ['Replies that were over one page and cut', ['line', 'flow']],
  dialogue_store_errors_total: ['Calls of the dialogue store that failed', ['call', 'code']],
  dialogue_takeovers_total: ['Turns taken over from a daemon that died, and replies sent again', ['kind']],
  flow_reloads_total: ['Flow files loaded or refused', ['flow', 'result']],
  backend_calls_total: ['Back end calls by outcome', ['backend', 'operation', 'result']],
  sms_total: ['SMS of the outbox by what became of them', ['kind', 'state']],
  sms_receipts_total: ['Delivery receipts by state and whether they met an SMS', ['line', 'state', 'result']],
  sms_incoming_total: ['SMS from subscribers', ['line', 'result']],
  limits_total: ['Limits that were hit, by name', ['limit']],
  bugs_total: ['Exceptions that should not have been', ['where']],
} as const satisfies Record<string, readonly [string, readonly string[]]>

export type CounterName = keyof typeof COUNTERS

export interface Metrics extends Counters {
  registry: Registry
  /** Seconds from a message to the reply handed to the link. */
  turn(seconds: number, flow: string): void
  backend(seconds: number, backend: string): void
  /** A figure read when asked for. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void
  /** The sum over all labels; tests balance books with it. */
  value(name: CounterName, labels?: Labels): Promise<number>
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function createMetrics(options: { process: boolean }): Metrics {
  const registry = new Registry()
  if (options.process) collectDefaultMetrics({ register: registry })
  const counters = new Map(Object.entries(COUNTERS).map(([name, [help, labelNames]]) =>
    [name, new Counter({ name, help, labelNames: [...labelNames], registers: [registry] })]))
  const timed = <Name extends string>(name: string, help: string, label: Name) =>
    new Histogram({ name, help, labelNames: [label], buckets: SECONDS, registers: [registry] })
  const turns = timed('ussd_turn_seconds', 'From a message to its reply', 'flow')
  const calls = timed('backend_call_seconds', 'Back end calls', 'backend')
  return {
    registry,
    count: (name, labels = {}, by = 1) => counters.get(name)!.inc(labels, by),
    turn: (seconds, flow) => turns.observe({ flow }, seconds),
    backend: (seconds, backend) => calls.observe({ backend }, seconds),
    gauge(name, help, read) {
      const gauge: Gauge = new Gauge({ name, help, registers: [registry], async collect() { gauge.set(await read()) } })
    },
    async value(name, labels = {}) {
      const { values } = await counters.get(name)!.get()
      return values.filter((v) => Object.entries(labels).every(([key, want]) => (v.labels as Labels)[key] === want))
        .reduce((sum, v) => sum + v.value, 0)
    },
  }
}

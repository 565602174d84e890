/** What went over the lines since the last look, a second: for people who watch, not for monitoring systems. */
import type { DaemonRates, LineTraffic } from '../../admin/index.ts'
import type { CounterName, Metrics } from '../../base/index.ts'
import type { LineLoad } from '../../smpp/index.ts'
import { percentileMs } from '../../smpp/session/index.ts'

export interface TrafficDeps {
  metrics: Pick<Metrics, 'sums' | 'value'>
  /** Monotonic milliseconds. */
  now(): number
  loads(): ReadonlyMap<string, LineLoad>
  /** A shorter look says little: until then, the last one is repeated. */
  lookMs: number
}

export interface Traffic {
  rates: DaemonRates
  lines: ReadonlyMap<string, LineTraffic>
}

/** What is counted by line, and as what it is shown. */
const COUNTED = {
  received: ['smpp_rx'],
  sent: ['smpp_tx_submit'],
  failed: ['smpp_tx_refused', 'smpp_tx_timeout', 'smpp_tx_lost'],
} as const satisfies Record<string, readonly CounterName[]>
const P95 = 0.95

type Counts = Record<keyof typeof COUNTED, Map<string, number>>

interface Look {
  atMs: number
  daemon: number[]
  lines: Counts
  loads: ReadonlyMap<string, LineLoad>
}

export function createTraffic({ metrics, now, loads, lookMs }: TrafficDeps): () => Promise<Traffic> {
  let before: Look | undefined
  let shown: Traffic = { rates: { dials: 0, turns: 0, sms: 0 }, lines: new Map() }

  async function look(): Promise<Look> {
    const [daemon, received, sent, failed] = await Promise.all([
      Promise.all([
        metrics.value('ussd_messages_total', { kind: 'begin' }),
        metrics.value('ussd_messages_total'),
        metrics.value('smpp_tx_ok', { lane: 'sms' }),
      ]),
      ...Object.values(COUNTED).map((names) => byLine(metrics, names)),
    ])
    return { atMs: now(), daemon, lines: { received: received!, sent: sent!, failed: failed! }, loads: loads() }
  }

  return async () => {
    if (before && now() - before.atMs < lookMs) return shown
    const after = await look()
    if (before) shown = between(before, after)
    else shown = { ...shown, lines: between(after, after).lines }
    before = after
    return shown
  }
}

async function byLine(metrics: Pick<Metrics, 'sums'>, names: readonly CounterName[]): Promise<Map<string, number>> {
  const [first, ...more] = await Promise.all(names.map((name) => metrics.sums(name, 'line')))
  for (const sums of more) for (const [line, sum] of sums) first!.set(line, (first!.get(line) ?? 0) + sum)
  return first!
}

function between(before: Look, after: Look): Traffic {
  const seconds = Math.max(after.atMs - before.atMs, 1) / 1_000
  const rate = (from: number, to: number) => Math.round(((to - from) / seconds) * 10) / 10
  const [dials, turns, sms] = after.daemon.map((count, n) => rate(before.daemon[n]!, count))
  const lines = [...after.loads].map(([line, { slots, taken, answers }]): [string, LineTraffic] => {
    const of = (what: keyof Counts) => rate(before.lines[what].get(line) ?? 0, after.lines[what].get(line) ?? 0)
    const p95Ms = percentileMs(before.loads.get(line)?.answers, answers, P95)
    const told = p95Ms === undefined ? {} : { p95Ms }
    return [line, { received: of('received'), sent: of('sent'), failed: of('failed'), slots, taken, ...told }]
  })
  return { rates: { dials: dials!, turns: turns!, sms: sms! }, lines: new Map(lines) }
}

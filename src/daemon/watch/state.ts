/** What this daemon tells the others of itself: its lines, alarms, and a sample of rates. */
import type { DaemonState, LineRow, DaemonRates } from '../../admin/index.ts'
import { monotonicClock, type Metrics } from '../../base/index.ts'
import type { Flows } from '../../flow/release/index.ts'
import type { Alarms } from '../../watch/index.ts'

export interface StateDeps {
  metrics: Metrics
  clock: { now(): number }
  lines(): LineRow[]
  alarms: Pick<Alarms, 'rows'>
  flows: Pick<Flows, 'names'>
  isReady(): boolean
}

/** A shorter sample says little. */
const SAMPLE_MS = 4_000

export function createState({ metrics, clock, lines, alarms, flows, isReady }: StateDeps): () => Promise<DaemonState> {
  const rates = sampled(metrics, monotonicClock(clock))
  return async () => ({
    ready: isReady(),
    lines: lines(),
    rates: await rates(),
    alarms: alarms.rows(),
    flows: flows.names().flatMap(({ name, broken, recalled }) => (broken || recalled ? [name] : [])),
  })
}

function sampled(metrics: Metrics, now: () => number): () => Promise<DaemonRates> {
  let [before, beforeMs]: [number[], number] = [[0, 0, 0], now()]
  let rates: DaemonRates = { dials: 0, turns: 0, sms: 0 }
  return async () => {
    const elapsedMs = now() - beforeMs
    if (elapsedMs < SAMPLE_MS) return rates
    const counts = await Promise.all([
      metrics.value('ussd_messages_total', { kind: 'begin' }),
      metrics.value('ussd_messages_total'),
      metrics.value('smpp_tx_ok', { lane: 'sms' }),
    ])
    const [dials = 0, turns = 0, sms = 0] = counts.map((count, i) => ((count - before[i]!) * 1_000) / elapsedMs)
    ;[before, beforeMs] = [counts, now()]
    const rounded = (rate: number) => Math.round(rate * 10) / 10
    rates = { dials: rounded(dials), turns: rounded(turns), sms: rounded(sms) }
    return rates
  }
}

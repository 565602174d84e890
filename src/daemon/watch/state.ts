/** What this daemon tells the others of itself: its lines, alarms, and a sample of rates. */
import type { DaemonState, EndedCount, LineRow, OpenCounted } from '../../admin/index.ts'
import { monotonicClock, type Metrics } from '../../base/index.ts'
import type { Flows } from '../../flow/release/index.ts'
import type { LineLoad } from '../../smpp/index.ts'
import type { Alarms } from '../../watch/index.ts'
import { createTraffic } from './traffic.ts'

export interface StateDeps {
  metrics: Metrics
  clock: { now(): number }
  lines(): LineRow[]
  loads(): ReadonlyMap<string, LineLoad>
  alarms: Pick<Alarms, 'rows'>
  flows: Pick<Flows, 'names'>
  isReady(): boolean
  opened: { own(): OpenCounted | undefined }
  /** Rates are over so long at least. */
  lookMs: number
}

/** Of the heartbeat, which comes every five seconds. */
export const BEAT_LOOK_MS = 4_000

/** Of a daemon with very many services, the most frequent. */
const ENDS_TOLD_MAX = 300

async function endsOf(metrics: Pick<Metrics, 'rows'>): Promise<EndedCount[]> {
  const sums = new Map<string, EndedCount>()
  for (const { labels, value } of await metrics.rows('ussd_dialogues_total')) {
    const { service = '', flow = '', reason = '' } = labels
    const key = `${service} ${flow} ${reason}`
    const known = sums.get(key)
    if (known) known.count += value
    else sums.set(key, { service, flow, reason, count: value })
  }
  return [...sums.values()].toSorted((a, b) => b.count - a.count).slice(0, ENDS_TOLD_MAX)
}

export function createState(deps: StateDeps): () => Promise<DaemonState> {
  const { metrics, clock, lines, loads, alarms, flows, isReady, opened, lookMs } = deps
  const traffic = createTraffic({ metrics, now: monotonicClock(clock), loads, lookMs })
  return async () => {
    const { rates, lines: over } = await traffic()
    const open = opened.own()
    return {
      ready: isReady(),
      lines: lines().map((row) => {
        const of = over.get(row.name)
        return of && !row.stopped ? { ...row, traffic: of } : row
      }),
      rates,
      ends: await endsOf(metrics),
      alarms: alarms.rows(),
      flows: flows.names().flatMap(({ name, broken, recalled }) => (broken || recalled ? [name] : [])),
      ...(open ? { open } : {}),
    }
  }
}

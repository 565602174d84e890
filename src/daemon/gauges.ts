/** Metrics that are read, not counted: what is open, running and bound now. */
import { performance } from 'node:perf_hooks'
import type { CapState } from '../admin/index.ts'
import { packageVersion, type Metrics } from '../base/index.ts'
import type { Gateway } from '../gateway/index.ts'
import type { Settings } from '../config/index.ts'
import type { LineHolds, Lines } from './lines/index.ts'
import type { Stores } from './stores/index.ts'

export interface GaugesDeps {
  metrics: Metrics
  /** Of this daemon. */
  name: string
  stores: Stores
  lines: Lines
  gateway: Gateway
  settings: Pick<Settings, 'lines'>
  holds: Pick<LineHolds, 'of'>
}

export function registerGauges({ metrics, name, stores, lines, gateway, settings, holds }: GaugesDeps): void {
  const build = { version: packageVersion(), node: process.versions.node, instance: name }
  metrics.gauges(
    'build_info',
    '1: which version runs, on which Node.js, by its name',
    ['version', 'node', 'instance'],
    () => [{ labels: build, value: 1 }],
  )
  metrics.gauge('ussd_dialogues_open', 'Dialogues that are open', () => stores.dialogues.count().catch(() => -1))
  metrics.gauge('ussd_turns_under_way', 'Turns that run now', () => gateway.turnsUnderWay())
  metrics.gauge(
    'event_loop_turns',
    'Turns of the event loop so far; compare with smpp_write to see whether writes are batched',
    () => performance.nodeTiming.uvMetricsInfo.loopCount,
  )
  metrics.gauge(
    'redis_nodes_known',
    'Redis servers that hold dialogues; 0: embedded',
    () => stores.dialogues.nodes?.().known ?? 0,
  )
  metrics.gauge(
    'redis_nodes_ready',
    'Redis servers that we are connected to',
    () => stores.dialogues.nodes?.().ready ?? 0,
  )
  metrics.gauges('line_held', '1: new dials are turned away (`lines --hold`), and the line stays bound', ['line'], () =>
    settings.lines.map(({ name: line }) => ({ labels: { line }, value: holds.of(line) ? 1 : 0 })),
  )
  metrics.gauge('smpp_links_bound', 'Links that are bound', () => lines.boundCount())
  const eachBind = (value: 'up' | 'standby') => () =>
    lines.binds().map(({ line, bind, ...figure }) => ({ labels: { line, bind }, value: Number(figure[value]) }))
  metrics.gauges('smpp_bind_up', '1: the bind is up; 0: it is down', ['line', 'bind'], eachBind('up'))
  metrics.gauges(
    'smpp_bind_standby',
    '1: on standby, because the SMSC says already bound',
    ['line', 'bind'],
    eachBind('standby'),
  )
  registerCapGauges(metrics, lines)
}

function registerCapGauges(metrics: Metrics, lines: Pick<Lines, 'caps'>): void {
  const each = (valueOf: (cap: CapState) => number) => () =>
    [...lines.caps()].map(([line, cap]) => ({ labels: { line }, value: valueOf(cap) }))
  metrics.gauges(
    'smpp_cap',
    'Requests a second that the SMSC takes on the whole line (submits.perSecond)',
    ['line'],
    each(({ perSecond }) => perSecond),
  )
  metrics.gauges(
    'smpp_cap_share',
    'Of these, what this daemon may send now; 0: it has sent nothing for a while',
    ['line'],
    each(({ share }) => share),
  )
  metrics.gauges(
    'smpp_cap_away',
    '1: the store is unreachable, so the last share of the cap goes on',
    ['line'],
    each(({ isAway }) => Number(isAway)),
  )
}

/** docs/reference/METRICS.md: every metric, as the daemon registers it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMetrics } from '../../src/base/metrics.ts'
import { packageRoot } from '../../src/base/package-root.ts'
import { code, generated, table } from './page.ts'
import { sourceFiles } from './sources.ts'

const HEAD = `# Metrics

Every metric that \`/metrics\` of the admin server shows. No label ever holds a subscriber's number or text.
[OPERATIONS](../OPERATIONS.md) says which to watch; \`deploy/alerts.yml\` has the alerts, \`deploy/grafana.json\` a dashboard.
Node's own metrics (\`process_*\`, \`nodejs_*\`) come on top. \`nodejs_eventloop_lag_*\` are sampled every 50 ms, and hold only the delay,
not the time between two samples.

On every line the SMPP counters balance: received = handled + duplicate + rejected + dropped, and
submitted = accepted + refused + timed out + lost + taken back.
`

export interface MetricRow {
  name: string
  type: string
  labels: readonly string[]
  help: string
}

/** Gauges are registered where their values are: `metrics.gauge('name', 'help', …)`, or `gauges` with labels. */
const GAUGE = /\.gauges?\(\s*'(\w+)',\s*('(?:[^'\\]|\\.)*'|"[^"]*")(?:,\s*\[([^\]]*)\])?/g

/** All metrics, by name. */
export async function metricRows(): Promise<MetricRow[]> {
  const { registry } = createMetrics({ process: false })
  const registered = registry.getMetricsAsArray() as unknown as (MetricRow & { labelNames: readonly string[] })[]
  const own = registered.map(({ name, help, type, labelNames }) => ({ name, help, type, labels: labelNames }))
  const gauges = sourceFiles().flatMap((file) =>
    [...readFileSync(join(packageRoot, file), 'utf8').matchAll(GAUGE)].map(([, name, help, labels = '']) => ({
      name: name!,
      type: 'gauge',
      labels: [...labels.matchAll(/'(\w+)'/g)].map(([, label]) => label!),
      help: help!.slice(1, -1),
    })),
  )
  return [...own, ...gauges].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

export async function metricsPage(): Promise<string> {
  const rows = (await metricRows()).map(({ name, type, labels, help }) => [
    code(name),
    type,
    labels.map(code).join(', '),
    help,
  ])
  return generated(HEAD, table(['metric', 'type', 'labels', 'counts'], rows))
}

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { COUNTERS } from '../../src/base/metrics.ts'
import { startSmsc, type Smsc } from '../../src/simulator/smsc/smsc.ts'
import { realClock } from '../support/clock.ts'
import { stageDaemon, type Staged } from '../support/daemon.ts'
import { describeWith } from '../support/services.ts'
import { root } from './tree.ts'

describe('the dashboard', () => {
  it('shows only figures that the daemon has, by labels that they have', () => {
    const own = new Map(
      Object.entries(COUNTERS).map(([name, [, labels]]) => [name.endsWith('_total') ? name : `${name}_total`, labels]),
    )
    const gauges = [
      'smpp_links_bound',
      'smpp_bind_up',
      'smpp_cap',
      'smpp_cap_share',
      'ussd_dialogues_open',
      'ussd_turns_under_way',
      'ussd_turn_seconds_bucket',
      'backend_call_seconds_bucket',
    ]
    const source = readFileSync(join(root, 'deploy/grafana.json'), 'utf8')
    const exprs = [...source.matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g)].map((found) => found[1]!)
    assert.ok(exprs.length > 20)
    for (const expr of exprs) {
      const [name] = /[a-z]+_[a-z_]+/.exec(expr.replace('histogram_quantile', ''))!
      assert.ok(own.has(name) || gauges.includes(name), name)
      const by =
        /by \(([^)]*)\)/
          .exec(expr)?.[1]
          ?.split(', ')
          .filter((label) => label !== 'le') ?? []
      for (const label of by)
        assert.ok(gauges.includes(name) || (own.get(name) as readonly string[]).includes(label), `${name} by ${label}`)
    }
  })
})

interface Rule {
  alert: string
  expr: string
  labels: { severity: string }
  annotations: { summary: string; do: string }
}

describeWith(['redis', 'postgres'], 'what an operator is told to watch', () => {
  let smsc: Smsc
  let staged: Staged
  /** As /metrics names them. */
  let metrics: Set<string>

  before(async function () {
    this.timeout(60_000)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({
      smscPort: smsc.port,
      wall: { now: () => Date.now(), steady: () => performance.now() },
    })
    const answer = await fetch(`http://127.0.0.1:${staged.daemon.admin.port}/metrics`)
    metrics = new Set(
      [...(await answer.text()).matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name, type]) =>
        type === 'histogram' ? [name!, `${name}_bucket`] : [name!],
      ),
    )
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
  })

  /** Faults of names, and of the labels that are chosen by, in something written for Prometheus. */
  function faultsOf(written: string): string[] {
    const selectors = [...written.matchAll(/\b([a-z]+(?:_[a-z]+)+)\b(?:\{([^}]*)\})?/g)].filter(
      ([, name]) => !/^(histogram_quantile|min_over_time)$/.test(name!),
    )
    assert.ok(selectors.length > 0, written)
    return selectors.flatMap(([, name, labels = '']) => {
      if (!metrics.has(name!)) return [`${name} is not in /metrics`]
      const own =
        COUNTERS[name as keyof typeof COUNTERS] ?? COUNTERS[name!.replace(/_total$/, '') as keyof typeof COUNTERS]
      return [...labels.matchAll(/(\w+)[=!]~?"/g)]
        .filter(([, label]) => !(own[1] as readonly string[]).includes(label!))
        .map(([, label]) => `${name} has no label ${label}`)
    })
  }

  it('is in /metrics, where alerts name it', () => {
    const { groups } = parse(readFileSync(join(root, 'deploy/alerts.yml'), 'utf8')) as { groups: { rules: Rule[] }[] }
    const rules = groups.flatMap((group) => group.rules)
    assert.ok(rules.length > 10)
    for (const { alert, expr, labels, annotations } of rules) {
      // What a sum is by is a label, not a metric.
      assert.deepEqual(faultsOf(expr.replace(/by \([^)]*\)/g, '')), [], alert)
      assert.match(labels.severity, /^(critical|warning)$/, alert)
      assert.ok(annotations.summary && annotations.do, alert)
    }
    assert.deepEqual(faultsOf('rate(bugs_totals{where="x"}[5m]) + rate(bugs_total{were="x"}[5m])'), [
      'bugs_totals is not in /metrics',
      'bugs_total has no label were',
    ])
  })

  it('is in /metrics, where docs/OPERATIONS.md names it', () => {
    const page = readFileSync(join(root, 'docs/OPERATIONS.md'), 'utf8')
    const table = /## What to watch[\s\S]*?(?=\n## )/.exec(page)![0].replaceAll('\\|', '|')
    const named = [...table.matchAll(/`((?:smpp|ussd|sms|backend|limits|flow|bugs)_\w+(?:\{[^}]*\})?)/g)].map(
      ([, one]) => one!,
    )
    assert.ok(named.length > 15)
    for (const one of named) assert.deepEqual(faultsOf(one), [])
  })
})

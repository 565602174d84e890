import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { COUNTERS } from '../src/metrics.ts'
import { root } from './style/tree.ts'

describe('the dashboard', () => {
  it('shows only figures that the daemon has, by labels that they have', () => {
    const own = new Map(Object.entries(COUNTERS).map(([name, [, labels]]) => [name.endsWith('_total') ? name : `${name}_total`, labels]))
    const gauges = ['smpp_links_bound', 'ussd_dialogues_open', 'ussd_turns_under_way', 'ussd_turn_seconds_bucket', 'backend_call_seconds_bucket']
    const source = readFileSync(join(root, 'deploy/grafana.json'), 'utf8')
    const exprs = [...source.matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g)].map((found) => found[1]!)
    assert.ok(exprs.length > 20)
    for (const expr of exprs) {
      const [name] = /[a-z]+_[a-z_]+/.exec(expr.replace('histogram_quantile', ''))!
      assert.ok(own.has(name) || gauges.includes(name), name)
      const by = /by \(([^)]*)\)/.exec(expr)?.[1]?.split(', ').filter((label) => label !== 'le') ?? []
      for (const label of by) assert.ok(gauges.includes(name) || (own.get(name) as readonly string[]).includes(label), `${name} by ${label}`)
    }
  })
})

/** The lag of the event loop: what dashboards know, without the pause between two samples. */
import assert from 'node:assert/strict'
import { createHistogram } from 'node:perf_hooks'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { LAG_SAMPLE_MS, QUIET_SAMPLER, registerEventLoopLag } from '../../../src/base/tasks/event-loop-lag.ts'
import { createMetrics } from '../../../src/base/metrics.ts'

const FIGURES = ['', 'min_', 'max_', 'mean_', 'stddev_', 'p50_', 'p90_', 'p99_']

async function lags(registry: Registry): Promise<Record<string, number>> {
  const text = await registry.metrics()
  const found = text.matchAll(/^nodejs_eventloop_lag_(\w*?)_?seconds (\S+)$/gm)
  return Object.fromEntries([...found].map(([, figure, value]) => [figure!, Number(value)]))
}

describe('the lag of the event loop', () => {
  it('is told by all the names that prom-client has for it', async () => {
    const [plain, ours] = [new Registry(), createMetrics({ process: true })]
    collectDefaultMetrics({ register: plain, ...QUIET_SAMPLER })
    const names = Object.keys(await lags(plain)).toSorted()
    assert.equal(names.length, FIGURES.length)
    assert.deepEqual(Object.keys(await lags(ours.registry)).toSorted(), names)
  })

  it('leaves the pause between two samples out, and begins anew at each reading', async () => {
    const registry = new Registry()
    const delays = createHistogram()
    registerEventLoopLag(registry, delays)
    const sample = (lagMs: number) => delays.record((LAG_SAMPLE_MS + lagMs) * 1_000_000)
    for (const lagMs of [0, 0, 0, 250]) sample(lagMs)
    const first = await lags(registry)
    assert.equal(first.max?.toFixed(2), '0.25')
    assert.equal(first.p50?.toFixed(2), '0.00')
    assert.equal(first.mean?.toFixed(2), '0.06')
    const second = await lags(registry)
    for (const figure of FIGURES.slice(1)) assert.equal(second[figure.slice(0, -1)], 0, figure)
    sample(20)
    assert.equal((await lags(registry)).max?.toFixed(2), '0.02')
  })

  it('is not below nothing, where a sample came early', async () => {
    const registry = new Registry()
    const delays = createHistogram()
    registerEventLoopLag(registry, delays)
    delays.record((LAG_SAMPLE_MS - 5) * 1_000_000)
    assert.equal((await lags(registry)).min, 0)
  })
})

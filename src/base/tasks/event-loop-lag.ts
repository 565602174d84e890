/**
 * The lag of the event loop, under the metric names that dashboards for Node.js know. prom-client's own sampler wakes
 * the process a hundred times per second, which is most of the cost of an idle daemon.
 */
import { monitorEventLoopDelay, type RecordableHistogram } from 'node:perf_hooks'
import { Gauge, type Registry } from 'prom-client'

/**
 * The time between two samples. Of a stall, only what lasts beyond the next sample is measured. Twenty samples per
 * second cost a thousandth of a core.
 */
export const LAG_SAMPLE_MS = 50
/** prom-client's sampler cannot be switched off. With this precision it never wakes. */
export const QUIET_SAMPLER = { eventLoopMonitoringPrecision: 2 ** 31 - 1 }

/** Nanoseconds between two samples. */
export type Delays = Pick<RecordableHistogram, 'count' | 'min' | 'max' | 'mean' | 'stddev' | 'percentile' | 'reset'>

function sampled(): Delays {
  const delays = monitorEventLoopDelay({ resolution: LAG_SAMPLE_MS })
  delays.enable()
  return delays
}

/** Replaces prom-client's metrics of this name with ours. Reading them clears the samples. */
export function registerEventLoopLag(registry: Registry, delays: Delays = sampled()): void {
  const name = (figure: string) => `nodejs_eventloop_lag_${figure}seconds`
  const known: Record<string, () => number> = {
    min: () => lagOf(delays, delays.min),
    max: () => lagOf(delays, delays.max),
    mean: () => lagOf(delays, delays.mean),
    stddev: () => (delays.count ? delays.stddev / 1e9 : 0),
    p50: () => lagOf(delays, delays.percentile(50)),
    p90: () => lagOf(delays, delays.percentile(90)),
    p99: () => lagOf(delays, delays.percentile(99)),
  }
  for (const figure of ['', ...Object.keys(known).map((one) => `${one}_`)]) registry.removeSingleMetric(name(figure))
  // All figures are read here, before this gauge clears the samples.
  const now: Gauge = new Gauge({
    name: name(''),
    help: 'Lag of the event loop at this moment',
    registers: [registry],
    async collect() {
      for (const { gauge, read } of figures) gauge.set(read())
      delays.reset()
      const since = performance.now()
      await new Promise<void>((done) => setImmediate(done))
      now.set((performance.now() - since) / 1_000)
    },
  })
  const figures = Object.entries(known).map(([figure, read]) => ({
    read,
    gauge: new Gauge({
      name: name(`${figure}_`),
      help: `Lag of the event loop since the last reading: ${figure}`,
      registers: [registry],
    }),
  }))
}

/** The lag: the time between two samples minus the planned pause. */
function lagOf({ count }: Delays, ns: number): number {
  return count ? Math.max(0, ns / 1e9 - LAG_SAMPLE_MS / 1_000) : 0
}

/**
 * R11: half of what one daemon bears, for as long as there is time. What grows without end shows as a slope: resident
 * memory over the second part of the run; descriptors, Redis keys and open dialogues must be back where they were.
 */
import { Redis } from 'ioredis'
import { aftermath } from './aftermath.ts'
import { check, sumOf } from './checker.ts'
import { figuresOf, metricsOf } from './daemon-process.ts'
import { fenced } from './fenced.ts'
import { percentile, reached, sleep, told, type Campaign } from './outcome.ts'
import { startPulse } from './pulse.ts'
import { openScene, sweepRedis, type Scene } from './scene.ts'

const MINUTES = { ci: 0.5, bounded: 5, long: 480 }
/** One small core takes about twice as much from a pulse and its walkers. */
const DIALS_PER_SECOND = 40
const WALKERS = 3
/** The heap finds its size first. */
const WARM_UP = 0.4
const LOOK_MS = 1_000
/**
 * Resident memory has the collector's own moods, some tens of megabytes, on top: a slope of a megabyte an hour needs
 * hours to be seen. What the collector leaves shows a leak in minutes; a run of seconds can only tell how much it took.
 */
const SLOPE_MB_MAX = 1
const SLOPE_FROM_MINUTES = 240
const HEAP_FROM_MINUTES = 3
const GROWN_MB_MAX = 150
const DESCRIPTORS_MAX = 3
/** A machine that others load, too, stalls now and then for longer than Redis may take. */
const BUSY_MAX = 0.005
/** The heap at its lowest, in the last third against the second: a leak of a kilobyte a dialogue would show in minutes. */
const HEAP_MB_MAX = 6

interface Look {
  atMs: number
  rssMb: number
  heapMb: number
}

export const soakCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const minutes = parts.minutes ?? MINUTES[parts.ci ? 'ci' : parts.mode]
  const scene = await openScene({ seed: parts.seed, smsc: { traceMax: 200 }, spread: { fromMs: 2_000, toMs: 8_000 } })
  const fence = await fenced(scene, (settings) => { settings.dialogue.tombstoneMs = 1_000 })
  try {
    await warmFirst(scene)
    const before = figuresOf(fence.daemon.pid)
    const pulse = await startPulse(scene, DIALS_PER_SECOND)
    const walking = scene.walkers(WALKERS, { books: 0.01, hangsUp: 0.02, redials: 0.01 })
    const looks: Look[] = []
    const endMs = performance.now() + minutes * 60_000
    while (performance.now() < endMs) {
      await sleep(LOOK_MS)
      if (!fence.daemon.alive) break
      const heapMb = sumOf(await metricsOf(fence.adminPort), 'nodejs_heap_size_used_bytes') / 1_048_576
      looks.push({ atMs: performance.now(), rssMb: figuresOf(fence.daemon.pid).rssMb, heapMb })
    }
    await walking.stop()
    await pulse.stop()
    const failures = [...pulse.failures.slice(0, 3), ...check(await scene.evidence([])).map((breach) => `${breach.invariant} ${breach.what}`)]
    failures.push(...await aftermath(fence))
    const keys = await keysLeft(scene)
    const after = figuresOf(fence.daemon.pid)
    const slope = slopePerHour(looks.slice(Math.floor(looks.length * WARM_UP)))
    const heap = heapGrowth(looks)
    const grown = after.rssMb - before.rssMb
    if (minutes >= HEAP_FROM_MINUTES && heap > HEAP_MB_MAX) failures.push(`what the collector leaves grows: ${heap.toFixed(1)} MB from the second third to the last`)
    if (minutes < SLOPE_FROM_MINUTES && grown > GROWN_MB_MAX) failures.push(`${Math.round(grown)} MB more resident`)
    if (minutes >= SLOPE_FROM_MINUTES && slope > SLOPE_MB_MAX) failures.push(`resident memory grows by ${slope.toFixed(1)} MB an hour`)
    if (after.fds - before.fds > DESCRIPTORS_MAX) failures.push(`${after.fds - before.fds} descriptors more`)
    if (pulse.busy > pulse.samples.length * BUSY_MAX) failures.push(`${pulse.busy} of ${pulse.samples.length} screens said that we are busy`)
    if (keys.length > 0) failures.push(`${keys.length} keys of dialogues left in Redis: ${keys.slice(0, 3).join(' ').replace(/\d{9,}/g, '…')}`)
    return [told(parts, startMs, {
      goal: 'R11', title: `${minutes} minutes at half load`, failures, passed: failures.length === 0,
      figure: `live heap ${heap.toFixed(1)} MB more in the last third than in the second, resident memory ${grown.toFixed(0)} MB more`
        + `${minutes >= SLOPE_FROM_MINUTES ? `, ${slope.toFixed(1)} MB an hour` : ''}, ${after.fds - before.fds} descriptors and ${keys.length} Redis keys more`,
      counts: {
        busyTexts: pulse.busy, rssMbBefore: Math.round(before.rssMb), rssMbAfter: Math.round(after.rssMb), dialogues: scene.diary.dialogues, screens: pulse.samples.length,
        bookings: scene.diary.confirmed.length, screenP99Ms: Math.round(percentile(pulse.samples.map((one) => one.ms), 99)),
      },
    })]
  } finally {
    await fence.stop()
    await sweepRedis(scene.stage)
    await scene.close()
  }
}

/** Pools, connections and files that are opened at first use are no leak. */
async function warmFirst(scene: Scene): Promise<void> {
  const walking = scene.walkers(WALKERS)
  await sleep(2_000)
  await walking.stop()
}

function heapGrowth(looks: readonly Look[]): number {
  const third = Math.floor(looks.length / 3)
  const lowest = (part: readonly Look[]) => Math.min(...part.map((look) => look.heapMb))
  return lowest(looks.slice(2 * third)) - lowest(looks.slice(third, 2 * third))
}

/** Least squares, in megabytes an hour, over medians of tenths: one collection more or less must not tilt it. */
function slopePerHour(looks: readonly Look[]): number {
  const size = Math.max(1, Math.floor(looks.length / 10))
  const points = Array.from({ length: Math.floor(looks.length / size) }, (_, n) => {
    const part = looks.slice(n * size, (n + 1) * size)
    return { x: part[0]!.atMs / 3_600_000, y: percentile(part.map((look) => look.rssMb), 50) }
  })
  const mean = (of: (point: { x: number; y: number }) => number) => points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)]
  const spread = mean((point) => (point.x - x) ** 2)
  return spread === 0 ? 0 : mean((point) => (point.x - x) * (point.y - y)) / spread
}

/** Records of dialogues, once their tombstones are due; the indexes of deadlines are empty sets, which Redis removes. */
async function keysLeft({ stage }: Scene): Promise<string[]> {
  const redis = new Redis(stage.redis.url!)
  const all = async (): Promise<string[]> => {
    const keys: string[] = []
    for await (const some of redis.scanStream({ match: `*${stage.prefix}*`, count: 1_000 })) keys.push(...(some as string[]))
    return keys
  }
  await reached(async () => (await all()).length === 0, 20_000)
  const left = await all()
  redis.disconnect()
  return left
}

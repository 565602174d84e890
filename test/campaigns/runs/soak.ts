/**
 * R11: half of what one daemon bears, for as long as there is time. What grows without end is what is still held once
 * the collector has been: at rest after a third of the run, and at rest after all of it. Descriptors, Redis keys and
 * open dialogues must be back where they were.
 */
import { Redis } from 'ioredis'
import { aftermath, restingMetrics } from '../judging/aftermath.ts'
import { paceOf } from '../settings.ts'
import { check } from '../judging/checker.ts'
import { figuresOf } from '../staging/daemon-process.ts'
import { fenced, type Fenced } from '../staging/fenced.ts'
import { percentile, reached, sleep, told, type Campaign } from '../judging/outcome.ts'
import { startPulse, type Pulse } from '../staging/pulse.ts'
import { openFixture, sweepRedis, type CampaignFixture } from '../staging/fixture.ts'

const MINUTES = { ci: 0.5, bounded: 5, long: 480 }
/** One small core takes about twice as much from a pulse and its walkers. */
const DIALS_PER_SECOND = 40
const WALKERS = 3
/** Caches and pools fill first. */
const FIRST_PART = 1 / 3
const LOOK_MS = 1_000
const RESTING_LOOKS = 4
/**
 * Resident memory has the collector's and the allocator's moods on top: its slope is looked at only where there are
 * hours for it.
 */
const SLOPE_MB_MAX = 1
const SLOPE_FROM_MINUTES = 240
const DESCRIPTORS_MAX = 3
/** A machine that others load, too, stalls now and then for longer than Redis may take. */
const BUSY_MAX = 0.005
/**
 * Held more after the last two thirds than after the first: two kilobytes a dialogue are over it within CI's half
 * minute. What moves by itself (pools, code that V8 drops and compiles again) is up to 3 MB on a busy machine.
 */
const HELD_MB_MAX = 4
/** On default settings a dialogue can be resumed for five minutes, and its key is there for so long. */
const KEYS_MS = { short: 120_000, defaults: 420_000 }

interface Look {
  atMs: number
  rssMb: number
}

export const soakCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const minutes = parts.minutes ?? MINUTES[parts.ci ? 'ci' : parts.mode]
  const scene = await openFixture({
    seed: parts.seed,
    pace: paceOf(parts),
    smsc: { traceMax: 200 },
    spread: { fromMs: 2_000, toMs: 8_000 },
  })
  const fence = await fenced(scene, ({ dialogue }) => {
    if (scene.stage.pace === 'short') Object.assign(dialogue, { tombstoneMs: 1_000, resumeMs: 1_000 })
  })
  try {
    await warmFirst(scene)
    const before = figuresOf(fence.daemon.pid)
    const looks: Look[] = []
    const first = await load(scene, fence, minutes * FIRST_PART, looks)
    const heldBefore = await restingMb(fence)
    const second = await load(scene, fence, minutes * (1 - FIRST_PART), looks)
    const samples = [...first.samples, ...second.samples]
    const busy = first.busy + second.busy
    const failures = [...first.failures, ...second.failures].slice(0, 3)
    failures.push(
      ...check(await scene.evidence([])).map((breach) => `${breach.invariant} ${breach.what}`),
      ...(await aftermath(fence)),
    )
    const keys = await keysLeft(scene)
    const held = fence.daemon.alive ? (await restingMb(fence)) - heldBefore : Infinity
    const after = figuresOf(fence.daemon.pid)
    const slope = slopePerHour(looks.slice(Math.floor(looks.length * FIRST_PART)))
    if (held > HELD_MB_MAX) failures.push(`${held.toFixed(1)} MB more are held than after the first third`)
    if (minutes >= SLOPE_FROM_MINUTES && slope > SLOPE_MB_MAX)
      failures.push(`resident memory grows by ${slope.toFixed(1)} MB an hour`)
    if (after.fds - before.fds > DESCRIPTORS_MAX) failures.push(`${after.fds - before.fds} descriptors more`)
    if (busy > samples.length * BUSY_MAX) failures.push(`${busy} of ${samples.length} screens said that we are busy`)
    if (keys.length > 0)
      failures.push(
        `${keys.length} keys of dialogues left in Redis: ${keys
          .slice(0, 3)
          .join(' ')
          .replace(/\d{9,}/g, '…')}`,
      )
    return [
      told(parts, startMs, {
        goal: 'R11',
        title: `${minutes} minutes at half load`,
        failures,
        passed: failures.length === 0,
        figure:
          `${held.toFixed(1)} MB more held than after the first third` +
          `${minutes >= SLOPE_FROM_MINUTES ? `, ${slope.toFixed(1)} MB an hour` : ''}, ${after.fds - before.fds} descriptors and ${keys.length} Redis keys more`,
        counts: {
          busyTexts: busy,
          heldMb: Math.round(heldBefore),
          rssMbBefore: Math.round(before.rssMb),
          rssMbAfter: Math.round(after.rssMb),
          dialogues: scene.diary.dialogues,
          screens: samples.length,
          bookings: scene.diary.confirmed.length,
          screenP99Ms: Math.round(
            percentile(
              samples.map((one) => one.ms),
              99,
            ),
          ),
        },
      }),
    ]
  } finally {
    await fence.stop()
    await sweepRedis(scene.stage)
    await scene.close()
  }
}

/** Pools, connections and files that are opened at first use are no leak. */
async function warmFirst(scene: CampaignFixture): Promise<void> {
  const walking = scene.walkers(WALKERS)
  await sleep(2_000)
  await walking.stop()
}

/** Subscribers at that rate for so long; resolves when the last dialogue is over. */
async function load(scene: CampaignFixture, { daemon }: Fenced, minutes: number, looks: Look[]): Promise<Pulse> {
  const pulse = await startPulse(scene, DIALS_PER_SECOND)
  const walking = scene.walkers(WALKERS, { books: 0.01, hangsUp: 0.02, redials: 0.01 })
  const endMs = performance.now() + minutes * 60_000
  while (performance.now() < endMs && daemon.alive) {
    await sleep(LOOK_MS)
    if (daemon.alive) looks.push({ atMs: performance.now(), rssMb: figuresOf(daemon.pid).rssMb })
  }
  await walking.stop()
  await pulse.stop()
  return pulse
}

/** What is still held when all is said: the least of some looks, until tombstones and time-outs have gone. */
async function restingMb({ daemon, adminPort }: Fenced): Promise<number> {
  await restingMetrics(adminPort)
  let least = Infinity
  for (let n = 0; n < RESTING_LOOKS; n++) {
    await sleep(LOOK_MS)
    least = Math.min(least, await daemon.heldMb())
  }
  return least
}

/** Least squares, in megabytes an hour, over medians of tenths: one collection more or less must not tilt it. */
function slopePerHour(looks: readonly Look[]): number {
  const size = Math.max(1, Math.floor(looks.length / 10))
  const points = Array.from({ length: Math.floor(looks.length / size) }, (_, n) => {
    const part = looks.slice(n * size, (n + 1) * size)
    return {
      x: part[0]!.atMs / 3_600_000,
      y: percentile(
        part.map((look) => look.rssMb),
        50,
      ),
    }
  })
  const mean = (of: (point: { x: number; y: number }) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)]
  const spread = mean((point) => (point.x - x) ** 2)
  return spread === 0 ? 0 : mean((point) => (point.x - x) * (point.y - y)) / spread
}

/**
 * Records of dialogues, once their tombstones are due; the indexes of deadlines are empty sets, which Redis removes.
 */
async function keysLeft({ stage }: CampaignFixture): Promise<string[]> {
  const redis = new Redis(stage.redis.url!)
  const all = async (): Promise<string[]> => {
    const keys: string[] = []
    for await (const some of redis.scanStream({ match: `*${stage.prefix}*`, count: 1_000 }))
      keys.push(...(some as string[]))
    return keys
  }
  await reached(async () => (await all()).length === 0, KEYS_MS[stage.pace])
  const left = await all()
  redis.disconnect()
  return left
}

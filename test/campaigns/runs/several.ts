/**
 * H4, H5: three daemons on one Redis and one Postgres, each key to another's bind; Redis stopped and going on; a daemon
 * stopped until others took its turns over, and going on with what it knew.
 */
import { paceOf } from '../settings.ts'
import { areKept, series, untilCertain } from '../judging/certain.ts'
import { sumOf } from '../judging/checker.ts'
import { metricsOf } from '../staging/daemon-process.ts'
import { apologiesAfter, judged, outcomeOf, type Judged, type JudgedRun } from '../judging/judged-run.ts'
import { sleep, type Campaign } from '../judging/outcome.ts'
import { soleRedis, type Fleet } from '../staging/redis-fleet.ts'
import { openFixture } from '../staging/fixture.ts'
import { severalDaemons } from '../staging/several.ts'

const DAEMONS = 3
const WALKERS = 6
const COPIES_MS = 30_000
const STOPPED_MS = { bounded: 8_000, long: 60_000 }
const REDIS_MS = { ci: 3_000, bounded: 5_000, long: 30_000 }
const BACK_MS_MAX = 2_000

export const severalCampaign: Campaign = async (parts) => {
  const fleet = await soleRedis()
  const scene = await openFixture({
    seed: parts.seed,
    pace: paceOf(parts),
    redis: fleet.place,
    smsc: { deliveries: { responseMs: 3_000, attemptsMax: 8, temporaryMs: 200 } },
  })
  // What waited for a stopped daemon is delivered again for longer than five seconds: copies must be known for that long.
  const several = await severalDaemons(scene, DAEMONS, ({ dialogue }) => {
    dialogue.tombstoneMs = Math.max(dialogue.tombstoneMs, COPIES_MS)
  })
  const ordeal: JudgedRun = { parts, scene, several }
  try {
    const moved = await moving(ordeal)
    return [moved, await stopped(ordeal, fleet)]
  } finally {
    await several.stop()
    await scene.close()
    await fleet.close()
  }
}

/** The SMSC delivers to its binds in turn, so a dialogue wanders; and it doubles some deliveries to another bind. */
async function moving(ordeal: JudgedRun) {
  const startMs = performance.now()
  const { scene, several, parts } = ordeal
  scene.smsc.chaos.add({ on: 'deliver_sm', lane: 'ussd', chance: 0.1, act: { is: 'double', on: 'other' } })
  const walking = scene.walkers(WALKERS)
  await sleep(parts.mode === 'bounded' ? 10_000 : 60_000)
  await walking.stop()
  scene.smsc.chaos.clear()
  const seen = await judged(ordeal)
  const shares = (await Promise.all(several.daemons.map((daemon) => metricsOf(daemon.adminPort)))).map((text) =>
    sumOf(text, 'ussd_messages_total'),
  )
  const least = Math.min(...shares)
  return outcomeOf(ordeal, startMs, seen, {
    goal: 'H4',
    title: `${DAEMONS} daemons, one Redis, one Postgres: keys of a dialogue go to the binds in turn, 10 % doubled to another`,
    figure: `${shares.join(', ')} messages each`,
    isGood: least > 0,
    counts: { daemons: DAEMONS },
  })
}

async function stopped(ordeal: JudgedRun, { servers }: Fleet) {
  const startMs = performance.now()
  const { scene, several, parts } = ordeal
  const walking = scene.walkers(WALKERS)
  await sleep(1_500)
  const redis = servers[0]!
  const goneMs = REDIS_MS[parts.ci ? 'ci' : parts.mode]
  const backs = series({ limit: BACK_MS_MAX, strict: parts.mode === 'long' })
  await untilCertain([backs], 1, async () => {
    const { afterMs, count } = await apologiesAfter(ordeal, async () => {
      redis.signal('SIGSTOP')
      await sleep(goneMs)
      redis.signal('SIGCONT')
    })
    backs.add(afterMs)
    parts.say(`     Redis stopped ${goneMs} ms: apologies ${afterMs} ms longer (${count})`)
  })
  const stale = several.daemons[0]!
  stale.kill('SIGSTOP')
  await sleep(STOPPED_MS[parts.mode])
  stale.kill('SIGCONT')
  await sleep(4_000)
  await walking.stop()
  const seen: Judged = await judged(ordeal)
  const takeovers = (await Promise.all(several.daemons.map((daemon) => metricsOf(daemon.adminPort)))).reduce(
    (sum, text) => sum + sumOf(text, 'dialogue_takeovers_total'),
    0,
  )
  return outcomeOf(ordeal, startMs, seen, {
    goal: 'H5',
    title: `Redis stopped for ${goneMs / 1000} s, again and again, then one of ${DAEMONS} daemons for ${STOPPED_MS[parts.mode] / 1000} s, and both going on`,
    figure: `apologies after Redis went on for ${backs.figure}, ${takeovers} turns taken over`,
    isGood: areKept(backs),
    counts: { takeovers },
  })
}

/**
 * H2: a master, two replicas and three sentinels under two daemons; the master is killed or stopped, and comes back as
 * a replica.
 */
import { paceOf } from '../settings.ts'
import { areKept, series, untilCertain } from '../judging/certain.ts'
import { apologiesAfter, judged, outcomeOf, type JudgedRun } from '../judging/judged-run.ts'
import { reached, sleep, type Campaign } from '../judging/outcome.ts'
import { sentinelFleet } from '../staging/redis-fleet.ts'
import { openFixture } from '../staging/fixture.ts'
import { severalDaemons } from '../staging/several.ts'

const WALKERS = 6
/**
 * Once the sentinels name another: how soon they agree is theirs. A connection to a master that is stopped is given up
 * after two seconds, and so is the next, if the sentinels still named that one when it was made.
 */
const APOLOGIES_MS_MAX = { killed: 3_000, stopped: 6_000 }

export const sentinelCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const fleet = await sentinelFleet()
  const scene = await openFixture({ seed: parts.seed, pace: paceOf(parts), redis: fleet.place })
  const several = await severalDaemons(scene, 2)
  const ordeal: JudgedRun = { parts, scene, several }
  try {
    const walking = scene.walkers(WALKERS)
    await sleep(2_000)
    const gaps = series({ limit: APOLOGIES_MS_MAX.stopped, strict: parts.mode === 'long' })
    let longest = 0
    const rounds = await untilCertain([gaps], parts.rounds ?? (parts.mode === 'bounded' ? 2 : 8), async (round) => {
      const [master] = await fleet.masters()
      // Stopped, it keeps its connections: only the sentinels can tell the daemons. Going on, it thinks itself the
      // master.
      const isStopped = round % 2 === 1
      const { ms, afterMs, count } = await apologiesAfter(ordeal, async () => {
        if (isStopped) master!.signal('SIGSTOP')
        else await master!.kill()
        if (!(await reached(async () => (await namedBy(fleet)).every((port) => port !== master!.port), 60_000)))
          throw new Error('the sentinels name no other master')
      })
      const kind = isStopped ? 'stopped' : 'killed'
      gaps.add(afterMs, { kind, isKept: afterMs <= APOLOGIES_MS_MAX[kind] })
      longest = Math.max(longest, ms)
      parts.say(
        `     master ${kind}: apologies for ${ms} ms (${count}), ${afterMs} ms of it after the sentinels named another`,
      )
      if (isStopped) master!.signal('SIGCONT')
      else await master!.start()
      if (!(await reached(async () => (await fleet.masters()).length === 1, 60_000)))
        throw new Error('the old master does not follow the new one')
      await sleep(1_000)
    })
    await walking.stop()
    return [
      outcomeOf(ordeal, startMs, await judged(ordeal, true), {
        goal: 'H2',
        title:
          'Redis behind Sentinel (1 master, 2 replicas, 3 sentinels), 2 daemons: the master killed, then stopped and back',
        figure: `apologies for ${longest} ms after the master was gone at most, and after another was named for ${gaps.figure}`,
        isGood: areKept(gaps),
        counts: { failovers: rounds },
      }),
    ]
  } finally {
    await several.stop()
    await scene.close()
    await fleet.close()
  }
}

/** The port of the master, as each sentinel has it. */
async function namedBy({ sentinels }: Pick<Awaited<ReturnType<typeof sentinelFleet>>, 'sentinels'>): Promise<number[]> {
  const named = await Promise.all(
    sentinels.map(
      (sentinel) => sentinel.ask('SENTINEL', 'get-master-addr-by-name', 'main') as Promise<[string, string]>,
    ),
  )
  return named.map(([, port]) => Number(port))
}

/** H2: a master, two replicas and three sentinels under two daemons; the master is killed or stopped, and comes back as a replica. */
import { apologiesAfter, judged, outcomeOf, type Ordeal } from './ordeal.ts'
import { reached, sleep, type Campaign } from './outcome.ts'
import { sentinelFleet } from './redis-fleet.ts'
import { openScene } from './scene.ts'
import { severalDaemons } from './several.ts'

const WALKERS = 6
/** Held for dead after a second, agreed on and elected in another one or two, and the daemons told. */
const APOLOGIES_MS_MAX = 8_000

export const sentinelCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const fleet = await sentinelFleet()
  const scene = await openScene({ seed: parts.seed, redis: fleet.place })
  const several = await severalDaemons(scene, 2)
  const ordeal: Ordeal = { parts, scene, several }
  try {
    const walking = scene.walkers(WALKERS)
    await sleep(2_000)
    const gaps: number[] = []
    const rounds = parts.rounds ?? (parts.mode === 'bounded' ? 2 : 8)
    for (let round = 0; round < rounds; round++) {
      const [master] = await fleet.masters()
      // Stopped, it keeps its connections: only the sentinels can tell the daemons. Going on, it thinks itself the master.
      const isStopped = round % 2 === 1
      const { ms, count } = await apologiesAfter(ordeal, async () => isStopped ? master!.signal('SIGSTOP') : master!.kill())
      gaps.push(ms)
      parts.say(`     master ${isStopped ? 'stopped' : 'killed'}: apologies for ${ms} ms (${count})`)
      if (isStopped) master!.signal('SIGCONT')
      else await master!.start()
      if (!await reached(async () => (await fleet.masters()).length === 1, 30_000)) throw new Error('the old master does not follow the new one')
      await sleep(1_000)
    }
    await walking.stop()
    const longest = Math.max(...gaps)
    return [outcomeOf(ordeal, startMs, await judged(ordeal, true), {
      goal: 'H2', title: 'Redis behind Sentinel (1 master, 2 replicas, 3 sentinels), 2 daemons: the master killed, then stopped and back',
      figure: `apologies for ${longest} ms after the master was gone at most`, isGood: longest <= APOLOGIES_MS_MAX, counts: { failovers: rounds },
    })]
  } finally {
    await several.stop()
    await scene.close()
    await fleet.close()
  }
}

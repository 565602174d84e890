/** H7: two daemons replaced one after the other under walking subscribers: drain, stop, start the next. */
import { judged, outcomeOf, type Ordeal } from './ordeal.ts'
import { sleep, type Campaign } from './outcome.ts'
import { openScene, sweepRedis } from './scene.ts'
import { severalDaemons } from './several.ts'

const WALKERS = 6
const STOP_MS_MAX = 10_000

export const upgradeCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const scene = await openScene({ seed: parts.seed })
  const several = await severalDaemons(scene, 2)
  const ordeal: Ordeal = { parts, scene, several }
  try {
    const walking = scene.walkers(WALKERS)
    const [stops, failures]: [number[], string[]] = [[], []]
    const rounds = parts.rounds ?? (parts.mode === 'bounded' ? 1 : 5)
    for (let n = 0; n < 2 * rounds; n++) {
      await sleep(1_500)
      const old = several.daemons.find((daemon) => daemon.alive)!
      const stopMs = performance.now()
      old.kill('SIGTERM')
      const { code } = await old.exited
      stops.push(Math.round(performance.now() - stopMs))
      if (code !== 0) failures.push(`SIGTERM ended with ${code}`)
      await several.add()
    }
    await sleep(1_500)
    await walking.stop()
    const longest = Math.max(...stops)
    return [outcomeOf(ordeal, startMs, await judged(ordeal), {
      goal: 'H7', title: 'rolling upgrade: two daemons drained, stopped and replaced one after the other, subscribers walking', failures,
      figure: `a stop took ${longest} ms at most`, isGood: longest <= STOP_MS_MAX, counts: { replaced: 2 * rounds },
    })]
  } finally {
    await several.stop()
    await sweepRedis(scene.stage)
    await scene.close()
  }
}

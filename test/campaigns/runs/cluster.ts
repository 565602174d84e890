/** H1: a Redis Cluster of three masters and three replicas under two daemons; a master is killed, and slots move. */
import { paceOf } from '../settings.ts'
import { execFileSync } from 'node:child_process'
import { areKept, series, untilCertain } from '../judging/certain.ts'
import { apologiesAfter, judged, outcomeOf, type JudgedRun } from '../judging/judged-run.ts'
import { reached, sleep, type Campaign } from '../judging/outcome.ts'
import { clusterFleet, type Fleet, type Server } from '../staging/redis-fleet.ts'
import { openFixture } from '../staging/fixture.ts'
import { severalDaemons } from '../staging/several.ts'

const WALKERS = 6
/** Once a replica is elected, which is the Cluster's own affair: clients learn of it at their next call. */
const APOLOGIES_MS_MAX = 3_000
const SLOTS = { bounded: 2_000, long: 4_000 }

export const clusterCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const fleet = await clusterFleet()
  const scene = await openFixture({ seed: parts.seed, pace: paceOf(parts), redis: fleet.place })
  const several = await severalDaemons(scene, 2)
  const ordeal: JudgedRun = { parts, scene, several }
  try {
    const walking = scene.walkers(WALKERS)
    await sleep(2_000)
    const gaps = series({ limit: APOLOGIES_MS_MAX, strict: parts.mode === 'long' })
    let [shown, longest] = [0, 0]
    const rounds = await untilCertain([gaps], parts.rounds ?? (parts.mode === 'bounded' ? 2 : 8), async (round) => {
      const before = await fleet.masters()
      const victim = before[round % 3]!
      const { ms, afterMs, count } = await apologiesAfter(ordeal, async () => {
        await victim.kill()
        const isElected = async () => (await fleet.masters()).some((server) => !before.includes(server))
        if (!(await reached(isElected, 30_000))) throw new Error('no replica is elected')
      })
      gaps.add(afterMs)
      longest = Math.max(longest, ms)
      shown += count
      await victim.start()
      if (!(await reached(() => isWhole(fleet), 60_000))) throw new Error('the Cluster does not come together again')
      parts.say(
        `     master killed: apologies for ${ms} ms (${count}), ${afterMs} ms of it after a replica was elected`,
      )
    })
    const move = await apologiesAfter(ordeal, async () => reshard(await fleet.masters(), SLOTS[parts.mode]), {
      quietMs: 1_000,
    })
    parts.say(`     slots moved: ${move.count} apologies`)
    await walking.stop()
    return [
      outcomeOf(ordeal, startMs, await judged(ordeal, true), {
        goal: 'H1',
        title: 'Redis Cluster (3 masters, 3 replicas), 2 daemons: a master killed, slots moved, subscribers walking',
        figure: `apologies for ${longest} ms after a master's death at most, and after its replica's election for ${gaps.figure}`,
        isGood: areKept(gaps),
        counts: {
          mastersKilled: rounds,
          apologiesAfterKills: shown,
          slotsMoved: SLOTS[parts.mode],
          apologiesWhileMoved: move.count,
        },
      }),
    ]
  } finally {
    await several.stop()
    await scene.close()
    await fleet.close()
  }
}

async function isWhole(fleet: Fleet): Promise<boolean> {
  const said = await Promise.all(
    fleet.servers.map(
      async (server) =>
        `${String(await server.ask('CLUSTER', 'INFO').catch(() => ''))}${String(await server.ask('INFO', 'replication').catch(() => ''))}`,
    ),
  )
  return said.every((text) => text.includes('cluster_state:ok') && !text.includes('master_link_status:down'))
}

/** Moves slots, with what is in them, from the second master to the first. */
function reshard([to, from]: Server[], slots: number): void {
  const idOf = (server: Server) =>
    execFileSync('redis-cli', ['-p', String(server.port), 'CLUSTER', 'MYID'], { encoding: 'utf8' }).trim()
  execFileSync(
    'redis-cli',
    [
      '--cluster',
      'reshard',
      `127.0.0.1:${to!.port}`,
      '--cluster-from',
      idOf(from!),
      '--cluster-to',
      idOf(to!),
      '--cluster-slots',
      String(slots),
      '--cluster-yes',
    ],
    { stdio: 'ignore', timeout: 120_000 },
  )
}

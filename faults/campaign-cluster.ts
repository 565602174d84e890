/** H1: a Redis Cluster of three masters and three replicas under two daemons; a master is killed, and slots move. */
import { execFileSync } from 'node:child_process'
import { apologiesAfter, judged, outcomeOf, type Ordeal } from './ordeal.ts'
import { reached, sleep, type Campaign } from './outcome.ts'
import { clusterFleet, type Fleet, type Server } from './redis-fleet.ts'
import { openScene } from './scene.ts'
import { severalDaemons } from './several.ts'

const WALKERS = 6
/** The dead master is held for dead after a second, a replica elected in the next; clients learn of it at their next call. */
const APOLOGIES_MS_MAX = 6_000
const SLOTS = { bounded: 2_000, long: 4_000 }

export const clusterCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const fleet = await clusterFleet()
  const scene = await openScene({ seed: parts.seed, redis: fleet.place })
  const several = await severalDaemons(scene, 2)
  const ordeal: Ordeal = { parts, scene, several }
  try {
    const walking = scene.walkers(WALKERS)
    await sleep(2_000)
    const gaps: number[] = []
    const rounds = parts.rounds ?? (parts.mode === 'bounded' ? 2 : 8)
    let shown = 0
    for (let round = 0; round < rounds; round++) {
      const victim = (await fleet.masters())[round % 3]!
      const { ms, count } = await apologiesAfter(ordeal, () => victim.kill())
      gaps.push(ms)
      shown += count
      await victim.start()
      if (!await reached(() => isWhole(fleet), 30_000)) throw new Error('the Cluster does not come together again')
      parts.say(`     master killed: apologies for ${ms} ms (${count})`)
    }
    const move = await apologiesAfter(ordeal, async () => reshard(await fleet.masters(), SLOTS[parts.mode]), { quietMs: 1_000 })
    parts.say(`     slots moved: ${move.count} apologies`)
    await walking.stop()
    const longest = Math.max(...gaps)
    return [outcomeOf(ordeal, startMs, await judged(ordeal, true), {
      goal: 'H1', title: 'Redis Cluster (3 masters, 3 replicas), 2 daemons: a master killed, slots moved, subscribers walking',
      figure: `apologies for ${longest} ms after a master's death at most`, isGood: longest <= APOLOGIES_MS_MAX,
      counts: { mastersKilled: rounds, apologiesAfterKills: shown, slotsMoved: SLOTS[parts.mode], apologiesWhileMoved: move.count },
    })]
  } finally {
    await several.stop()
    await scene.close()
    await fleet.close()
  }
}

async function isWhole(fleet: Fleet): Promise<boolean> {
  const said = await Promise.all(fleet.servers.map(async (server) =>
    `${String(await server.ask('CLUSTER', 'INFO').catch(() => ''))}${String(await server.ask('INFO', 'replication').catch(() => ''))}`))
  return said.every((text) => text.includes('cluster_state:ok') && !text.includes('master_link_status:down'))
}

/** Moves slots, with what is in them, from the second master to the first. */
function reshard([to, from]: Server[], slots: number): void {
  const idOf = (server: Server) => execFileSync('redis-cli', ['-p', String(server.port), 'CLUSTER', 'MYID'], { encoding: 'utf8' }).trim()
  execFileSync('redis-cli', ['--cluster', 'reshard', `127.0.0.1:${to!.port}`, '--cluster-from', idOf(from!), '--cluster-to', idOf(to!),
    '--cluster-slots', String(slots), '--cluster-yes'], { stdio: 'ignore', timeout: 120_000 })
}

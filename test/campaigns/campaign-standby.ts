/** H6: an SMSC that allows one bind, and two daemons; the first dies, the second takes over; then a rolling upgrade. */
import { areKept, series, untilCertain } from './certain.ts'
import { judged, outcomeOf, type JudgedRun } from './judged-run.ts'
import { reached, sleep, type Campaign } from './outcome.ts'
import { isReady, type DaemonProcess } from './daemon-process.ts'
import { openFixture, sweepRedis } from './fixture.ts'
import { readyOf, severalDaemons, standsBy } from './several.ts'

const WALKERS = 4
const STANDBY_MS = 1_000
/** A dialogue, and its last screen, outlive a takeover, however slow the machine is. */
const OUTLIVES_MS = 20_000
/** One interval, a bind, and what a busy machine adds. */
const TAKEOVER_MS_MAX = 3_000

export const standbyCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const scene = await openFixture({ seed: parts.seed, smsc: { bindsMax: 1 } })
  const several = await severalDaemons(scene, 0)
  const ordeal: JudgedRun = { parts, scene, several }
  try {
    const add = () =>
      several.add({
        change: ({ lines, dialogue }) => {
          Object.assign(lines[0]!.timers, { takenForMs: 0, standbyMs: STANDBY_MS })
          Object.assign(dialogue, { idleMs: OUTLIVES_MS, tombstoneMs: OUTLIVES_MS })
        },
      })
    let first = await add()
    let second = await add()
    const failures: string[] = []
    const takeovers = series({ limit: TAKEOVER_MS_MAX, strict: parts.mode === 'long' })
    const [deaths, handovers]: [number[], number[]] = [[], []]
    const walking = scene.walkers(WALKERS)
    const rounds = await untilCertain(
      [takeovers],
      parts.rounds ?? (parts.mode === 'bounded' ? 3 : 12),
      async (round) => {
        await sleep(2_000)
        if (!(await reached(() => standsBy(second.adminPort), 30_000)))
          failures.push(`no standby: ${JSON.stringify(await readyOf(second.adminPort))}`)
        const isHard = round % 2 === 0
        const takenMs = await handOver(first, second, isHard)
        takeovers.add(takenMs, { kind: isHard ? 'death' : 'unbind' })
        ;(isHard ? deaths : handovers).push(takenMs)
        first = second
        second = await add()
      },
    )
    await walking.stop()
    const [death, handover] = [Math.max(...deaths), Math.max(...handovers, 0)]
    return [
      outcomeOf(ordeal, startMs, await judged(ordeal), {
        goal: 'H6',
        title: `one bind allowed, 2 daemons, standbyMs ${STANDBY_MS}: the one that is bound killed, or stopped in good order`,
        failures,
        figure: `taken over ${death} ms after a death and ${handover} ms after an unbind at most`,
        isGood: areKept(takeovers),
        counts: { rounds },
      }),
    ]
  } finally {
    await several.stop()
    await sweepRedis(scene.stage)
    await scene.close()
  }
}

/** Milliseconds from the end of the first to the second being bound. */
async function handOver(first: DaemonProcess, second: DaemonProcess, isHard: boolean): Promise<number> {
  first.kill(isHard ? 'SIGKILL' : 'SIGTERM')
  await first.exited
  const goneMs = performance.now()
  const isOver = await reached(() => isReady(second.adminPort), 30_000)
  return isOver ? Math.round(performance.now() - goneMs) : Infinity
}

/** H6: an SMSC that allows one bind, and two daemons; the first dies, the second takes over; then a rolling upgrade. */
import { paceOf } from '../settings.ts'
import { areKept, series, untilCertain } from '../judging/certain.ts'
import { judged, outcomeOf, type JudgedRun } from '../judging/judged-run.ts'
import { reached, sleep, type Campaign } from '../judging/outcome.ts'
import { isReady, type DaemonProcess } from '../staging/daemon-process.ts'
import { openFixture, sweepRedis } from '../staging/fixture.ts'
import { readyOf, severalDaemons, standsBy } from '../staging/several.ts'

const WALKERS = 4
/** By default a daemon knows after two minutes that another holds the bind (takenForMs), and then tries each 30 s. */
const STANDBY_MS = { short: 1_000, defaults: 30_000 }
const KNOWN_MS = { short: 30_000, defaults: 180_000 }
/** A dialogue, and its last screen, outlive a takeover, however slow the machine is. */
const OUTLIVES_MS = 20_000
/** So long a subscriber waits for a screen: a whole takeover, and what is lost with the daemon that died. */
const SCREEN_MS = { short: 20_000, defaults: 90_000 }
/** Beyond one interval: a bind, and what a busy machine adds. */
const MORE_MS = 2_000

export const standbyCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const pace = paceOf(parts)
  const scene = await openFixture({ seed: parts.seed, pace, smsc: { bindsMax: 1, screenMs: SCREEN_MS[pace] } })
  const several = await severalDaemons(scene, 0)
  const ordeal: JudgedRun = { parts, scene, several }
  try {
    const add = () =>
      several.add({
        change: ({ lines, dialogue }) => {
          if (pace === 'defaults') return
          Object.assign(lines[0]!.timers, { takenForMs: 0, standbyMs: STANDBY_MS[pace] })
          Object.assign(dialogue, { idleMs: OUTLIVES_MS, tombstoneMs: OUTLIVES_MS })
        },
        // That another holds the bind takes its time to be known.
        isUp: async ({ adminPort }) => (await readyOf(adminPort)) !== undefined,
      })
    let first = await add()
    if (!(await reached(() => isReady(first.adminPort), KNOWN_MS[pace]))) throw new Error('the first does not bind')
    let second = await add()
    const failures: string[] = []
    const takeovers = series({ limit: STANDBY_MS[pace] + MORE_MS, strict: parts.mode === 'long' })
    const [deaths, handovers]: [number[], number[]] = [[], []]
    const walking = scene.walkers(WALKERS)
    const rounds = await untilCertain(
      [takeovers],
      parts.rounds ?? (parts.mode === 'bounded' ? 3 : 12),
      async (round) => {
        await sleep(2_000)
        if (!(await reached(() => standsBy(second.adminPort), KNOWN_MS[pace])))
          failures.push(`no standby: ${JSON.stringify(await readyOf(second.adminPort))}`)
        const isHard = round % 2 === 0
        const takenMs = await handOver(first, second, { isHard, withinMs: KNOWN_MS[pace] })
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
        title: `one bind allowed, 2 daemons, standbyMs ${STANDBY_MS[pace]}: the one that is bound killed, or stopped in good order`,
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
async function handOver(
  first: DaemonProcess,
  second: DaemonProcess,
  { isHard, withinMs }: { isHard: boolean; withinMs: number },
): Promise<number> {
  first.kill(isHard ? 'SIGKILL' : 'SIGTERM')
  await first.exited
  const goneMs = performance.now()
  const isOver = await reached(() => isReady(second.adminPort), withinMs)
  return isOver ? Math.round(performance.now() - goneMs) : Infinity
}

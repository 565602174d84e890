/**
 * Daemons on one stage that kill themselves at named points, and are started again at once: each at the point that struck
 * least so far, so that all strike equally often.
 */
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Settings } from '../../../src/config/schema.ts'
import { FAILPOINTS, type Failpoint } from '../../../src/base/failpoints.ts'
import { freePort } from '../../support/services.ts'
import { bugsOf } from '../judging/aftermath.ts'
import type { Breach } from '../judging/checker.ts'
import { isReady, knowToken, startDaemonProcess, type DaemonProcess } from './daemon-process.ts'
import type { CampaignFixture } from './fixture.ts'
import { reached } from '../judging/outcome.ts'
import { settingsOf, type RedisPlace } from './stage.ts'

const DAEMONS = 2
/** At the armed point, each visit: a few messages pass before it strikes. */
const CHANCE = 0.2
/**
 * Where both daemons die again and again and each start takes seconds, a screen is long in coming: its dialogue, and the
 * memory of its last screen, outlive any machine.
 */
const OUTLIVES_MS = 1_800_000

export interface Pack {
  daemons(): readonly DaemonProcess[]
  /** The points that struck, in order. */
  kills(): Failpoint[]
  /** How often each point struck. */
  strikes(): Readonly<Record<string, number>>
  fewest(): number
  /** Milliseconds since the last of them. */
  stalledMs(): number
  /** From now on nobody is killed any more. */
  disarm(): Promise<void>
  /** Ends that nobody wanted, and lines of all lives that tell of a bug. */
  accidents(): Breach[]
  stop(): Promise<void>
}

export interface PackOptions {
  seed: number
  /** Default: all that there are. */
  points?: readonly Failpoint[]
  change?(settings: Settings): void
  /** Of the role `read`, where the daemons have a file of tokens. */
  readToken?: string
  /** What a daemon says that could not start because a store was away: its supervisor starts it again. */
  mayNotStart?: RegExp
  /** Where the daemons find the stores. Default: as the stage has them. */
  redis?: RedisPlace
  postgresUrl?: string
}

interface Slot {
  config: string
  adminPort: number
  now: DaemonProcess
}

export async function startPack(scene: CampaignFixture, options: PackOptions): Promise<Pack> {
  const { seed, points = FAILPOINTS, change, readToken, mayNotStart, ...places } = options
  const log = join(scene.stage.data, 'kills')
  appendFileSync(log, '')
  const [crashes, bugs]: [string[], string[]] = [[], []]
  const state = { armed: true, stopping: false, lives: 0, lastEndMs: performance.now() }
  const kills = (): Failpoint[] => (existsSync(log) ? struck(readFileSync(log, 'utf8')) : [])
  const strikes = () => Object.fromEntries(points.map((name) => [name, kills().filter((kill) => kill === name).length]))
  const fewest = () => Math.min(...Object.values(strikes()))
  const slots: Slot[] = []

  function live({ config, adminPort }: Pick<Slot, 'config' | 'adminPort'>): DaemonProcess {
    const counts = strikes()
    const candidates = points.filter((name) => counts[name] === Math.min(...Object.values(counts)))
    const point = candidates[++state.lives % candidates.length]!
    const armour = `${point}=${CHANCE};seed=${seed + state.lives};log=${log}`
    // After a crash, first turns are stored before they are played: here most are played at once, as on any day.
    if (state.lives % 3) rmSync(join(scene.stage.data, 'running'), { force: true })
    return startDaemonProcess(config, adminPort, state.armed ? { USSD_CONNECTOR_FAILPOINTS: armour } : {})
  }
  async function watch(slot: Slot): Promise<void> {
    while (!state.stopping) {
      const { now } = slot
      const { code, signal } = await now.exited
      state.lastEndMs = performance.now()
      bugs.push(...bugsOf(now))
      const isForgiven = signal === 'SIGKILL' || state.stopping || (code === 1 && mayNotStart?.test(now.raw()))
      if (!isForgiven) crashes.push(`exit ${code} ${signal}: ${now.raw().slice(-600)}`)
      if (!state.stopping) slot.now = live(slot)
    }
  }
  for (let i = 0; i < DAEMONS; i++) {
    const adminPort = await freePort()
    if (readToken) knowToken(adminPort, readToken)
    const settings = settingsOf(scene.stage, {
      smscPort: scene.smsc.port,
      adminPort,
      ...places,
      change: (all) => {
        if (scene.stage.pace === 'short') patient(all)
        change?.(all)
      },
    })
    const config = scene.stage.configure(`daemon${i}`, settings)
    slots.push({ config, adminPort, now: live({ config, adminPort }) })
  }
  for (const slot of slots) void watch(slot)
  const stop = async () => {
    state.stopping = true
    for (const slot of slots) slot.now.kill('SIGKILL')
    await Promise.all(slots.map((slot) => slot.now.exited))
  }
  await scene.smsc.bound(1, 60_000).catch(async (error: Error) => {
    await stop()
    throw new Error(`${error.message}: ${crashes[0] ?? slots[0]!.now.raw().slice(-1_000)}`)
  })
  return {
    daemons: () => slots.map((slot) => slot.now),
    kills,
    strikes,
    fewest,
    stalledMs: () => performance.now() - state.lastEndMs,
    accidents: () =>
      [...crashes, ...bugs, ...slots.filter(({ now }) => now.alive).flatMap(({ now }) => bugsOf(now))].map(
        (what): Breach => ({ invariant: 'I6', what: `a daemon: ${what}` }),
      ),
    async disarm() {
      state.armed = false
      for (const slot of slots) {
        const old = slot.now
        old.kill('SIGKILL')
        await reached(async () => slot.now !== old && (await isReady(slot.adminPort)), 60_000)
      }
    },
    stop,
  }
}

/** With the defaults a dialogue may be over before its daemon is back, and its end is a text as any other. */
function patient({ dialogue }: Settings): void {
  Object.assign(dialogue, { idleMs: OUTLIVES_MS, totalMs: OUTLIVES_MS, tombstoneMs: OUTLIVES_MS })
}

function struck(log: string): Failpoint[] {
  return log
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' ')[0] as Failpoint)
}

/**
 * R1, R2, R3: two daemons on one Redis and one Postgres, both bound to one SMSC, killed at named points again and again
 * while subscribers walk, deliveries are doubled, and links drop.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import type { Settings } from '../../src/config/schema.ts'
import { join } from 'node:path'
import { FAILPOINTS, type Failpoint } from '../../src/base/failpoints.ts'
import { freePort } from '../support/services.ts'
import { bugsOf, metricsAtRest } from './aftermath.ts'
import { check, doubledSms, missingSms, tally, type Breach, type Evidence } from './checker.ts'
import { isReady, startDaemonProcess, type DaemonProcess } from './daemon-process.ts'
import { FAILURES_MAX, percentile, reached, type Campaign, type CampaignDeps, type Outcome } from './outcome.ts'
import { openFixture, sweepRedis, type CampaignFixture } from './fixture.ts'
import { settingsOf } from './stage.ts'
import { HABITS } from './subscriber.ts'

const DAEMONS = 2
const WALKERS = 10
/** At the armed point, each visit: a few messages pass before it strikes. */
const CHANCE = 0.2

/**
 * So many kills in all, and at each point at least; how long that takes is the machine's affair, and `minutes` only
 * ends what never comes.
 */
const BOUNDS = {
  ci: { kills: 30, each: 2, minutes: 8 },
  bounded: { kills: 60, each: 4, minutes: 15 },
  long: { kills: 500, each: 20, minutes: 60 },
}
/**
 * Where both daemons die again and again and each start takes seconds, a screen is long in coming: its dialogue, and the
 * memory of its last screen, outlive any machine. What was acknowledged comes once nobody is killed any more; for so
 * long a subscriber waits for it.
 */
const OUTLIVES_MS = 1_800_000
const SCREEN_MS = 180_000

export const killCampaign: Campaign = async (parts) => {
  const bounds = BOUNDS[parts.ci ? 'ci' : parts.mode]
  const { kills = bounds.kills, minutes = bounds.minutes } = parts
  const each = Math.min(bounds.each, Math.floor(kills / FAILPOINTS.length))
  const startMs = performance.now()
  const scene = await openFixture({ seed: parts.seed, smsc: { screenMs: SCREEN_MS } })
  const pack = await startPack(scene, parts.seed)
  try {
    misbehave(scene)
    const walking = scene.walkers(WALKERS, { ...HABITS, takesLeave: true })
    await reached(() => pack.kills().length >= kills && fewestOf(pack.kills()) >= each, minutes * 60_000)
    scene.smsc.chaos.clear()
    await pack.disarm()
    await walking.stop()
    const metrics = await metricsAtRest(pack.daemons())
    const evidence = await scene.evidence(metrics)
    const seconds = (performance.now() - startMs) / 1000
    return outcomes({ parts, scene, pack, evidence, seconds, each, breaches: [...check(evidence), ...accidents(pack)] })
  } finally {
    await pack.stop()
    await sweepRedis(scene.stage)
    await scene.close()
  }
}

/**
 * 30 % doubled, some of them on the other bind; a late copy of an opening now and then; 10 % of the answers lose their
 * link.
 */
function misbehave({ smsc }: CampaignFixture): void {
  smsc.chaos.add({ on: 'deliver_sm', lane: 'ussd', event: 'begin', chance: 0.05, act: { is: 'late', ms: 700 } })
  smsc.chaos.add({ on: 'deliver_sm', lane: 'ussd', chance: 0.2, act: { is: 'double', on: 'other' } })
  smsc.chaos.add({ on: 'deliver_sm', lane: 'ussd', chance: 0.12, act: { is: 'double', on: 'same' } })
  smsc.chaos.add({ on: 'deliver_sm', event: 'input', chance: 0.05, act: { is: 'close', when: 'before' } })
  smsc.chaos.add({ on: 'deliver_sm', event: 'input', chance: 0.05, act: { is: 'close', when: 'after' } })
  smsc.chaos.add({ on: 'submit_sm', lane: 'ussd', chance: 0.02, act: { is: 'close', when: 'after' } })
  smsc.chaos.add({ on: 'submit_sm', lane: 'sms', chance: 0.02, act: { is: 'close', when: 'after' } })
}

function patient({ dialogue }: Settings): void {
  Object.assign(dialogue, { idleMs: OUTLIVES_MS, totalMs: OUTLIVES_MS, tombstoneMs: OUTLIVES_MS })
}

interface Pack {
  daemons(): readonly DaemonProcess[]
  /** The points that struck, in order. */
  kills(): Failpoint[]
  /** Ends that nobody wanted: the process gave up by itself. */
  crashes(): string[]
  /** From now on nobody is killed any more. */
  disarm(): Promise<void>
  /** Lines of all lives that tell of a bug. */
  bugs(): string[]
  stop(): Promise<void>
}

async function startPack(scene: CampaignFixture, seed: number): Promise<Pack> {
  const log = join(scene.stage.data, 'kills')
  appendFileSync(log, '')
  const lives: DaemonProcess[] = []
  const crashes: string[] = []
  const bugs: string[] = []
  let armed = true
  const state = { stopping: false }
  let life = 0
  const kills = (): Failpoint[] =>
    existsSync(log)
      ? readFileSync(log, 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line) => line.split(' ')[0] as Failpoint)
      : []
  const slots: { config: string; adminPort: number; now: DaemonProcess }[] = []

  function live(slot: { config: string; adminPort: number }): DaemonProcess {
    const armour = `${rarest(kills(), ++life)}=${CHANCE};seed=${seed + life};log=${log}`
    const env: Record<string, string> = armed ? { USSD_CONNECTOR_FAILPOINTS: armour } : {}
    const daemon = startDaemonProcess(slot.config, slot.adminPort, env)
    lives.push(daemon)
    return daemon
  }
  async function watch(slot: (typeof slots)[number]): Promise<void> {
    while (!state.stopping) {
      const { now } = slot
      const { code, signal } = await now.exited
      bugs.push(...bugsOf(now))
      if (signal !== 'SIGKILL' && !state.stopping) crashes.push(`exit ${code} ${signal}: ${now.raw().slice(-600)}`)
      if (!state.stopping) slot.now = live(slot)
    }
  }
  for (let i = 0; i < DAEMONS; i++) {
    const adminPort = await freePort()
    const config = scene.stage.configure(
      `daemon${i}`,
      settingsOf(scene.stage, { smscPort: scene.smsc.port, adminPort, change: patient }),
    )
    slots.push({ config, adminPort, now: live({ config, adminPort }) })
  }
  for (const slot of slots) void watch(slot)
  await scene.smsc.bound(1, 60_000).catch((error: Error) => {
    throw new Error(`${error.message}: ${crashes[0] ?? slots[0]!.now.raw().slice(-1_000)}`)
  })
  return {
    daemons: () => slots.map((slot) => slot.now),
    kills,
    crashes: () => crashes,
    bugs: () => [...bugs, ...slots.filter((slot) => slot.now.alive).flatMap((slot) => bugsOf(slot.now))],
    async disarm() {
      armed = false
      for (const slot of slots) {
        const old = slot.now
        old.kill('SIGKILL')
        await reached(async () => slot.now !== old && (await isReady(slot.adminPort)), 60_000)
      }
    },
    async stop() {
      state.stopping = true
      for (const slot of slots) slot.now.kill('SIGKILL')
      await Promise.all(slots.map((slot) => slot.now.exited))
    },
  }
}

/** The point that struck least so far; so all are struck equally often. */
function rarest(kills: readonly Failpoint[], life: number): Failpoint {
  const counts = strikesOf(kills)
  const least = fewestOf(kills)
  const candidates = FAILPOINTS.filter((name) => counts[name] === least)
  return candidates[life % candidates.length]!
}

function strikesOf(kills: readonly Failpoint[]): Record<string, number> {
  return Object.fromEntries(FAILPOINTS.map((name) => [name, kills.filter((kill) => kill === name).length]))
}

function fewestOf(kills: readonly Failpoint[]): number {
  return Math.min(...Object.values(strikesOf(kills)))
}

function accidents(pack: Pack): Breach[] {
  return [...pack.crashes(), ...pack.bugs()].map((what) => ({ invariant: 'I6', what: `a daemon: ${what}` }))
}

interface Told {
  parts: CampaignDeps
  scene: CampaignFixture
  pack: Pack
  evidence: Evidence
  breaches: Breach[]
  seconds: number
  /** How often each point was to strike at least. */
  each: number
}

function outcomes({ parts, scene, pack, evidence, breaches, seconds, each }: Told): Outcome[] {
  const { diary, deliveries } = { diary: scene.diary, deliveries: scene.smsc.deliveries.counts }
  const kills = pack.kills()
  const sums = tally(breaches)
  const common = { seed: parts.seed, seconds: Math.round(seconds), mode: parts.mode }
  const perPoint = strikesOf(kills)
  const fewest = fewestOf(kills)
  const failures = breaches.map((one) => `${one.invariant} ${one.what}`)
  const lossesOf = (is: (losses: number) => boolean) => evidence.sms.filter((row) => is(row.losses)).length
  const of = (invariant: Breach['invariant']) => breaches.filter((one) => one.invariant === invariant).length
  return [
    {
      ...common,
      goal: 'R1',
      title:
        '2 daemons killed at random points under walking subscribers, 30 % doubled deliveries, link drops at 10 % of answers',
      passed: breaches.length === 0 && kills.length > 0 && diary.confirmed.length > 0,
      figure: `${sums.I1} hung, ${sums.I2} false confirmations, ${sums.I3} doubled bookings, ${of('I5')} foreign or odd screens, ${sums.I4} SMS wrong`,
      counts: {
        kills: kills.length,
        killsPerMinute: Math.round(kills.length / (seconds / 60)),
        dialogues: diary.dialogues,
        steps: diary.steps,
        bookings: evidence.bookings.length,
        confirmed: diary.confirmed.length,
        sms: evidence.sms.length,
        doubledDeliveries: deliveries.doubled,
        redelivered: deliveries.redelivered,
        lateCopies: deliveries.late,
        apologies: diary.apologies,
        undelivered: diary.undelivered,
        pressedAgain: diary.pressedAgain,
        screenP99Ms: Math.round(percentile(diary.waitsMs, 99)),
      },
      failures: failures.slice(0, FAILURES_MAX),
    },
    {
      ...common,
      goal: 'R2',
      title: 'each failpoint struck',
      passed: breaches.length === 0 && fewest >= Math.max(1, each),
      figure: `${fewest} kills at the rarest of ${FAILPOINTS.length} points`,
      counts: perPoint,
      failures: FAILPOINTS.filter((name) => perPoint[name]! < each).map(
        (name) => `${name} struck ${perPoint[name]} times of ${each}`,
      ),
    },
    {
      ...common,
      goal: 'R3',
      title: 'SMS under kills: two copies only after a recorded loss, never three',
      passed: sums.I4 === 0 && evidence.sms.length > 0,
      figure: `${doubledSms(evidence)} of ${evidence.sms.length} SMS taken twice, each after a recorded loss; ${missingSms(evidence)} never, each after two`,
      counts: {
        sms: evidence.sms.length,
        withALoss: lossesOf((n) => n > 0),
        reminders: evidence.sms.filter((row) => row.kind === 'reminder').length,
      },
      failures: failures.filter((one) => one.startsWith('I4')).slice(0, FAILURES_MAX),
    },
  ]
}

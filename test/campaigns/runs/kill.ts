/**
 * R1, R2, R3: two daemons on one Redis and one Postgres, both bound to one SMSC, killed at named points again and again
 * while subscribers walk, deliveries are doubled, and links drop.
 */
import { FAILPOINTS } from '../../../src/base/failpoints.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { metricsAtRest } from '../judging/aftermath.ts'
import { countersOf, type Counters, type Counting } from '../staging/counters.ts'
import { paceOf } from '../settings.ts'
import { check, doubledSms, missingSms, tally, type Breach, type Evidence } from '../judging/checker.ts'
import {
  FAILURES_MAX,
  percentile,
  reached,
  type Campaign,
  type CampaignDeps,
  type Outcome,
} from '../judging/outcome.ts'
import { openFixture, sweepRedis, type CampaignFixture } from '../staging/fixture.ts'
import { startPack, type Pack } from '../staging/pack.ts'
import { HABITS } from '../staging/subscriber.ts'

const WALKERS = 10

/** Files of records are cut seldom: R22 has their points. */
const POINTS = FAILPOINTS.filter((name) => !name.startsWith('file-'))

/**
 * So many kills in all, and at each point at least. How long that takes is the machine's affair: only a run in which
 * nobody was killed for a long time is over before.
 */
const BOUNDS = {
  ci: { kills: 30, each: 2 },
  bounded: { kills: 60, each: 4 },
  long: { kills: 500, each: 20 },
}
const STALLED_MS = 300_000
/** What was acknowledged comes once nobody is killed any more; for so long a subscriber waits for it. */
const SCREEN_MS = 180_000

/**
 * How the networks of the subscribers count. None stands still: there a key that is redelivered after a kill, a second
 * late, is a key.
 */
const COUNTED: readonly Counting[] = ['echoes', 'counts', 'wraps', 'stalls', 'goes-back']
/** The last copies, and the time that the SMSC takes for an answer that never comes. */
const COPIES_MS = 30_000

export const killCampaign: Campaign = async (parts) => {
  const bounds = BOUNDS[parts.ci ? 'ci' : parts.mode]
  const { kills = bounds.kills, minutes = Infinity } = parts
  const each = Math.min(bounds.each, Math.floor(kills / POINTS.length))
  const startMs = performance.now()
  const counters = countersOf({
    chance: seededChance(parts.seed + 2),
    of: (msisdn) => COUNTED[Number(msisdn.slice(-3)) % COUNTED.length]!,
    after: (ms, run) => void setTimeout(run, ms),
  })
  const scene = await openFixture({ seed: parts.seed, pace: paceOf(parts), smsc: { screenMs: SCREEN_MS }, counters })
  const pack = await startPack(scene, { seed: parts.seed, points: POINTS })
  try {
    misbehave(scene)
    const walking = scene.walkers(WALKERS, { ...HABITS, takesLeave: true })
    const isEnough = () => pack.kills().length >= kills && pack.fewest() >= each
    await reached(() => isEnough() || pack.stalledMs() > STALLED_MS, minutes * 60_000)
    scene.smsc.chaos.clear()
    await pack.disarm()
    await walking.stop()
    await reached(() => counters.owed() === 0, COPIES_MS)
    const evidence = await scene.evidence(() => metricsAtRest(pack.daemons()))
    const seconds = (performance.now() - startMs) / 1000
    return outcomes({
      parts,
      scene,
      pack,
      counters,
      evidence,
      seconds,
      each,
      breaches: [...check(evidence), ...pack.accidents()],
    })
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

interface Told {
  parts: CampaignDeps
  scene: CampaignFixture
  pack: Pack
  counters: Counters
  evidence: Evidence
  breaches: Breach[]
  seconds: number
  /** How often each point was to strike at least. */
  each: number
}

function outcomes({ parts, scene, pack, counters, evidence, breaches, seconds, each }: Told): Outcome[] {
  const { diary, deliveries } = { diary: scene.diary, deliveries: scene.smsc.deliveries.counts }
  const kills = pack.kills()
  const sums = tally(breaches)
  const common = { seed: parts.seed, seconds: Math.round(seconds), mode: parts.mode }
  const perPoint = pack.strikes()
  const fewest = pack.fewest()
  const failures = breaches.map((one) => `${one.invariant} ${one.what}`)
  const lossesOf = (is: (losses: number) => boolean) => evidence.sms.filter((row) => is(row.losses)).length
  const of = (invariant: Breach['invariant']) => breaches.filter((one) => one.invariant === invariant).length
  return [
    {
      ...common,
      goal: 'R1',
      title:
        '2 daemons killed at random points under walking subscribers, 30 % doubled deliveries, link drops at 10 % of answers; counters that stall, go back and wrap, and keys copied up to 5 s later',
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
        copiesOfKeys: counters.counts.copies,
        copiesBehindALaterKey: counters.counts.lateCopies,
        keysStalled: counters.counts.stalled,
        keysCountedBack: counters.counts.back,
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
      passed: fewest >= Math.max(1, each),
      figure: `${fewest} kills at the rarest of ${POINTS.length} points`,
      counts: perPoint,
      failures: POINTS.filter((name) => perPoint[name]! < each).map(
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

/**
 * R5: one dialogue, walked again and again; each time the connection dies after one octet more, in the one direction or
 * the other. The SMSC delivers what was not answered on the next bind. The screens must be those of the undisturbed
 * dialogue, and the booking one. Besides: the same octets in any two pieces, and one at a time, are the same PDUs.
 */
import type { Settings } from '../../../src/config/schema.ts'
import type { Phone } from '../../../src/simulator/phone/phone.ts'
import { aftermath } from '../judging/aftermath.ts'
import { paceOf, type Pace } from '../settings.ts'
import { certainHarm } from '../judging/certain.ts'
import { check } from '../judging/checker.ts'
import { fenced, type Fenced } from '../staging/fenced.ts'
import { FAILURES_MAX, reached, told, type Campaign } from '../judging/outcome.ts'
import { shareOfCore } from '../judging/pace.ts'
import { framed } from '../pdu-eater.ts'
import { openFixture, type CampaignFixture } from '../staging/fixture.ts'

/** What is pressed after dialling, and the screen that follows. */
const STEPS: readonly (readonly [key: string, screen: RegExp])[] = [
  ['', /^Welcome, /],
  ['2', /^Select Appointment Type/],
  ['1', /Available Checkup Slots/],
  ['1', /^Book Checkup at /],
  ['1', /^Appointment confirmed/],
  ['1', /^Welcome, /],
  ['4', /^Thank you/],
]
const CONFIRM = 4
/**
 * Octets from one cut to the next: a comb of them, at another phase for each seed. On default timers each link that dies
 * costs seconds until the next, so a bounded run has no time for all of them.
 */
const COMB = { ci: 16, bounded: 4, long: 1 }
const ROUNDS = { ci: 1, bounded: 1, long: 5 }
const DIRECTIONS = ['up', 'down'] as const
/**
 * Daemons at once, each with a network of its own: a cut is mostly waiting, where there is a processor; on default timers
 * also where there is none.
 */
const LANES_MAX = { short: 4, defaults: 8 }
const LANES_MIN = { short: 1, defaults: 6 }
/** On default settings a reply that was lost with its link may come after 12 s (confirmMs). */
const SCREEN_MS = { short: 30_000, defaults: 60_000 }

interface Cut {
  direction: (typeof DIRECTIONS)[number]
  at: number
}

interface Lane {
  scene: CampaignFixture
  fence: Fenced
  counts: { dialogues: number; repeats: number; pieces: number }
  failures: string[]
}

export const cutsCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const size = parts.ci ? 'ci' : parts.mode
  const lanes: Lane[] = []
  try {
    // One after the other: the first may have to start the servers for all.
    const pace = paceOf(parts)
    const count = Math.max(LANES_MIN[pace], Math.round(LANES_MAX[pace] * shareOfCore({ spinMs: 500 })))
    for (let n = 0; n < count; n++) lanes.push(await openLane(parts.seed + n, pace))
    const octets = await undisturbed(lanes[0]!)
    const cuts: Cut[] = []
    for (let round = 0; round < (parts.rounds ?? ROUNDS[size]); round++) {
      for (const direction of DIRECTIONS) {
        for (let at = (parts.seed + round) % COMB[size]; at < octets[direction]; at += COMB[size])
          cuts.push({ direction, at })
      }
    }
    await Promise.all(
      lanes.map((lane, n) =>
        run(
          lane,
          cuts.filter((_, i) => i % count === n),
        ),
      ),
    )
    const failures = lanes.flatMap((lane) => lane.failures)
    const sum = (of: (lane: Lane) => number) => lanes.reduce((all, lane) => all + of(lane), 0)
    const struck = sum((lane) => lane.fence.smsc.counts.struck)
    if (struck < cuts.length * 0.9) failures.push(`only ${struck} of ${cuts.length} cuts struck`)
    return [
      told(parts, startMs, {
        goal: 'R5',
        title: `the connection cut at every ${COMB[size] > 1 ? `${COMB[size]}th ` : ''}octet of a dialogue, up and down; the dialogue one octet at a time`,
        failures,
        passed: failures.length === 0,
        figure: `${cuts.length} cuts in ${octets.up} octets up and ${octets.down} down: ${failures.length} dialogues that differ`,
        counts: {
          dialogues: sum((lane) => lane.counts.dialogues),
          struck,
          redelivered: sum((lane) => lane.scene.smsc.deliveries.counts.redelivered),
          repeatedScreens: sum((lane) => lane.counts.repeats),
          splits: sum((lane) => lane.counts.pieces),
        },
      }),
    ]
  } finally {
    for (const lane of lanes.toReversed()) {
      await lane.fence.stop()
      await lane.scene.close()
    }
  }
}

async function openLane(seed: number, pace: Pace): Promise<Lane> {
  const scene = await openFixture({ seed, pace, reminds: false, smsc: { screenMs: SCREEN_MS[pace], traceMax: 400 } })
  const fence = await fenced(scene, (settings) => changed(settings, pace))
  return { scene, fence, counts: { dialogues: 0, repeats: 0, pieces: 0 }, failures: [] }
}

async function run(lane: Lane, cuts: readonly Cut[]): Promise<void> {
  const { fence, failures } = lane
  failures.push(...(await certainHarm(() => walk(lane, 'undisturbed'))))
  lane.counts.pieces = inPieces(lane)
  await fence.smsc.set({ is: 'chunk' })
  failures.push(...(await certainHarm(() => walk(lane, 'one octet at a time'))))
  for (const cut of cuts) {
    if (failures.length >= FAILURES_MAX) break
    failures.push(
      ...(await certainHarm(async () => {
        await armed(lane, cut)
        return walk(lane, `${cut.direction} cut after ${cut.at} octets`)
      })),
    )
  }
  await fence.smsc.set({ is: 'pass' })
  failures.push(...(await judged(lane)))
}

/**
 * Answers in what it differs. A machine that stops for half a second makes Redis late, and a subscriber is told so: see
 * certainHarm.
 */
async function walk({ scene, counts }: Lane, what: string): Promise<string[]> {
  const phone = await newcomer(scene)
  const wrong: string[] = []
  await walkThrough(scene, phone).catch((error: Error) => void wrong.push(`${what}: ${error.message.slice(0, 1_500)}`))
  counts.dialogues++
  counts.repeats += phone.repeats
  if (wrong.length && phone.screen?.open) phone.hangUp()
  return wrong
}

/** In a short run a link that died is there again at once: hundreds of them die. */
function changed(settings: Settings, pace: Pace): void {
  settings.reminders.leads = [] // they would be due long after the run
  if (pace === 'defaults') return
  Object.assign(settings.lines[0]!.timers, { reconnectMs: 10, reconnectMaxMs: 20, pduReadMs: 300 })
  settings.dialogue.confirmMs = 500
}

let serial = 0

async function newcomer({ stage, smsc }: CampaignFixture): Promise<Phone> {
  const msisdn = `6756${String(++serial).padStart(7, '0')}`
  await stage.enrol([msisdn])
  await stage.refill(1, { fromMs: 600_000, toMs: 3_600_000 })
  const phone = smsc.phone(msisdn)
  phone.skipRepeats = true
  return phone
}

async function walkThrough({ diary, stage }: CampaignFixture, phone: Phone): Promise<void> {
  diary.dialogues++
  let clinic = ''
  for (const [n, [key, expected]] of STEPS.entries()) {
    if (n === CONFIRM) diary.pressed.push({ msisdn: phone.msisdn, clinic })
    const { text } = n === 0 ? await phone.dial('*123#') : await phone.answer(key)
    if (!expected.test(text)) throw new Error(`step ${n} shows ${JSON.stringify(text)}: ${phone.story.join(' · ')}`)
    if (n === CONFIRM) diary.confirmed.push({ msisdn: phone.msisdn, clinic })
    clinic = /C\d{5}/.exec(text)?.[0] ?? clinic
  }
  const booked = await stage.knex('dental_appointment').where({ msisdn: phone.msisdn })
  if (booked.length !== 1) throw new Error(`${booked.length} bookings`)
}

/** Octets either way of a connection that binds and carries one dialogue. */
async function undisturbed(lane: Lane): Promise<{ up: number; down: number }> {
  const { counts } = lane.fence.smsc
  let octets = { up: 0, down: 0 }
  lane.failures.push(
    ...(await certainHarm(async () => {
      const before = { up: counts.up, down: counts.down }
      await armed(lane, { direction: 'up', at: Infinity })
      const wrong = await walk(lane, 'undisturbed')
      if (!wrong.length) octets = { up: counts.up - before.up, down: counts.down - before.down }
      return wrong
    })),
  )
  return octets
}

/** Ends the connection that there is; the next one dies after so many octets. */
async function armed({ scene, fence }: Lane, cut: Cut): Promise<void> {
  await fence.smsc.set({ is: 'cut', ...cut })
  const before = fence.smsc.counts.connections
  for (const peer of scene.smsc.peers()) peer.close()
  await reached(() => fence.smsc.counts.connections > before, 30_000)
}

/** Everything that went over the wire so far, in two pieces at each boundary, and octet by octet. */
function inPieces({ scene, failures }: Lane): number {
  const octets = Buffer.concat(scene.smsc.trace().map((one) => one.octets))
  const hexOf = (chunks: Buffer[]) =>
    framed(chunks)
      .frames.map((frame) => frame.toString('hex'))
      .join(' ')
  const whole = hexOf([octets])
  for (let at = 0; at <= octets.length; at++) {
    if (hexOf([octets.subarray(0, at), octets.subarray(at)]) !== whole)
      failures.push(`in two pieces at ${at}: other PDUs`)
  }
  if (hexOf([...octets].map((octet) => Buffer.of(octet))) !== whole) failures.push('octet by octet: other PDUs')
  return octets.length
}

async function judged({ scene, fence }: Lane): Promise<string[]> {
  await scene.smsc.bound(1)
  const found = check(await scene.evidence([])).map((breach) => `${breach.invariant} ${breach.what}`)
  return [...found, ...(await aftermath(fence))]
}

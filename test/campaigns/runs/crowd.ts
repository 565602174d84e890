/**
 * A1: thousands of subscribers dial at once, into one daemon on the settings as they are shipped: a daemon that has
 * served nobody yet, one that rested, an SMSC whose slots are slow, and one that answers nothing for a while. Counts, not
 * times: whoever is acknowledged is shown a screen or a text, whoever is not has a status that lets the SMSC try again,
 * and a reply that never left is counted once.
 */
import { aftermath, restingMetrics } from '../judging/aftermath.ts'
import { sumWhere } from '../judging/checker.ts'
import { openFixture, sweepRedis, type CampaignFixture } from '../staging/fixture.ts'
import { percentile, sleep, told, type Campaign } from '../judging/outcome.ts'
import { rush, type Rush } from '../staging/rush.ts'
import { severalDaemons, type Several } from '../staging/several.ts'

const SIZES = {
  ci: { crowd: 3_000, slow: 1_000, pauses: [2_500] },
  bounded: { crowd: 10_000, slow: 3_000, pauses: [700, 2_500, 12_000] },
  long: { crowd: 10_000, slow: 10_000, pauses: [300, 700, 1_200, 2_500, 5_000, 12_000, 30_000] },
}
/** Ten slots at this are a hundred screens a second: eight hundred in the time of a turn. */
const SLOT_MS = 100
/** In a pause, dials come at this pace, as on a busy evening. */
const PACE = { perSecond: 100, forMs: 4_000 }
/** Longer than any turn, and than what is owed is sent once more. */
const SCREEN_MS = 60_000
/** A real SMSC waits this long for a response; in a shorter time it would deliver a dial twice. */
const DELIVERIES = { responseMs: 60_000, heldMax: 20_000 }
/**
 * `dialogue.turnMs`: a screen that comes later after the acknowledgement is one that should not have been promised. The
 * load of the machine may change while a crowd waits, so some of them may. Where the SMSC pauses for longer than a turn,
 * whoever came first is late, whatever is done: of each such crowd no more than a window's queue (`queueMax.ussd`).
 */
const TURN_MS = 8_000
const LATE_MAX = 0.1
const LATE_OF_PAUSE_MAX = 1_000
/** Between two crowds: what was measured of the first is old by then. */
const REST_MS = 1_000
/** Responses of one pause come within this time at its end. */
const HOLD_MS = 20
/** ESME_RTHROTTLED, ESME_RX_T_APPN: whoever tries again may be served. */
const MAY_TRY_AGAIN: ReadonlySet<number> = new Set([0x58, 0x64])

export const crowdCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const size = SIZES[parts.ci ? 'ci' : parts.mode]
  const scene = await openFixture({
    seed: parts.seed,
    pace: 'defaults',
    smsc: { screenMs: SCREEN_MS, traceMax: 100, deliveries: DELIVERIES },
  })
  const several = await severalDaemons(scene, 1)
  const failures: string[] = []
  const crowds: Crowd[] = []
  const play = async (name: string, act: () => Promise<Rush>, pauseMs = 0) => {
    const before = await figuresOf(several)
    const seen = await act()
    await sleep(REST_MS)
    const crowd = { name, seen, pauseMs, unsent: (await figuresOf(several)).unsent - before.unsent }
    parts.say(`     ${inWords(crowd)}`)
    crowds.push(crowd)
    failures.push(...wrongWith(crowd))
  }
  try {
    await play('at its first dials', () => rush(scene, phones(size.crowd)))
    await play('after a rest', () => rush(scene, phones(size.crowd)))
    await play(`at slots of ${SLOT_MS} ms`, () => slowly(scene, SLOT_MS, () => rush(scene, phones(size.slow))))
    for (const ms of size.pauses) {
      const dials = (PACE.perSecond * (ms + PACE.forMs)) / 1_000
      const evenly = { overMs: ms + PACE.forMs }
      await play(`over a pause of ${ms} ms`, () => paused(scene, ms, () => rush(scene, phones(dials), evenly)), ms)
      await play(`into a pause of ${ms} ms`, () => paused(scene, ms, () => rush(scene, phones(size.slow))), ms)
    }
    failures.push(...(await aftermath({ daemon: several.daemons[0]!, adminPort: several.daemons[0]!.adminPort })))
    failures.push(...several.accidents())
    const sum = (of: (crowd: Crowd) => number) => crowds.reduce((all, crowd) => all + of(crowd), 0)
    const mute = sum(({ seen }) => seen.mute.length)
    const [late, acknowledged] = [sum(lateOf), sum(({ seen }) => seen.acknowledged)]
    failures.push(...tooLate(crowds))
    return [
      told(parts, startMs, {
        goal: 'A1',
        title: `${size.crowd} dials at once into a daemon that is quiet, and ${size.slow} at an SMSC whose slots take ${SLOT_MS} ms or that answers nothing for ${size.pauses.join(', ')} ms`,
        passed: failures.length === 0,
        figure: `${mute} of ${acknowledged} acknowledged dials shown nothing, ${late} later than ${TURN_MS} ms, ${sum(({ seen }) => seen.unanswered)} without a response`,
        counts: Object.fromEntries(crowds.map((crowd) => [crowd.name, inWords(crowd)])),
        failures,
      }),
    ]
  } finally {
    await several.stop()
    await sweepRedis(scene.stage)
    await scene.close()
  }
}

interface Crowd {
  name: string
  seen: Rush
  /** For how long the SMSC answered nothing. */
  pauseMs: number
  /** Replies that never left, as the daemon counts them. */
  unsent: number
}

function lateOf({ seen }: Crowd): number {
  return seen.waitsMs.filter((ms) => ms > TURN_MS).length
}

function tooLate(crowds: readonly Crowd[]): string[] {
  const isLong = ({ pauseMs }: Crowd) => pauseMs > TURN_MS
  const [long, others] = [crowds.filter(isLong), crowds.filter((crowd) => !isLong(crowd))]
  const [late, acknowledged] = [lateOf, ({ seen }: Crowd) => seen.acknowledged].map((of) =>
    others.reduce((sum, crowd) => sum + of(crowd), 0),
  ) as [number, number]
  return [
    ...(late > acknowledged * LATE_MAX
      ? [`${late} of ${acknowledged} acknowledged dials waited over ${TURN_MS} ms`]
      : []),
    ...long
      .filter((crowd) => lateOf(crowd) > LATE_OF_PAUSE_MAX)
      .map((crowd) => `${crowd.name}: ${lateOf(crowd)} acknowledged dials waited over ${TURN_MS} ms`),
  ]
}

function wrongWith({ name, seen, unsent }: Crowd): string[] {
  const { acknowledged, mute, unanswered, refused, dials } = seen
  const odd = [...refused.keys()].filter((status) => !MAY_TRY_AGAIN.has(status))
  return [
    ...(mute.length ? [`I1 ${name}: of ${acknowledged} acknowledged dials, ${mute.length} were shown nothing`] : []),
    ...(unanswered ? [`I1 ${name}: ${unanswered} of ${dials} dials got no response`] : []),
    ...(odd.length ? [`${name}: refused for good, status ${odd.map((status) => `0x${status.toString(16)}`)}`] : []),
    ...(unsent > dials ? [`${name}: ${unsent} replies of ${dials} dials are counted as never sent`] : []),
  ]
}

function inWords(crowd: Crowd): string {
  const { seen, unsent } = crowd
  const { dials, shown, busy, refused, acknowledged, mute, waitsMs } = seen
  const given = [...refused].map(([status, count]) => `, ${count} refused 0x${status.toString(16)}`).join('')
  const slowest = Math.round(percentile(waitsMs, 100))
  return (
    `${dials} dials: ${acknowledged} acknowledged, ${shown - busy} screens, ${busy} texts${given}, ` +
    `${mute.length} nothing; the slowest ${slowest} ms, ${lateOf(crowd)} late; ${unsent} replies unsent`
  )
}

async function figuresOf({ daemons }: Several): Promise<{ unsent: number }> {
  const metrics = await restingMetrics(daemons[0]!.adminPort)
  return { unsent: sumWhere(metrics, 'smpp_unsent_total', 'ussd') }
}

let enrolled = 0

/** Phones that never dialled before. */
function phones(count: number): string[] {
  return Array.from({ length: count }, () => `67${String(5_360_000_000 + ++enrolled).slice(1)}`)
}

async function slowly<T>({ smsc }: CampaignFixture, ms: number, run: () => Promise<T>): Promise<T> {
  const remove = smsc.chaos.add({ on: 'submit_sm', lane: 'ussd', act: { is: 'delay', ms } })
  try {
    return await run()
  } finally {
    remove()
  }
}

/** The SMSC shows what it gets, and answers nothing of it until the pause is over; then all of it. */
async function paused<T>({ smsc }: CampaignFixture, ms: number, run: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + ms
  let remove = (): void => undefined
  const hold = (): void => {
    remove()
    const leftMs = endMs - performance.now()
    if (leftMs > 0) remove = smsc.chaos.add({ on: 'submit_sm', lane: 'ussd', act: { is: 'delay', ms: leftMs } })
    else clearInterval(timer)
  }
  const timer = setInterval(hold, HOLD_MS)
  hold()
  try {
    return await run()
  } finally {
    clearInterval(timer)
    remove()
  }
}

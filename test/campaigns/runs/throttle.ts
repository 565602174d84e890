/**
 * R10: the SMSC takes so many SMS a second and throttles the rest, the line is set a quarter faster than that, and some
 * subscribers' queues are full at first. Hundreds of SMS are due while subscribers dial.
 *
 * How much of the allowed rate is used is asked under the virtual clock (test/simulation/throttled.ts), where a rate is
 * the daemon's own doing; and there a line with a cap (`submits.perSecond`) never sends more. On the real clock none may be lost, or doubled without a recorded loss, and screens must come
 * as fast as from a second daemon, which has as many subscribers at the same moment and no SMS.
 */
import { readPdu, integerField, textField, tlv } from '../../../src/simulator/codec/codec.ts'
import type { Peer } from '../../../src/simulator/smsc/peer.ts'
import { aftermath } from '../judging/aftermath.ts'
import { paceOf, type Pace } from '../settings.ts'
import { metricsOf } from '../staging/daemon-process.ts'
import { sumOf } from '../judging/checker.ts'
import { fenced, type Fenced } from '../staging/fenced.ts'
import { shareOfCore, stallsOf } from '../judging/pace.ts'
import { percentile, reached, sleep, told, type Campaign } from '../judging/outcome.ts'
import { startPulse, typical, type Pulse } from '../staging/pulse.ts'
import { openFixture, type CampaignFixture } from '../staging/fixture.ts'
import { throttled } from '../../simulation/throttled.ts'

/**
 * On a machine of its own; where neighbours leave a part of it, that part: else it would be the machine that is too
 * slow for the rate.
 */
const ALLOWED_PER_SECOND = 60
const DIALS_PER_SECOND = 20
const SHARE_MIN = 0.25
/** A fifth of what would be sent at this rate is over what is allowed. */
const FASTER = 1.25
const SECONDS = { ci: 20, bounded: 30, long: 600 }
/** Under the virtual clock: SMS a second that are allowed, and for so many seconds they are due. */
const VIRTUAL_PER_SECOND = 16
const VIRTUAL_SECONDS = { ci: 40, bounded: 100, long: 400 }
const VIRTUAL_DIALS = 8
/** Of what is allowed. */
const USED_MIN = 0.8
/** Screens under SMS against screens without: a fifth more, or what nobody can notice, in time of a processor. */
const SLOWER_MAX = 1.2
const SLOWER_MS = 25
/** What is not taken by then never is: on default settings an SMS may be lost twice, each time for two minutes. */
const TAKEN_MS = { short: 180_000, defaults: 420_000 }
const RTHROTTLED = 0x58
const RMSGQFUL = 0x14
const USSD_SERVICE_OP = 0x0501

export const throttleCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const size = parts.ci ? 'ci' : parts.mode
  const share = Math.max(SHARE_MIN, shareOfCore({ spinMs: 500 }))
  const [allowed, dials] = [Math.round(ALLOWED_PER_SECOND * share), DIALS_PER_SECOND * share]
  const count = allowed * SECONDS[size]
  const paced = await virtually(parts.seed, VIRTUAL_SECONDS[size])
  const real = await really({ seed: parts.seed, pace: paceOf(parts), allowed, dials, count, share })
  const failures = [...paced.failures, ...real.failures]
  return [
    told(parts, startMs, {
      goal: 'R10',
      title: `${count} SMS due at an SMSC that takes ${allowed} a second, on a line set to ${allowed * FASTER}; ${paced.title}`,
      failures,
      passed: failures.length === 0,
      figure: `${real.lost} lost; ${paced.figure}; p95 of screens ${real.under.toFixed(1)} ms under SMS, ${real.without.toFixed(1)} ms without`,
      counts: { ...real.counts, ...paced.counts },
    }),
  ]
}

/** The rate that is used, and how long screens wait for SMS: no machine has a part in it. */
async function virtually(seed: number, seconds: number) {
  const allowed = VIRTUAL_PER_SECOND
  const how = { seed, allowed, set: allowed * FASTER, dialsPerSecond: VIRTUAL_DIALS }
  const count = allowed * seconds
  const under = await throttled({ ...how, count })
  const without = await throttled({ ...how, count: 0 })
  const cap = { perSecond: allowed + 2 * VIRTUAL_DIALS, ussdShare: 0.05 }
  const capped = await throttled({ ...how, allowed: Infinity, set: 10 * allowed, count, cap })
  const used = under.perSecond / allowed
  const [slow, fast] = [under, without].map(({ screensMs }) => percentile(screensMs, 95)) as [number, number]
  const failures = [...under.odd, ...without.odd, ...capped.odd].map((text) => `under the virtual clock: shown ${text}`)
  if (used < USED_MIN) failures.push(`only ${Math.round(used * 100)} % of the allowed rate was used`)
  if (under.throttled === 0) failures.push('the line never met its limit')
  if (under.taken !== count || under.doubled > 0)
    failures.push(`under the virtual clock: ${under.taken} of ${count} SMS taken, ${under.doubled} of them again`)
  if (slow > fast * SLOWER_MAX && slow - fast > SLOWER_MS)
    failures.push(`screens at p95 of virtual time: ${slow.toFixed(1)} ms instead of ${fast.toFixed(1)} ms`)
  if (capped.mostInSecond > cap.perSecond)
    failures.push(`${capped.mostInSecond} requests in a second on a line with a cap of ${cap.perSecond}`)
  if (capped.taken !== count || capped.doubled > 0)
    failures.push(`under a cap: ${capped.taken} of ${count} SMS taken, ${capped.doubled} of them again`)
  return {
    failures,
    title: `and ${count} at one that takes ${allowed}, under a virtual clock`,
    figure: `${Math.round(used * 100)} % of the allowed rate used`,
    counts: {
      virtualPerSecond: Math.round(under.perSecond * 10) / 10,
      virtualThrottled: under.throttled,
      mostUnderCap: capped.mostInSecond,
      ofCap: cap.perSecond,
    },
  }
}

interface Real {
  seed: number
  pace: Pace
  allowed: number
  dials: number
  count: number
  share: number
}

async function really({ seed, pace, allowed, dials, count, share }: Real) {
  const houses: House[] = []
  const limits: Limit[] = []
  try {
    // One after the other: the first may have to start the servers for both.
    for (let n = 0; n < 2; n++) houses.push(await openHouse(seed + n, pace, allowed * FASTER))
    const [{ scene, fence }] = houses as [House, House]
    const limit = throttling(scene, allowed)
    limits.push(limit)
    const pulses: Pulse[] = []
    for (const house of houses) pulses.push(await startPulse(house.scene, dials))
    await sleep(2_000)
    const dueMs = performance.now()
    await owe(scene, count)
    const waiting = () => [...limit.full].filter((msisdn) => !limit.taken.has(msisdn)).length
    await reached(() => limit.taken.size + waiting() >= count, TAKEN_MS[pace])
    const endMs = performance.now()
    const failures = await queuesFull(scene, limit)
    await reached(() => limit.taken.size >= count, TAKEN_MS[pace])
    for (const pulse of pulses) {
      await pulse.stop()
      failures.push(...pulse.failures)
    }
    failures.push(...(await lostOrDoubled(scene, limit.taken, count)))
    for (const house of houses) failures.push(...(await aftermath(house.fence)))
    const during = (atMs: number) => atMs >= dueMs && atMs < endMs
    const [under, without] = pulses.map((pulse) => typical(pulse.samples, 95, during)) as [number, number]
    const shareThen = Math.min(share, shareOfCore({ spinMs: 500 }))
    if (under > without * SLOWER_MAX && (under - without) * shareThen > SLOWER_MS)
      failures.push(`screens at p95: ${under.toFixed(1)} ms instead of ${without.toFixed(1)} ms`)
    const counts = {
      share: Math.round(shareThen * 100) / 100,
      perSecond: Math.round((limit.taken.size / (endMs - dueMs)) * 10_000) / 10,
      throttled: limit.throttled,
      queueFull: limit.full.size,
      refused: await refusals(fence),
      screens: pulses.reduce((sum, pulse) => sum + pulse.samples.length, 0),
    }
    return { failures, lost: count - limit.taken.size, under, without, counts }
  } finally {
    for (const limit of limits) limit.stop()
    for (const { scene, fence } of houses.toReversed()) {
      await fence.stop()
      await scene.close()
    }
  }
}

interface House {
  scene: CampaignFixture
  fence: Fenced
}

async function openHouse(seed: number, pace: Pace, perSecond: number): Promise<House> {
  const scene = await openFixture({ seed, pace, smsc: { traceMax: 400, screenMs: 30_000 } })
  const fence = await fenced(scene, (settings) => {
    settings.lines[0]!.sms!.perSecond = perSecond
    settings.reminders.leads = []
  })
  return { scene, fence }
}

interface Limit {
  /** By destination: how often it was taken. */
  taken: Map<string, number>
  throttled: number
  full: Set<string>
  stop(): void
}

/**
 * Counts by the second, as SMSCs do; every hundredth subscriber's queue is full the first time. What comes in a heap
 * because the machine stopped this process would have come to an SMSC one by one: as much more is allowed.
 */
function throttling({ smsc }: CampaignFixture, allowed: number): Limit {
  const stalls = stallsOf()
  const limit: Limit = { taken: new Map(), throttled: 0, full: new Set(), stop: () => stalls.stop() }
  let [second, inSecond, allowance] = [0, 0, allowed]
  const verdict = (destination: string): number => {
    const now = Math.floor(performance.now() / 1_000)
    if (now !== second) [second, inSecond, allowance] = [now, 0, allowed]
    allowance += (allowed * stalls.takeMs()) / 1_000
    if (inSecond >= allowance) {
      limit.throttled++
      return RTHROTTLED
    }
    inSecond++
    if (destination.endsWith('50') && !limit.full.has(destination)) {
      limit.full.add(destination)
      return RMSGQFUL
    }
    limit.taken.set(destination, (limit.taken.get(destination) ?? 0) + 1)
    return 0
  }
  smsc.hook.onFrame = (peer: Peer, frame) => {
    const read = readPdu(frame)
    if (
      !read.ok ||
      read.pdu.command !== 'submit_sm' ||
      tlv(read.pdu, USSD_SERVICE_OP) ||
      integerField(read.pdu.body, 'registered_delivery') === 0
    )
      return false
    const status = verdict(textField(read.pdu.body, 'destination_addr'))
    if (status !== 0) peer.respond(read.pdu, { status })
    return status !== 0
  }
  return limit
}

const MSISDN_FROM = 67_540_000_000

async function owe({ stage }: CampaignFixture, count: number): Promise<void> {
  const now = new Date()
  const rows = Array.from({ length: count }, (_, n) => ({
    subject: `throttle:${n}`,
    kind: 'notice',
    msisdn: String(MSISDN_FROM + n),
    line: '',
    text: `Notice ${n}`,
    quiet_zone: null,
    due_at: now,
    expires_at: new Date(now.getTime() + 3_600_000),
    wake_at: now,
    created_at: now,
  }))
  await stage.knex.batchInsert('sms_outbox', rows, 500)
}

/**
 * A full queue has half a minute at least; the run has not: their turn is drawn forward, once it stands in the outbox.
 * One whose refusal came too late for the daemon was sent again, and is taken by now.
 */
async function queuesFull({ stage }: CampaignFixture, { full, taken }: Limit): Promise<string[]> {
  const { knex } = stage
  const open = () => [...full].filter((msisdn) => !taken.has(msisdn))
  const waiting = () =>
    knex('sms_outbox').whereIn('msisdn', open()).where({ state: 'due', last_status: RMSGQFUL }) as Promise<
      { wake_at: Date }[]
    >
  const isAll = await reached(async () => (await waiting()).length === open().length, TAKEN_MS[stage.pace])
  const rows = await waiting()
  const late = rows.filter((row) => row.wake_at.getTime() > Date.now() + 180_000)
  await knex('sms_outbox')
    .whereIn('msisdn', [...full])
    .where({ state: 'due' })
    .update({ wake_at: new Date() })
  if (!isAll) return [`${open().length} queues were full, ${rows.length} SMS wait for it`]
  return late.length ? [`${late.length} SMS to full queues wait for more than three minutes`] : []
}

async function lostOrDoubled(
  { stage }: CampaignFixture,
  taken: ReadonlyMap<string, number>,
  count: number,
): Promise<string[]> {
  await reached(async () => (await unsettled(stage)).length === 0, TAKEN_MS[stage.pace])
  const open = await unsettled(stage)
  // A response that comes too late on a busy machine is a loss: what is recorded as one may be sent again.
  const lost = await stage.knex('sms_outbox').where('losses', '>', 0).pluck('msisdn')
  const twice = [...taken].filter(([msisdn, times]) => times > 2 || (times > 1 && !lost.includes(msisdn))).length
  return [
    ...(taken.size < count ? [`${count - taken.size} SMS lost`] : []),
    ...(twice ? [`${twice} SMS sent twice without a loss`] : []),
    ...(open.length ? [`${open.length} SMS taken and not settled, the first ${JSON.stringify(open[0])}`] : []),
  ]
}

function unsettled({ knex }: CampaignFixture['stage']): Promise<{ state: string }[]> {
  return knex('sms_outbox')
    .where({ kind: 'notice' })
    .whereNotIn('state', ['accepted', 'delivered'])
    .select('id', 'state', 'attempts') as Promise<{ state: string }[]>
}

async function refusals({ adminPort }: Fenced): Promise<number> {
  return sumOf(await metricsOf(adminPort), 'smpp_tx_refused_total')
}

/**
 * R10: the SMSC takes so many SMS a second and throttles the rest, the line is set a quarter faster than that, and some
 * subscribers' queues are full at first. Hundreds of SMS are due while subscribers walk. None may be lost or doubled.
 * The measures are two daemons with as many subscribers on the same machine at the same moment: one sends as many SMS at
 * the rate that is allowed to an SMSC that throttles none, and the rate that is allowed must be used as well as by it; the
 * other has no SMS, and screens must come as fast as from it.
 */
import { decode, integerField, textField, tlv } from '../../src/simulator/codec/codec.ts'
import type { Peer } from '../../src/simulator/smsc/peer.ts'
import { aftermath } from './aftermath.ts'
import { metricsOf } from './daemon-process.ts'
import { sumOf } from './checker.ts'
import { fenced, type Fenced } from './fenced.ts'
import { shareOfCore, stallsOf } from './pace.ts'
import { reached, sleep, told, type Campaign } from './outcome.ts'
import { startPulse, typical, type Pulse } from './pulse.ts'
import { openFixture, type CampaignFixture } from './fixture.ts'

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
/**
 * Of what the daemon sends that is not throttled. Each refusal costs a second of rest, and within CI's twenty seconds one
 * more or less is 6 %: there it is what tells a rate that is cut somewhat from one that is halved.
 */
const USED_MIN = { ci: 0.65, bounded: 0.8, long: 0.8 }
/** Of what is allowed, by that one: what is allowed fits what neighbours left of the machine, and less if they took more since. */
const FREE_MIN = 0.65
/** Screens under SMS against screens without: a fifth more, or what nobody can notice, in time of a processor. */
const SLOWER_MAX = 1.2
const SLOWER_MS = 25
const RTHROTTLED = 0x58
const RMSGQFUL = 0x14
const USSD_SERVICE_OP = 0x0501

export const throttleCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const share = Math.max(SHARE_MIN, shareOfCore({ spinMs: 500 }))
  const [allowed, dials] = [Math.round(ALLOWED_PER_SECOND * share), DIALS_PER_SECOND * share]
  const size = parts.ci ? 'ci' : parts.mode
  const seconds = SECONDS[size]
  const count = allowed * seconds
  const houses: House[] = []
  const limits: Limit[] = []
  try {
    // One after the other: the first may have to start the servers for both.
    for (const perSecond of [allowed * FASTER, allowed, allowed])
      houses.push(await openHouse(parts.seed + houses.length, perSecond))
    const [{ scene, fence }, free] = houses as [House, House, House]
    limits.push(throttling(scene, allowed), throttling(free.scene, Infinity))
    const [limit] = limits as [Limit, Limit]
    const pulses: Pulse[] = []
    for (const house of houses) pulses.push(await startPulse(house.scene, dials))
    await sleep(2_000)
    const dueMs = performance.now()
    await Promise.all([owe(scene, count), owe(free.scene, count)])
    const [rate, rateFree] = (await Promise.all(limits.map((taking) => rateOf(taking, count, seconds * 3_000)))) as [
      number,
      number,
    ]
    const endMs = performance.now()
    const shareThen = Math.min(share, shareOfCore({ spinMs: 500 }))
    const used = rate / Math.min(allowed, rateFree)
    const waiting = () => [...limit.full].filter((msisdn) => !limit.taken.has(msisdn)).length
    await reached(() => limit.taken.size + waiting() >= count, 60_000)
    const failures = await queuesFull(scene, limit.full)
    await reached(() => limit.taken.size >= count, 60_000)
    for (const pulse of pulses) {
      await pulse.stop()
      failures.push(...pulse.failures)
    }
    failures.push(...(await lostOrDoubled(scene, limit.taken, count)))
    for (const house of houses) failures.push(...(await aftermath(house.fence)))
    const [under, , without] = pulses.map((pulse) =>
      typical(pulse.samples, 95, (atMs) => atMs >= dueMs && atMs < endMs),
    ) as [number, number, number]
    if (used < USED_MIN[size]) failures.push(`only ${Math.round(used * 100)} % of the allowed rate was used`)
    if (rateFree < (allowed * FREE_MIN * shareThen) / share)
      failures.push(`only ${rateFree.toFixed(1)} SMS a second of ${allowed}, without any refusal`)
    if (under > without * SLOWER_MAX && (under - without) * shareThen > SLOWER_MS)
      failures.push(`screens at p95: ${under.toFixed(1)} ms instead of ${without.toFixed(1)} ms`)
    return [
      told(parts, startMs, {
        goal: 'R10',
        title: `${count} SMS due at an SMSC that takes ${allowed} a second, on a line set to ${allowed * FASTER}`,
        failures,
        passed: failures.length === 0,
        figure:
          `${count - limit.taken.size} lost; ${Math.round(used * 100)} % of the allowed rate used; p95 of screens ${under.toFixed(1)} ms ` +
          `under SMS, ${without.toFixed(1)} ms without`,
        counts: {
          share: Math.round(shareThen * 100) / 100,
          perSecond: Math.round(rate * 10) / 10,
          unthrottled: Math.round(rateFree * 10) / 10,
          throttled: limit.throttled,
          queueFull: limit.full.size,
          refused: await refusals(fence),
          screens: pulses.reduce((sum, pulse) => sum + pulse.samples.length, 0),
        },
      }),
    ]
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

async function openHouse(seed: number, perSecond: number): Promise<House> {
  const scene = await openFixture({ seed, smsc: { traceMax: 400, screenMs: 30_000 } })
  const fence = await fenced(scene, (settings) => {
    settings.lines[0]!.sms!.perSecond = perSecond
    settings.reminders.leads = []
  })
  return { scene, fence }
}

/**
 * SMS a second: the first find out what is allowed, the last wait for their turn after a refusal, and it is the rate of
 * those between.
 */
async function rateOf({ taken }: Limit, count: number, withinMs: number): Promise<number> {
  const nth = async (part: number): Promise<{ n: number; atMs: number }> => {
    await reached(() => taken.size >= count * part, withinMs)
    return { n: taken.size, atMs: performance.now() }
  }
  const [first, last] = [await nth(0.15), await nth(0.9)]
  return (last.n - first.n) / ((last.atMs - first.atMs) / 1_000)
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
    if (allowed < Infinity && destination.endsWith('50') && !limit.full.has(destination)) {
      limit.full.add(destination)
      return RMSGQFUL
    }
    limit.taken.set(destination, (limit.taken.get(destination) ?? 0) + 1)
    return 0
  }
  smsc.hook.onFrame = (peer: Peer, frame) => {
    const read = decode(frame)
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
 */
async function queuesFull({ stage }: CampaignFixture, full: ReadonlySet<string>): Promise<string[]> {
  const { knex } = stage
  const waiting = () =>
    knex('sms_outbox')
      .whereIn('msisdn', [...full])
      .where({ state: 'due', last_status: RMSGQFUL }) as Promise<{ wake_at: Date }[]>
  await reached(async () => (await waiting()).length === full.size, 5_000)
  const rows = await waiting()
  const late = rows.filter((row) => row.wake_at.getTime() > Date.now() + 180_000)
  await knex('sms_outbox')
    .whereIn('msisdn', [...full])
    .where({ state: 'due' })
    .update({ wake_at: new Date() })
  if (rows.length !== full.size) return [`${full.size} queues were full, ${rows.length} SMS wait for it`]
  return late.length ? [`${late.length} SMS to full queues wait for more than three minutes`] : []
}

async function lostOrDoubled(
  { stage }: CampaignFixture,
  taken: ReadonlyMap<string, number>,
  count: number,
): Promise<string[]> {
  const twice = [...taken.values()].filter((n) => n > 1).length
  await reached(async () => (await unsettled(stage)).length === 0, 10_000)
  const open = await unsettled(stage)
  return [
    ...(taken.size < count ? [`${count - taken.size} SMS lost`] : []),
    ...(twice ? [`${twice} SMS sent twice`] : []),
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

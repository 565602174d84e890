/**
 * R10: the SMSC takes so many SMS a second and throttles the rest, the line is set a quarter faster than that, and some
 * subscribers' queues are full at first. Thousands of SMS are due while subscribers walk. None may be lost or doubled,
 * the rate that is allowed must be used, and screens must come as fast as with no SMS at all: before and after are the
 * measure, in the same run.
 */
import type { Settings } from '../src/config/schema.ts'
import { decode, integer, text, tlv } from '../src/simulator/codec.ts'
import type { Peer } from '../src/simulator/peer.ts'
import { aftermath } from './aftermath.ts'
import { metricsOf } from './daemon-process.ts'
import { sumOf } from './checker.ts'
import { fenced, type Fenced } from './fenced.ts'
import { reached, sleep, told, type Campaign } from './outcome.ts'
import { startPulse, typical } from './pulse.ts'
import { openScene, type Scene } from './scene.ts'

const ALLOWED_PER_SECOND = 60
/** A fifth of what would be sent at this rate is over what is allowed. */
const SET_PER_SECOND = ALLOWED_PER_SECOND * 1.25
const SECONDS = { ci: 20, bounded: 30, long: 600 }
const USED_MIN = 0.8
/** Screens under SMS against screens without: a fifth more, or what nobody can notice. */
const SLOWER_MAX = 1.2
const SLOWER_MS = 25
const DIALS_PER_SECOND = 30
const RTHROTTLED = 0x58
const RMSGQFUL = 0x14
const USSD_SERVICE_OP = 0x0501

export const throttleCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const seconds = SECONDS[parts.ci ? 'ci' : parts.mode]
  const count = ALLOWED_PER_SECOND * seconds
  const scene = await openScene({ seed: parts.seed, smsc: { traceMax: 400 } })
  const fence = await fenced(scene, setFaster)
  try {
    const limit = throttling(scene)
    const pulse = await startPulse(scene, DIALS_PER_SECOND)
    await sleep(2_000)
    const calmMs = performance.now()
    await sleep(seconds * 300)
    const dueMs = performance.now()
    await owe(scene, count)
    // The first find out what is allowed, the last wait for their turn after a refusal: the rate is that of those between.
    const nth = async (share: number): Promise<{ n: number; atMs: number }> => {
      await reached(() => limit.taken.size >= count * share, seconds * 3_000)
      return { n: limit.taken.size, atMs: performance.now() }
    }
    const [first, last] = [await nth(0.15), await nth(0.9)]
    const used = (last.n - first.n) / ((last.atMs - first.atMs) / 1_000) / ALLOWED_PER_SECOND
    const waiting = () => [...limit.full].filter((msisdn) => !limit.taken.has(msisdn)).length
    await reached(() => limit.taken.size + waiting() >= count, 60_000)
    const failures = await queuesFull(scene, limit.full)
    await reached(() => limit.taken.size >= count, 60_000)
    const doneMs = performance.now()
    await sleep(seconds * 300)
    await pulse.stop()
    failures.push(...await lostOrDoubled(scene, limit.taken, count), ...pulse.failures, ...await aftermath(fence))
    const without = typical(pulse.samples, 95, (atMs) => (atMs >= calmMs && atMs < dueMs) || atMs >= doneMs)
    const under = typical(pulse.samples, 95, (atMs) => atMs >= dueMs && atMs < last.atMs)
    if (used < USED_MIN) failures.push(`only ${Math.round(used * 100)} % of the allowed rate was used`)
    if (under > without * SLOWER_MAX && under - without > SLOWER_MS) failures.push(`screens at p95: ${under.toFixed(1)} ms instead of ${without.toFixed(1)} ms`)
    return [told(parts, startMs, {
      goal: 'R10', title: `${count} SMS due at an SMSC that takes ${ALLOWED_PER_SECOND} a second, on a line set to ${SET_PER_SECOND}`, failures,
      passed: failures.length === 0,
      figure: `${count - limit.taken.size} lost; ${Math.round(used * 100)} % of the allowed rate used; p95 of screens ${under.toFixed(1)} ms `
        + `under SMS, ${without.toFixed(1)} ms without`,
      counts: { throttled: limit.throttled, queueFull: limit.full.size, refused: await refusals(fence), screens: pulse.samples.length },
    })]
  } finally {
    await fence.stop()
    await scene.close()
  }
}

function setFaster(settings: Settings): void {
  settings.lines[0]!.sms!.perSecond = SET_PER_SECOND
  settings.reminders.leads = []
}

interface Limit {
  /** By destination: how often it was taken. */
  taken: Map<string, number>
  throttled: number
  full: Set<string>
}

/** Counts by the second, as SMSCs do; every fiftieth subscriber's queue is full the first time. */
function throttling({ smsc }: Scene): Limit {
  const limit: Limit = { taken: new Map(), throttled: 0, full: new Set() }
  let second = 0
  let inSecond = 0
  const verdict = (destination: string): number => {
    const now = Math.floor(performance.now() / 1_000)
    if (now !== second) [second, inSecond] = [now, 0]
    if (inSecond >= ALLOWED_PER_SECOND) {
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
    const read = decode(frame)
    if (!read.ok || read.pdu.command !== 'submit_sm' || tlv(read.pdu, USSD_SERVICE_OP) || integer(read.pdu.body, 'registered_delivery') === 0) return false
    const status = verdict(text(read.pdu.body, 'destination_addr'))
    if (status !== 0) peer.respond(read.pdu, { status })
    return status !== 0
  }
  return limit
}

const MSISDN_FROM = 67_540_000_000

async function owe({ stage }: Scene, count: number): Promise<void> {
  const now = new Date()
  const rows = Array.from({ length: count }, (_, n) => ({
    subject: `throttle:${n}`, kind: 'notice', msisdn: String(MSISDN_FROM + n), line: '', text: `Notice ${n}`, quiet_zone: null,
    due_at: now, expires_at: new Date(now.getTime() + 3_600_000), wake_at: now, created_at: now,
  }))
  await stage.knex.batchInsert('sms_outbox', rows, 500)
}

/** A full queue has half a minute at least; the run has not: their turn is drawn forward, once it stands in the outbox. */
async function queuesFull({ stage }: Scene, full: ReadonlySet<string>): Promise<string[]> {
  const { knex } = stage
  const waiting = () => knex('sms_outbox').whereIn('msisdn', [...full]).where({ state: 'due', last_status: RMSGQFUL }) as Promise<{ wake_at: Date }[]>
  await reached(async () => (await waiting()).length === full.size, 5_000)
  const rows = await waiting()
  const late = rows.filter((row) => row.wake_at.getTime() > Date.now() + 180_000)
  await knex('sms_outbox').whereIn('msisdn', [...full]).where({ state: 'due' }).update({ wake_at: new Date() })
  if (rows.length !== full.size) return [`${full.size} queues were full, ${rows.length} SMS wait for it`]
  return late.length ? [`${late.length} SMS to full queues wait for more than three minutes`] : []
}

async function lostOrDoubled({ stage }: Scene, taken: ReadonlyMap<string, number>, count: number): Promise<string[]> {
  const twice = [...taken.values()].filter((n) => n > 1).length
  await reached(async () => (await unsettled(stage)).length === 0, 10_000)
  const open = await unsettled(stage)
  return [
    ...(taken.size < count ? [`${count - taken.size} SMS lost`] : []), ...(twice ? [`${twice} SMS sent twice`] : []),
    ...(open.length ? [`${open.length} SMS taken and not settled, the first ${JSON.stringify(open[0])}`] : []),
  ]
}

function unsettled({ knex }: Scene['stage']): Promise<{ state: string }[]> {
  return knex('sms_outbox').where({ kind: 'notice' }).whereNotIn('state', ['accepted', 'delivered']).select('id', 'state', 'attempts') as Promise<{ state: string }[]>
}

async function refusals({ adminPort }: Fenced): Promise<number> {
  return sumOf(await metricsOf(adminPort), 'smpp_tx_refused_total')
}

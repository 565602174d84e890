/** What most campaigns play on: servers, a stage, a simulated SMSC, and what can be gathered of them afterwards. */
import { Redis } from 'ioredis'
import type { Knex } from 'knex'
import { systemClock } from '../../../src/base/time/wall-clock.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { startSmsc, type Smsc, type SmscOptions } from '../../../src/simulator/smsc/smsc.ts'
import type { Phone } from '../../../src/simulator/phone/phone.ts'
import { describePdu } from '../../../src/simulator/smsc/trace.ts'
import type { DialogueStore } from '../../../src/dialogue/types.ts'
import { serversOf } from '../../../src/daemon/stores/stores.ts'
import { redisDialogues } from '../../../src/store/redis/store.ts'
import type { Chance } from '../../../src/ussd/vocabulary.ts'
import { services, startServices, stopServices } from '../../support/services.ts'
import type { Counters } from './counters.ts'
import type { Pace } from '../settings.ts'
import { reminds, type BookingRow, type Evidence } from '../judging/checker.ts'
import { reached, sleep } from '../judging/outcome.ts'
import { openStage, type RedisPlace, type Stage } from './stage.ts'
import { LEAVES, converse, newDiary, type Diary, type Habits } from './subscriber.ts'

export interface CampaignFixture {
  stage: Stage
  smsc: Smsc
  chance: Chance
  diary: Diary
  /** Keeps so many subscribers walking until it is called off; resolves when the last dialogue is over. */
  walkers(count: number, habits?: Habits): { stop(): Promise<void> }
  /** Waits until no SMS is under way and no dialogue is open; then asks for metrics, and answers what there is to judge. */
  evidence(metrics: readonly string[] | (() => Promise<readonly string[]>)): Promise<Evidence>
  close(): Promise<void>
}

export interface CampaignFixtureOptions {
  seed: number
  /** Of the daemons' settings. Default: short, for goals that are about times of their own. */
  pace?: Pace
  smsc?: Partial<SmscOptions>
  /** A network that counts in its own way, and copies keys. */
  counters?: Counters
  /** How far ahead reminders come due. */
  spread?: { fromMs: number; toMs: number }
  /** Servers of the campaign's own, in place of the common ones. */
  redis?: RedisPlace
  postgresUrl?: string
  /** Makes the schema. Default: as this build has it. */
  migrate?(knex: Knex): Promise<unknown>
  /** Whether the daemons have reminders set. Default: true. */
  reminds?: boolean
  /** After all deadlines: idle, lease, grace, receipts. No longer than it takes. Default: by the pace. */
  settleMs?: number
}

const FREE_PER_WALKER = 3
const REFILL_MS = 500
/** A server looks once a minute by itself (autovacuum_naptime); here a thousand bookings come in one. */
const VACUUM_MS = 15_000
const REDIAL_MS = 200
/** An apology on a busy machine is no leave. */
const LEAVE_TRIES = 10
/** defaults: an SMS may be lost twice, each time with a lease of 30 s and a grace of 90 s. */
const SETTLE_MS = { defaults: 420_000, short: 120_000 }
/** Between two keys, where the settings are the defaults: they allow one subscriber 20 messages a second, copies too. */
const KEY_MS = 80

/** The SMSC keeps an SMS for so long, then it is on the handset, and the receipt follows. */
export const RECEIPT_MS = 100

/** With servers of its own unless a test run has started them already. */
export async function openFixture(options: CampaignFixtureOptions): Promise<CampaignFixture> {
  const own = services.redisUrl === undefined
  if (own) await startServices()
  const { missing } = services
  const redis = options.redis ?? (services.redisUrl === undefined ? undefined : { url: services.redisUrl })
  const postgresUrl = options.postgresUrl ?? services.postgresUrl
  if (!redis || !postgresUrl) throw new Error(`no servers: ${JSON.stringify(missing)}`)
  const chance = seededChance(options.seed)
  const stage = await openStage({
    redis,
    postgresUrl,
    chance,
    pace: options.pace,
    ...(options.migrate ? { migrate: options.migrate } : {}),
  })
  const smsc = await startSmsc({
    clock: systemClock(),
    chance: seededChance(options.seed + 1),
    screenMs: 20_000,
    traceMax: 20_000,
    inboxMax: Infinity,
    receipts: { send: true, delayMs: RECEIPT_MS },
    deliveries: { responseMs: 3_000, attemptsMax: 8, temporaryMs: 200 },
    accounts: [{ systemId: 'ussd', password: stage.smscPassword }],
    ...(options.counters ? { coding: options.counters.coding } : {}),
    ...options.smsc,
  })
  options.counters?.watch(smsc)
  const diary = newDiary()
  const spread = options.spread ?? { fromMs: 5_000, toMs: 12_000 }
  return {
    stage,
    smsc,
    chance,
    diary,
    walkers: (count, habits) =>
      walkers({ stage, smsc, chance, diary, spread, counters: options.counters }, count, habits),
    evidence: (metrics) =>
      gather({ stage, smsc, diary }, metrics, {
        withinMs: options.settleMs ?? SETTLE_MS[stage.pace],
        isReminding: options.reminds ?? true,
      }),
    async close() {
      await smsc.stop()
      await stage.close()
      if (own) {
        await stopServices()
      }
    },
  }
}

interface WalkersDeps extends Pick<CampaignFixture, 'stage' | 'smsc' | 'chance' | 'diary'> {
  spread: { fromMs: number; toMs: number }
  counters: Counters | undefined
}

let enrolled = 0

function walkers(
  { stage, smsc, chance, diary, spread, counters }: WalkersDeps,
  count: number,
  habits?: Habits,
): { stop(): Promise<void> } {
  const state = { stopped: false }
  const msisdns = Array.from({ length: count }, () => `6757${String(++enrolled).padStart(7, '0')}`)
  const press = (msisdn: string) => async () => {
    if (stage.pace === 'defaults') await sleep(KEY_MS)
    await thumbs(smsc, msisdn)
  }
  const dialogue = async (phone: Phone, how?: Habits): Promise<void> => {
    const { msisdn } = phone
    const before = [diary.hung.length, diary.odd.length, diary.foreign.length]
    const apologies = diary.apologies
    await converse(phone, diary, chance, how, undefined, press(msisdn))
    // A network's numbers of dialogues wrap at 256: dialling at once again would use them up within a tombstone's life.
    if (diary.apologies > apologies) await sleep(REDIAL_MS)
    for (const [i, stories] of [diary.hung, diary.odd, diary.foreign].entries()) {
      const at = stories.findIndex((story, n) => n >= before[i]! && story.startsWith(msisdn))
      if (at >= 0)
        stories[at] +=
          `\n  on the wire:\n  ${onTheWire(smsc, msisdn).join('\n  ')}\n  in the store: ${await kept(stage, msisdn)}`
    }
  }
  const walk = async (msisdn: string): Promise<void> => {
    const phone = numbered(smsc.phone(msisdn))
    counters?.copying(phone)
    phone.skipRepeats = true
    while (!state.stopped) await dialogue(phone, habits)
    if (!habits?.takesLeave) return
    for (let tries = 0; tries < LEAVE_TRIES; tries++) {
      await dialogue(phone, LEAVES)
      if (phone.screen?.text.startsWith('Thank you')) return
    }
  }
  const refills = async (): Promise<void> => {
    for (let vacuumedMs = performance.now(); !state.stopped;) {
      await stage.refill(count * FREE_PER_WALKER, spread).catch(() => undefined) // Postgres may be what is away
      await sleep(REFILL_MS)
      if (performance.now() < vacuumedMs + VACUUM_MS) continue
      await stage.vacuum().catch(() => undefined)
      vacuumedMs = performance.now()
    }
  }
  const all = stage
    .enrol(msisdns)
    .then(() => stage.refill(count * FREE_PER_WALKER, spread))
    .then(() => Promise.all([refills(), ...msisdns.map((msisdn) => walk(msisdn))]))
  return {
    async stop() {
      state.stopped = true
      await all
    },
  }
}

/**
 * One counter of dialogues for all phones wraps within seconds at this pace, and a subscriber would have a number twice
 * while it is still known, which no network does to people. So each phone has a counter of its own.
 */
export function numbered(phone: Phone): Phone {
  const dial = phone.dial.bind(phone)
  let number = 0
  phone.dial = (code, options = {}) => {
    number = (number % 255) + 1
    return dial(code, { number, ...options })
  }
  return phone
}

/** For an answer from a daemon that has stopped, the SMSC waits this long and delivers again. */
const THUMBS_MS = 3_500
const THUMBS_LOOK_MS = 5

/**
 * Nobody presses three keys while one of two copies of the first is under way to a daemon that the machine holds up: an
 * old key that comes last is a new one, and nothing that SMPP has could tell. So the next key waits for the SMSC to
 * have its answers.
 */
async function thumbs({ deliveries }: Smsc, msisdn: string): Promise<void> {
  const endMs = performance.now() + THUMBS_MS
  while (deliveries.underWay(msisdn) > 0 && performance.now() < endMs) await sleep(THUMBS_LOOK_MS)
}

const WIRE_MAX = 40

/** The last PDUs of one subscriber, both ways, with their responses. */
function onTheWire(smsc: Smsc, msisdn: string): string[] {
  const asked = new Set<string>()
  return smsc
    .trace()
    .flatMap(({ atMs, direction, peer, octets }) => {
      const { command, sequence, status, summary } = describePdu(octets)
      const isIts = summary.includes(msisdn) && !summary.includes('stat:')
      const name = `${peer} ${direction === 'in' ? 'out' : 'in'} ${sequence}`
      if (isIts) asked.add(`${peer} ${direction} ${sequence}`)
      if (!isIts && !asked.has(name)) return []
      return [
        `${new Date(atMs).toISOString().slice(14, 23)} ${peer} ${direction} ${command} ${sequence} ${status} ${summary}`,
      ]
    })
    .slice(-WIRE_MAX)
}

interface Moments {
  starts_at: Date
  booked_at: Date
}

/** Between the moment that a booking's reminders are planned by, and the one that it is written with. */
const DOUBT_MS = 1_000

async function gather(
  { stage, smsc, diary }: Pick<CampaignFixture, 'stage' | 'smsc' | 'diary'>,
  metrics: Parameters<CampaignFixture['evidence']>[0],
  { withinMs, isReminding }: { withinMs: number; isReminding: boolean },
): Promise<Evidence> {
  const { knex } = stage
  const openSms = async (): Promise<boolean> => {
    const { rows } = await knex.raw<{ rows: { n: number }[] }>(`SELECT count(*)::int AS n FROM sms_outbox
      WHERE state IN ('due', 'submitting', 'ambiguous')`)
    return rows[0]!.n === 0
  }
  await reached(openSms, withinMs)
  await reached(async () => (await openDialogues(stage)) === 0, withinMs)
  // The last SMS that the SMSC took reach their handsets.
  await sleep(2 * RECEIPT_MS)
  const bookings = (await knex('dental_appointment as a')
    .join('dental_slot as s', 's.id', 'a.slot')
    .select('a.msisdn', 's.clinic', 'a.intention', 'a.status', 's.starts_at', 'a.booked_at')) as (BookingRow &
    Moments)[]
  const sms = (await knex('sms_outbox').select('id', 'msisdn', 'kind', 'text', 'state', 'losses')) as Evidence['sms']
  const taken = new Map(smsc.phones().map((phone) => [phone.msisdn, phone.inbox.map((one) => one.text)]))
  const reminding = bookings.map((row) => ({
    ...row,
    reminds: isReminding && reminds(row.starts_at, row.booked_at, DOUBT_MS),
  }))
  const figures = typeof metrics === 'function' ? await metrics() : metrics
  return { diary, bookings: reminding, sms, taken, metrics: figures, dialoguesOpen: await openDialogues(stage) }
}

/** Taken or resting, as the store itself counts them. */
function openDialogues(stage: Stage): Promise<number> {
  return withStore(stage, (store) => store.count())
}

function kept(stage: Stage, msisdn: string): Promise<string> {
  return withStore(stage, async (store) => {
    const record = await store.find({ group: 'test', msisdn })
    return JSON.stringify({ ...record, snapshot: undefined, ageMs: Date.now() - (record?.touchedMs ?? 0) })
  })
}

async function withStore<T>(stage: Stage, ask: (store: DialogueStore) => Promise<T>): Promise<T> {
  const limits = {
    idleMs: 8_000,
    totalMs: 60_000,
    tombstoneMs: 120_000,
    resumeMs: 60_000,
    confirmMs: 1_500,
    snapshotOctetsMax: 16_384,
    duplicateBeginMs: 10_000,
  }
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  const store = await redisDialogues({ servers: serversOf(stage.redis), prefix: stage.prefix, limits, log: quiet })
  try {
    return await ask(store)
  } finally {
    await store.close()
  }
}

/** Removes what the run left in Redis. */
export async function sweepRedis(stage: Stage): Promise<void> {
  if (!stage.redis.url) return
  const redis = new Redis(stage.redis.url)
  for await (const keys of redis.scanStream({ match: `*${stage.prefix}*`, count: 1_000 })) {
    if ((keys as string[]).length) await redis.del(...(keys as string[]))
  }
  redis.disconnect()
}

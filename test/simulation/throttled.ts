/**
 * Hundreds of SMS due at an SMSC that takes so many a second and throttles the rest, while subscribers dial: under the
 * virtual clock the rate that is used, and how long screens take, are the daemon's own doing and not the machine's.
 */
import { readPdu, integerField, textField, tlv } from '../../src/simulator/codec/codec.ts'
import { STATUS } from '../../src/smpp/pdu/status.ts'
import { silentLog } from '../../src/base/log/port.ts'
import type { Settings } from '../../src/config/schema.ts'
import { seededChance } from '../../src/simulator/smsc/chaos.ts'
import type { Smsc } from '../../src/simulator/smsc/smsc.ts'
import { mostInSecond } from '../smpp/support.ts'
import { EPOCH_MS } from './host.ts'
import { openSmsc } from './history.ts'
import { kvOf, kvRegister, kvWire } from './kv.ts'
import { net as newNet } from './net.ts'
import { simProcesses } from './processes.ts'
import { scheduler as newScheduler, type Scheduler } from './scheduler.ts'
import { sql as newSql, type Sql } from './sql.ts'
import { LIMITS, SETTINGS } from './stage.ts'
import { emptyDatabase } from './tables.ts'

export interface Throttling {
  seed: number
  /** SMS a second that the SMSC takes. */
  allowed: number
  /** What the line is set to. */
  set: number
  count: number
  dialsPerSecond: number
  /** The cap of the line (`submits`). Absent: none. */
  cap?: Settings['lines'][number]['submits']
  /** One-time passwords a second that are asked for besides, while the others are due. */
  otpsPerSecond?: number
  /** How often the daemon looks for what is due. Default 100. */
  pollMs?: number
  /** The measure ends after so long. Absent: when all are taken. */
  forMs?: number
}

export interface ThrottledTold {
  /** SMS a second: the first find out what is allowed, the last wait after a refusal; it is the rate of those between. */
  perSecond: number
  throttled: number
  /** SMS that were taken; and those of them that were taken again. */
  taken: number
  doubled: number
  /** From the key to the screen, while SMS were due. */
  screensMs: number[]
  /** The most requests of any kind in a second, wherever it begins, and how many there were in all. */
  mostInSecond: number
  submits: number
  /** From the moment that a one-time password was due until the SMSC had it. */
  otpsMs: number[]
  /** Screens that were not what was dialled for. */
  odd: string[]
}

const USSD_SERVICE_OP = 0x0501
const SUBSCRIBERS = 200
const WITHIN_MS = 3_600_000
const LOOK_MS = 200
const [FROM, TO] = [0.15, 0.9]

/** All SMS of one outbox, at the pace of the virtual clock. `count` 0: subscribers alone, for half a minute. */
export async function throttled(how: Throttling): Promise<ThrottledTold> {
  const scheduler = newScheduler()
  const chance = (of: number) => seededChance(how.seed * 16 + of)
  const net = newNet(scheduler, chance(1))
  const database = emptyDatabase()
  const sql = newSql({ scheduler, chance: chance(3), database })
  const kv = kvWire(scheduler, chance(2))
  const register = kvRegister()
  const versions = chance(7)
  const smsc = await openSmsc(scheduler, net, chance(4))
  const settings = structuredClone(SETTINGS)
  Object.assign(settings.lines[0]!.sms!, { perSecond: how.set })
  if (how.cap) settings.lines[0]!.submits = how.cap
  settings.reminders.pollMs = how.pollMs ?? 100
  const daemons = await simProcesses({
    daemons: 1,
    scheduler,
    net,
    sql,
    chance: chance(6),
    settings,
    log: silentLog,
    dialoguesOf: (host) => kvOf({ register, limits: LIMITS, way: kv, host, chance: versions, unwritten: new Set() }),
  })
  await scheduler.runUntil(() => smsc.binds().length > 0, 10_000)
  const limit = throttling(smsc, scheduler, how.allowed)
  const dials = dialling(smsc, scheduler, how.dialsPerSecond)
  owe(sql, scheduler, { count: how.count })
  const otps = asking(sql, scheduler, how.otpsPerSecond ?? 0)
  const isDone = () => limit.takenAtMs.size >= Math.max(how.count, 1)
  for (
    const endMs = scheduler.nowMs() + (how.forMs ?? (how.count ? WITHIN_MS : 30_000));
    !isDone() && scheduler.nowMs() < endMs;
  )
    await scheduler.runUntil(isDone, scheduler.nowMs() + LOOK_MS)
  dials.stop()
  otps.stop()
  await scheduler.runUntil(() => false, scheduler.nowMs() + 5_000)
  for (const one of daemons.all()) one.host.kill()
  const atMs = [...limit.takenAtMs.values()]
  const nth = (part: number) => Math.floor(atMs.length * part)
  const [first, last] = [nth(FROM), Math.max(nth(FROM), nth(TO) - 1)]
  return {
    perSecond: how.count ? (last - first) / ((atMs[last]! - atMs[first]!) / 1_000) : 0,
    throttled: limit.throttled(),
    taken: atMs.length,
    doubled: limit.doubled(),
    screensMs: dials.screensMs,
    odd: dials.odd,
    mostInSecond: mostInSecond(limit.submitsAtMs),
    submits: limit.submitsAtMs.length,
    otpsMs: otps.dueMs.flatMap((dueMs, n) => (limit.takenAtMs.get(otpTo(n)) ?? Infinity) - dueMs),
  }
}

/** Counts by the second, as SMSCs do. */
function throttling(smsc: Smsc, scheduler: Scheduler, allowed: number) {
  const takenAtMs = new Map<string, number>()
  const submitsAtMs: number[] = []
  let [second, inSecond, refused, doubled] = [0, 0, 0, 0]
  smsc.hook.onFrame = (peer, frame) => {
    const read = readPdu(frame)
    if (read.ok && read.pdu.command === 'submit_sm') submitsAtMs.push(scheduler.nowMs())
    if (!read.ok || read.pdu.command !== 'submit_sm' || tlv(read.pdu, USSD_SERVICE_OP)) return false
    if (integerField(read.pdu.body, 'registered_delivery') === 0) return false
    const now = Math.floor(scheduler.nowMs() / 1_000)
    if (now !== second) [second, inSecond] = [now, 0]
    if (++inSecond > allowed) {
      refused++
      peer.respond(read.pdu, { status: STATUS.ESME_RTHROTTLED })
      return true
    }
    const to = textField(read.pdu.body, 'destination_addr')
    if (takenAtMs.has(to)) doubled++
    else takenAtMs.set(to, scheduler.nowMs())
    return false
  }
  return { takenAtMs, submitsAtMs, throttled: () => refused, doubled: () => doubled }
}

/** Each dials, reads the first screen, leaves by Exit. */
function dialling(smsc: Smsc, scheduler: Scheduler, perSecond: number) {
  const [screensMs, odd]: [number[], string[]] = [[], []]
  const state = { isStopped: false }
  let serial = 0
  const timed = async (expected: RegExp, run: () => Promise<{ text: string }>): Promise<void> => {
    const startMs = scheduler.nowMs()
    const text = await run().then(
      (screen) => screen.text,
      (error: Error) => error.message,
    )
    screensMs.push(scheduler.nowMs() - startMs)
    if (!expected.test(text)) odd.push(text.slice(0, 200))
  }
  const visit = async (): Promise<void> => {
    const phone = smsc.phone(`67551${String(serial++ % SUBSCRIBERS).padStart(6, '0')}`)
    await timed(/^Welcome/, () => phone.dial('*123#'))
    await timed(/^Thank you/, () => phone.answer('2'))
  }
  const next = (): void => {
    if (state.isStopped) return
    void visit()
    scheduler.after(1_000 / perSecond, 'dials', next)
  }
  next()
  return { screensMs, odd, stop: () => void (state.isStopped = true) }
}

/** One-time passwords, asked for one after the other. */
function asking(sql: Sql, scheduler: Scheduler, perSecond: number) {
  const dueMs: number[] = []
  const state = { isStopped: perSecond === 0 }
  const next = (): void => {
    if (state.isStopped) return
    owe(sql, scheduler, { count: 1, from: OTPS_FROM + dueMs.length, kind: 'otp' })
    dueMs.push(scheduler.nowMs())
    scheduler.after(1_000 / perSecond, 'otps', next)
  }
  scheduler.after(SETTLED_MS, 'otps', next)
  return { dueMs, stop: () => void (state.isStopped = true) }
}

/** Rows of one-time passwords have ids from here on. */
const OTPS_FROM = 1_000_000
/** By then the others fill what may be claimed. */
const SETTLED_MS = 5_000
const msisdnOf = (id: number) => String(67_540_000_000 + id)
const otpTo = (n: number) => msisdnOf(OTPS_FROM + n)

function owe(
  sql: Sql,
  scheduler: Scheduler,
  { count, from = 1, kind = 'notice' }: { count: number; from?: number; kind?: string },
): void {
  const now = new Date(EPOCH_MS + Math.floor(scheduler.nowMs()))
  sql.byHand(({ sms }) => {
    for (let id = from; id < from + count; id++) {
      sms.set(id, {
        id,
        subject: `throttle:${id}`,
        kind,
        msisdn: msisdnOf(id),
        line: '',
        text: `Notice ${id}`,
        quiet_zone: null,
        state: 'due',
        due_at: now,
        expires_at: new Date(now.getTime() + 2 * WITHIN_MS),
        wake_at: now,
        lease: null,
        attempts: 0,
        losses: 0,
        last_status: null,
        last_error: null,
        sent_line: null,
        recorded: false,
        created_at: now,
        submitted_at: null,
        settled_at: null,
        parts: 1,
        answered: null,
        recall_at: null,
        owner: null,
        key: null,
        asked: null,
        hook: null,
        template: null,
        tlvs: null,
        asked_at: null,
      })
    }
  })
}

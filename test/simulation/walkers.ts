/**
 * Subscribers who walk the dental service of a history, what there is for them to book, and what can be said of it all
 * afterwards.
 */
import { LEAD_MS, reminds, type Evidence } from '../campaigns/judging/checker.ts'
import type { Counters } from '../campaigns/staging/counters.ts'
import { nameOf } from '../campaigns/staging/stage.ts'
import { HABITS, converse, newDiary, type Diary } from '../campaigns/staging/subscriber.ts'
import type { Phone } from '../../src/simulator/phone/phone.ts'
import type { Smsc } from '../../src/simulator/smsc/smsc.ts'
import type { Chance } from '../../src/ussd/vocabulary.ts'
import { EPOCH_MS } from './host.ts'
import type { Scheduler } from './scheduler.ts'
import type { Tables } from './tables.ts'

export interface Walkers {
  readonly diary: Diary
  /** No more dialogues; those under way are walked to their end. */
  stop(): void
  isOver(): boolean
}

export interface WalkersDeps {
  count: number
  scheduler: Scheduler
  smsc: Smsc
  chance: Chance
  counters: Counters
  /** The least time that a subscriber takes to read a screen. */
  readsMs: number
  /** Changes the database between two transactions. */
  byHand(change: (tables: Tables) => void): void
}

const THINK_MS = 1_500
/** Beyond the lead: when the reminder is due. */
const DUE_MS = [3_000, 15_000] as const
const FREE_PER_WALKER = 2
const REFILL_MS = 2_000
const ZONE = 'Pacific/Port_Moresby'

export function walkers({ count, scheduler, smsc, chance, byHand, counters, readsMs }: WalkersDeps): Walkers {
  const diary = newDiary()
  const msisdns = Array.from({ length: count }, (_, i) => `6757${String(i + 1).padStart(7, '0')}`)
  const state = { isStopped: false }
  let walking = count
  let serial = 0

  const refill = (): void =>
    byHand((tables) => {
      const nowMs = EPOCH_MS + Math.floor(scheduler.nowMs())
      const booked = new Set([...tables.appointments.values()].map((one) => one.slot))
      const free = [...tables.slots.keys()].filter((id) => !booked.has(id)).length
      for (let n = free; n < count * FREE_PER_WALKER; n++) {
        const id = ++serial
        const clinic = `C${String(id).padStart(5, '0')}`
        const startsMs = nowMs + LEAD_MS + DUE_MS[0] + Math.floor(chance() * (DUE_MS[1] - DUE_MS[0]))
        tables.clinics.set(clinic, { id: clinic, name: clinic, zone: ZONE, position: 1 })
        tables.slots.set(id, { id, clinic, type: 'checkup', starts_at: new Date(startsMs) })
      }
    })
  const refillOn = (): void => {
    refill()
    if (!state.isStopped) scheduler.after(REFILL_MS, 'refill', refillOn)
  }
  async function walk(msisdn: string): Promise<void> {
    const handset = smsc.phone(msisdn)
    handset.skipRepeats = true
    const phone = thoughtful(counters.copying(handset), scheduler, chance, readsMs)
    while (!state.isStopped) {
      const before = stories(diary)
      await converse(phone, diary, chance, HABITS, scheduler.nowMs)
      if (stories(diary) > before) scheduler.note(`${msisdn} complains`)
    }
    walking--
  }
  byHand((tables) => {
    tables.types.set('checkup', { id: 'checkup', position: 1, every_days: null })
    tables.typeNames.set('checkup en', { type: 'checkup', language: 'en', name: 'Checkup' })
    for (const msisdn of msisdns) {
      tables.profiles.set(msisdn, {
        msisdn,
        name: nameOf(msisdn),
        language: 'en',
        intention: null,
        created_at: new Date(EPOCH_MS),
      })
    }
  })
  refillOn()
  for (const msisdn of msisdns) scheduler.after(chance() * THINK_MS, `${msisdn} wakes`, () => void walk(msisdn))
  return { diary, stop: () => void (state.isStopped = true), isOver: () => walking === 0 }
}

function stories({ hung, odd, foreign }: Diary): number {
  return hung.length + odd.length + foreign.length
}

/** A phone whose owner reads before pressing a key. */
function thoughtful(phone: Phone, scheduler: Scheduler, chance: Chance, readsMs: number): Phone {
  const thought = () =>
    new Promise<void>((done) => void scheduler.after(readsMs + chance() * THINK_MS, `${phone.msisdn} thinks`, done))
  return Object.assign(Object.create(phone) as Phone, {
    dial: (...of: Parameters<Phone['dial']>) => thought().then(() => phone.dial(...of)),
    answer: (...of: Parameters<Phone['answer']>) => thought().then(() => phone.answer(...of)),
  })
}

/** A clock may step so far while a turn books. (plan.ts) */
const DOUBT_MS = 5_000

/** What there is to judge. */
export function evidenceOf(
  tables: Tables,
  smsc: Smsc,
  rest: Pick<Evidence, 'diary' | 'metrics' | 'dialoguesOpen'>,
): Evidence {
  const bookings = [...tables.appointments.values()].map(({ msisdn, slot, intention, status, booked_at: bookedAt }) => {
    const { clinic, starts_at: startsAt } = tables.slots.get(slot)!
    return { msisdn, clinic, intention, status, reminds: reminds(startsAt, bookedAt, DOUBT_MS) }
  })
  const sms = [...tables.sms.values()].map(({ id, msisdn, kind, text, state, losses }) => ({
    id: String(id),
    msisdn,
    kind,
    text,
    state,
    losses,
  }))
  const taken = new Map(smsc.phones().map((phone) => [phone.msisdn, phone.inbox.map((one) => one.text)]))
  return { ...rest, bookings, sms, taken }
}

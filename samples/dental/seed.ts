/** The sample data of the dental service: John, Mary, two clinics, three types, two free slots. */
import type { Knex } from 'knex'
import { DateTime } from 'luxon'

const ZONE = 'Pacific/Port_Moresby'
/** The calendar day that the sample's screens were written for. */
const SAMPLE_DAY = '2025-05-01'

export interface Seed {
  /** The calendar's now. */
  atMs: number
  /** Lay the data relative to that day (for a demo), with more slots; else they are those of 1 May 2025, exactly. */
  relative?: boolean
}

interface SlotSeed {
  clinic: string
  type: string
  days: number
  time: string
}

const CLINICS = [
  { id: 'koki', name: 'Koki Dental Clinic', zone: ZONE, position: 1 },
  { id: 'gerehu', name: 'Gerehu Dental Clinic', zone: ZONE, position: 2 },
]
const TYPES = [
  { id: 'cleaning', position: 1, every_days: 182 },
  { id: 'checkup', position: 2, every_days: 365 },
  { id: 'filling', position: 3, every_days: null },
]
const TYPE_NAMES = [
  { type: 'cleaning', language: 'en', name: 'Cleaning' },
  { type: 'checkup', language: 'en', name: 'Checkup' },
  { type: 'filling', language: 'en', name: 'Filling' },
  // Need a native speaker's review.
  { type: 'cleaning', language: 'tpi', name: 'Klinim tit' },
  { type: 'checkup', language: 'tpi', name: 'Sekim tit' },
  { type: 'filling', language: 'tpi', name: 'Pasim hul' },
]
const JOHN = '67570000001'
const MARY = '67570000002'
const JOHN_DONE: SlotSeed = { clinic: 'koki', type: 'cleaning', days: -52, time: '10:00' }
const JOHN_UPCOMING: SlotSeed = { clinic: 'gerehu', type: 'checkup', days: 14, time: '10:00' }
const FREE: SlotSeed[] = [
  { clinic: 'koki', type: 'checkup', days: 9, time: '09:00' },
  { clinic: 'gerehu', type: 'checkup', days: 11, time: '14:00' },
]
// Filling stays without a slot, so that a demo meets that screen too.
const FREE_IN_DEMO: SlotSeed[] = [
  { clinic: 'koki', type: 'cleaning', days: 2, time: '09:30' },
  { clinic: 'gerehu', type: 'cleaning', days: 3, time: '12:00' },
  { clinic: 'koki', type: 'cleaning', days: 5, time: '15:00' },
]

/** Puts the sample in, in one transaction. Again: adds only what is missing, and keeps what subscribers did. */
export async function seed(knex: Knex, { atMs, relative = false }: Seed): Promise<void> {
  const day = relative
    ? DateTime.fromMillis(atMs, { zone: ZONE }).startOf('day')
    : DateTime.fromISO(SAMPLE_DAY, { zone: ZONE })
  await knex.transaction(async (trx) => {
    await trx('dental_clinic').insert(CLINICS).onConflict().ignore()
    await trx('dental_type').insert(TYPES).onConflict().ignore()
    await trx('dental_type_name').insert(TYPE_NAMES).onConflict().ignore()
    const profile = { language: 'en', created_at: day.toJSDate() }
    await trx('dental_profile')
      .insert([
        { msisdn: JOHN, name: 'John', ...profile },
        { msisdn: MARY, name: 'Mary', ...profile },
      ])
      .onConflict()
      .ignore()
    for (const one of relative ? [...FREE, ...FREE_IN_DEMO] : FREE) await slot(trx, one, day)
    await visit(trx, JOHN_DONE, day)
    await visit(trx, JOHN_UPCOMING, day)
  })
}

// John keeps the visits that he has on that side of today: a demo seeded again later gives him no second one.
async function visit(trx: Knex.Transaction, one: SlotSeed, day: DateTime): Promise<void> {
  const [there] = await trx('dental_appointment as a')
    .join('dental_slot as s', 's.id', 'a.slot')
    .where('a.msisdn', JOHN)
    .andWhere('s.starts_at', one.days < 0 ? '<' : '>=', day.toJSDate())
    .limit(1)
    .select('a.id')
  if (there) return
  const id = await slot(trx, one, day)
  const starts = day.plus({ days: one.days }).toISODate()
  const intention = `seed:${one.type}:${starts}`
  const row = { msisdn: JOHN, slot: id, intention, booked_at: day.minus({ days: 60 }).toJSDate() }
  await trx('dental_appointment').insert(row).onConflict().ignore()
}

async function slot(trx: Knex.Transaction, one: SlotSeed, day: DateTime): Promise<string> {
  const [hour, minute] = one.time.split(':').map(Number)
  const starts_at = day.plus({ days: one.days }).set({ hour, minute }).toJSDate()
  const row = { clinic: one.clinic, type: one.type, starts_at }
  await trx('dental_slot').insert(row).onConflict().ignore()
  const kept = await trx('dental_slot').where(row).first<{ id: string }>('id')
  return kept.id
}

/** The sample data of the dental service: John, Mary, two clinics, three types, two free slots. */
import { DateTime } from 'luxon'
import type { ModuleDatabase, ModuleSeed, SqlBindings, SqlPort } from '../../src/plugin/index.ts'

const ZONE = 'Pacific/Port_Moresby'
/** The calendar day for which the sample's screens were written. */
const SAMPLE_DAY = '2025-05-01'

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
  // A native speaker must review these.
  { type: 'cleaning', language: 'tpi', name: 'Klinim tit' },
  { type: 'checkup', language: 'tpi', name: 'Sekim tit' },
  { type: 'filling', language: 'tpi', name: 'Pasim hul' },
]
const JOHN = '67570000001'
const MARY = '67570000002'
/** Speaks Tok Pisin. */
const KILA = '67570000003'
const JOHN_DONE: SlotSeed = { clinic: 'koki', type: 'cleaning', days: -52, time: '10:00' }
const JOHN_UPCOMING: SlotSeed = { clinic: 'gerehu', type: 'checkup', days: 14, time: '10:00' }
const FREE: SlotSeed[] = [
  { clinic: 'koki', type: 'checkup', days: 9, time: '09:00' },
  { clinic: 'gerehu', type: 'checkup', days: 11, time: '14:00' },
]
// Filling has no slot, so that a demo also shows that screen.
const FREE_IN_DEMO: SlotSeed[] = [
  { clinic: 'koki', type: 'cleaning', days: 2, time: '09:30' },
  { clinic: 'gerehu', type: 'cleaning', days: 3, time: '12:00' },
  { clinic: 'koki', type: 'cleaning', days: 5, time: '15:00' },
]

/**
 * Inserts the sample in one transaction: around the current day, with more slots and a third subscriber; or exactly as
 * of 1 May 2025. If repeated: adds only what is missing, and keeps what subscribers did.
 */
export async function seed(
  { transaction }: Pick<ModuleDatabase, 'transaction'>,
  { atMs, relative = false }: ModuleSeed,
): Promise<void> {
  const day = relative
    ? DateTime.fromMillis(atMs, { zone: ZONE }).startOf('day')
    : DateTime.fromISO(SAMPLE_DAY, { zone: ZONE })
  await transaction(async (sql) => {
    for (const row of CLINICS) await insert(sql, 'dental_clinic', row)
    for (const row of TYPES) await insert(sql, 'dental_type', row)
    for (const row of TYPE_NAMES) await insert(sql, 'dental_type_name', row)
    const profile = { language: 'en', created_at: day.toJSDate() }
    await insert(sql, 'dental_profile', { msisdn: JOHN, name: 'John', ...profile })
    await insert(sql, 'dental_profile', { msisdn: MARY, name: 'Mary', ...profile })
    if (relative) await insert(sql, 'dental_profile', { msisdn: KILA, name: 'Kila', ...profile, language: 'tpi' })
    for (const one of relative ? [...FREE, ...FREE_IN_DEMO] : FREE) await slot(sql, one, day)
    await visit(sql, JOHN_DONE, day)
    await visit(sql, JOHN_UPCOMING, day)
  })
}

// John keeps the visits that he has on that side of today: seeding a demo again later does not give him a second one.
async function visit(sql: SqlPort, one: SlotSeed, day: DateTime): Promise<void> {
  const side = one.days < 0 ? '<' : '>='
  const [there] = await sql(
    `SELECT a.id FROM dental_appointment a JOIN dental_slot s ON s.id = a.slot
    WHERE a.msisdn = :msisdn AND s.starts_at ${side} CAST(:day AS timestamptz) LIMIT 1`,
    { msisdn: JOHN, day: day.toJSDate() },
  )
  if (there) return
  const id = await slot(sql, one, day)
  const starts = day.plus({ days: one.days }).toISODate()
  const intention = `seed:${one.type}:${starts}`
  const booked_at = day.minus({ days: 60 }).toJSDate()
  await insert(sql, 'dental_appointment', { msisdn: JOHN, slot: id, intention, booked_at })
}

async function slot(sql: SqlPort, one: SlotSeed, day: DateTime): Promise<string> {
  const [hour, minute] = one.time.split(':').map(Number)
  const starts_at = day.plus({ days: one.days }).set({ hour, minute }).toJSDate()
  const row = { clinic: one.clinic, type: one.type, starts_at }
  await insert(sql, 'dental_slot', row)
  const [kept] = await sql<{ id: string }>(
    `SELECT id FROM dental_slot
    WHERE clinic = :clinic AND type = :type AND starts_at = CAST(:starts_at AS timestamptz)`,
    row,
  )
  return kept!.id
}

/** Inserts the row unless it exists. */
async function insert(sql: SqlPort, table: string, row: SqlBindings): Promise<void> {
  const columns = Object.keys(row)
  const values = columns.map((column) => `:${column}`)
  await sql(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values.join(', ')}) ON CONFLICT DO NOTHING`, row)
}

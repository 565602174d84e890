/** What the statements of the dental service (samples/dental/) do, without SQL. */
import { by, type Appointment, type Database, type Slot, type Tables } from './tables.ts'
import { insertSms, callOffSms, type NewRow } from './sql-outbox.ts'
import type { Model } from './sql-model.ts'

/** The violation that the service asks for by its SQLSTATE. */
class ForeignKeyViolation extends Error {
  readonly severity = 'ERROR'
  readonly code = '23503'
}

const ROWS_MAX = 100
const DAY_MS = 86_400_000

export const DENTAL_MODEL: Model = {
  'dental-profile': ({ tables }, { msisdn }) => {
    const row = tables.profiles.get(String(msisdn))
    return row ? [{ name: row.name, language: row.language }] : []
  },
  'dental-register': ({ tables }, given) => {
    const msisdn = String(given.msisdn)
    const [name, intention] = [String(given.name), String(given.intention)]
    const old = tables.profiles.get(msisdn)
    const fresh = { msisdn, name, intention, language: String(given.language), created_at: given.now as Date }
    tables.profiles.set(msisdn, old ? { ...old, name, intention } : fresh)
    return [{ name }]
  },
  'dental-language': ({ tables }, { msisdn, language }) => {
    const row = tables.profiles.get(String(msisdn))
    if (row) tables.profiles.set(row.msisdn, { ...row, language: String(language) })
    return []
  },
  'dental-types': ({ tables }, { language }) => typesBy(tables, language, () => null),
  'dental-types-tailored': ({ tables }, { msisdn, language }) =>
    typesBy(tables, language, (type, days) => {
      const past = [...tables.appointments.values()].filter(
        (one) => one.msisdn === msisdn && one.status === 'booked' && tables.slots.get(one.slot)!.type === type,
      )
      if (days === null || !past.length) return null
      return Math.max(...past.map((one) => tables.slots.get(one.slot)!.starts_at.getTime())) + days * DAY_MS
    }),
  'dental-slots': ({ tables }, given) => slotsBy(tables, given, null),
  'dental-slots-tailored': ({ tables }, given) => {
    const visited = booked(tables, given.msisdn)
      .toSorted(by((one) => tables.slots.get(one.slot)!.starts_at))
      .at(-1)
    return slotsBy(tables, given, visited ? tables.slots.get(visited.slot)!.clinic : null)
  },
  'dental-hold': ({ tables }, given) => {
    const [epoch, msisdn] = [String(given.epoch), String(given.msisdn)]
    const slot = tables.slots.get(Number(given.slot))
    const isWanted = slot && slot.starts_at > (given.today as Date) && isFree(tables, slot, msisdn, given.now as Date)
    for (const hold of tables.holds.values())
      if (hold.epoch === epoch && hold.slot !== Number(given.slot)) tables.holds.delete(hold.slot)
    if (!isWanted) return []
    tables.holds.set(slot.id, { slot: slot.id, epoch, msisdn, expires_at: given.expires as Date })
    return [visitOf(tables, slot, given.language)]
  },
  'dental-release': ({ tables }, { slot, msisdn }) => {
    if (tables.holds.get(Number(slot))?.msisdn === msisdn) tables.holds.delete(Number(slot))
    return []
  },
  'dental-release-all': ({ tables }, { epoch }) => {
    for (const hold of tables.holds.values()) if (hold.epoch === epoch) tables.holds.delete(hold.slot)
    return []
  },
  'dental-slot': ({ tables }, { slot, language }) => {
    const found = tables.slots.get(Number(slot))
    return found ? [visitOf(tables, found, language)] : []
  },
  'dental-appointments': ({ tables }, { msisdn, cancelled, upcoming, today, language }) =>
    [...tables.appointments.values()]
      .filter((one) => one.msisdn === msisdn && (one.status === 'booked' || cancelled))
      .map((one) => rowOf(tables, one, language))
      .filter((row) => !upcoming || row.starts_at > (today as Date))
      .toSorted(
        by(
          (row) => row.starts_at,
          (row) => Number(row.id),
        ),
      )
      .slice(-ROWS_MAX),
  'dental-next': ({ tables }, { msisdn, today, language }) =>
    booked(tables, msisdn)
      .map((one) => rowOf(tables, one, language))
      .filter((row) => row.starts_at > (today as Date))
      .toSorted(
        by(
          (row) => row.starts_at,
          (row) => Number(row.id),
        ),
      )
      .slice(0, 1),
  'dental-confirm-visit': ({ tables }, { appointment, msisdn, today, now }) => {
    const one = upcoming(tables, appointment, msisdn, today)
    if (!one) return []
    tables.appointments.set(one.id, { ...one, confirmed_at: one.confirmed_at ?? (now as Date) })
    return [{ id: String(one.id) }]
  },
  'dental-book': book,
  'dental-booked-before': ({ tables }, { intention, msisdn, language }) =>
    [...tables.appointments.values()]
      .filter((one) => one.intention === intention && one.msisdn === msisdn)
      .map((one) => ({ ...visitOf(tables, tables.slots.get(one.slot)!, language), id: String(one.id) })),
  'dental-cancel': (database, { appointment, msisdn, intention, today, now }) => {
    const { tables } = database
    const one = upcoming(tables, appointment, msisdn, today)
    if (!one) return []
    tables.appointments.set(one.id, {
      ...one,
      status: 'cancelled',
      cancel_intention: String(intention),
      cancelled_at: now as Date,
    })
    callOffSms(tables, `dental:${one.id}`, now as Date)
    return [{ id: String(one.id) }]
  },
  'dental-cancelled-before': ({ tables }, { appointment, msisdn, intention }) => {
    const one = tables.appointments.get(Number(appointment))
    return one?.msisdn === msisdn && one?.cancel_intention === intention ? [{ id: String(one!.id) }] : []
  },
}

function book(database: Database, given: Record<string, unknown>): { id: string }[] {
  const { tables } = database
  const [msisdn, intention, now] = [String(given.msisdn), String(given.intention), given.now as Date]
  const slot = tables.slots.get(Number(given.slot))
  if (!slot || slot.starts_at <= (given.today as Date) || isHeld(tables, slot, msisdn, now)) return []
  const id = database.next('appointments')
  const all = [...tables.appointments.values()]
  if (all.some((one) => one.intention === intention || (one.slot === slot.id && one.status === 'booked'))) return []
  const sms = JSON.parse(String(given.sms)) as NewRow[]
  if (!tables.profiles.has(msisdn)) {
    // Postgres sees it at the end of the statement: numbers were given out for the SMS too.
    for (let n = 0; n < sms.length; n++) database.next('sms')
    throw new ForeignKeyViolation('insert into dental_appointment: no such profile')
  }
  tables.appointments.set(id, {
    id,
    msisdn,
    slot: slot.id,
    intention,
    status: 'booked',
    cancel_intention: null,
    booked_at: now,
    cancelled_at: null,
    confirmed_at: null,
  })
  tables.holds.delete(slot.id)
  insertSms(database, { subject: `dental:${id}`, msisdn, line: String(given.line) }, sms, now)
  return [{ id: String(id) }]
}

type DueAt = (type: string, everyDays: number | null) => number | null

function typesBy(tables: Tables, language: unknown, dueAt: DueAt): object[] {
  return [...tables.types.values()]
    .toSorted(
      by(
        (type) => dueAt(type.id, type.every_days),
        (type) => type.position,
        (type) => type.id,
      ),
    )
    .slice(0, ROWS_MAX)
    .map(({ id }) => ({ id, name: typeName(tables, id, language) }))
}

/** Those of the clinic `first` come first. */
function slotsBy(tables: Tables, given: Record<string, unknown>, first: string | null): object[] {
  const { type, msisdn, today, now } = given
  return [...tables.slots.values()]
    .filter(
      (slot) =>
        slot.type === type && slot.starts_at > (today as Date) && isFree(tables, slot, String(msisdn), now as Date),
    )
    .toSorted(
      by(
        (slot) => slot.clinic !== first,
        (slot) => slot.starts_at,
        (slot) => tables.clinics.get(slot.clinic)!.position,
        (slot) => slot.id,
      ),
    )
    .slice(0, ROWS_MAX)
    .map((slot) => ({ id: String(slot.id), starts_at: slot.starts_at, ...clinicOf(tables, slot) }))
}

function booked(tables: Tables, msisdn: unknown): Appointment[] {
  return [...tables.appointments.values()].filter((one) => one.msisdn === msisdn && one.status === 'booked')
}

function upcoming(tables: Tables, id: unknown, msisdn: unknown, today: unknown): Appointment | undefined {
  const one = tables.appointments.get(Number(id))
  const isIts =
    one?.msisdn === msisdn && one?.status === 'booked' && tables.slots.get(one.slot)!.starts_at > (today as Date)
  return isIts ? one : undefined
}

function isHeld(tables: Tables, slot: Slot, msisdn: string, now: Date): boolean {
  const hold = tables.holds.get(slot.id)
  return hold !== undefined && hold.msisdn !== msisdn && hold.expires_at > now
}

function isFree(tables: Tables, slot: Slot, msisdn: string, now: Date): boolean {
  return (
    !isHeld(tables, slot, msisdn, now) &&
    ![...tables.appointments.values()].some((one) => one.slot === slot.id && one.status === 'booked')
  )
}

function typeName(tables: Tables, type: string, language: unknown): string {
  return (tables.typeNames.get(`${type} ${language}`) ?? tables.typeNames.get(`${type} en`))?.name ?? type
}

function clinicOf(tables: Tables, slot: Slot): { clinic: string; zone: string } {
  const { name, zone } = tables.clinics.get(slot.clinic)!
  return { clinic: name, zone }
}

function visitOf(tables: Tables, slot: Slot, language: unknown) {
  return {
    id: String(slot.id),
    type: typeName(tables, slot.type, language),
    ...clinicOf(tables, slot),
    starts_at: slot.starts_at,
  }
}

function rowOf(tables: Tables, one: Appointment, language: unknown) {
  return { ...visitOf(tables, tables.slots.get(one.slot)!, language), id: String(one.id), status: one.status }
}

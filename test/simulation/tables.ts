/**
 * The tables that the SQL model keeps (migrations/), rows as values: a change puts a new row in, so a copy of the maps
 * is a snapshot.
 */

export interface Clinic {
  id: string
  name: string
  zone: string
  position: number
}
export interface VisitType {
  id: string
  position: number
  every_days: number | null
}
export interface TypeName {
  type: string
  language: string
  name: string
}
export interface Slot {
  id: number
  clinic: string
  type: string
  starts_at: Date
}
export interface Profile {
  msisdn: string
  name: string
  language: string
  intention: string | null
  created_at: Date
}
export interface Hold {
  slot: number
  epoch: string
  msisdn: string
  expires_at: Date
}
export interface Appointment {
  id: number
  msisdn: string
  slot: number
  status: 'booked' | 'cancelled'
  intention: string
  cancel_intention: string | null
  booked_at: Date
  cancelled_at: Date | null
  confirmed_at: Date | null
}
export interface Sms {
  id: number
  subject: string
  kind: string
  msisdn: string
  line: string
  text: string
  quiet_zone: string | null
  state: string
  due_at: Date
  expires_at: Date
  wake_at: Date
  lease: string | null
  attempts: number
  losses: number
  last_status: number | null
  last_error: string | null
  sent_line: string | null
  recorded: boolean
  created_at: Date
  submitted_at: Date | null
  settled_at: Date | null
  parts: number
  answered: string | null
  recall_at: Date | null
  /** Of those that somebody asked for under a key. */
  owner: string | null
  key: string | null
  asked: string | null
  asked_at: Date | null
  hook: string | null
  template: string | null
  tlvs: string | null
}
export interface Part {
  sms: number
  part: number
  line: string
  message_id: string
  message_key: string
  state: string
  told_at: Date | null
}
export interface Orphan {
  id: number
  line: string
  message_id: string
  message_key: string
  sender: string
  reference: number | null
  state: string
  error: string
  received_at: Date
}

export interface IdFormRow {
  line: string
  form: string
  candidate: string | null
  seen: number
  since: Date | null
  confirmed_at: Date | null
}

export interface Tables {
  clinics: Map<string, Clinic>
  types: Map<string, VisitType>
  typeNames: Map<string, TypeName>
  slots: Map<number, Slot>
  profiles: Map<string, Profile>
  holds: Map<number, Hold>
  appointments: Map<number, Appointment>
  sms: Map<number, Sms>
  parts: Map<string, Part>
  orphans: Map<number, Orphan>
  forms: Map<string, IdFormRow>
  optOuts: Set<string>
}

export interface Database {
  tables: Tables
  /** The next number of a sequence; never given back, as in Postgres. */
  next(sequence: 'appointments' | 'sms' | 'orphans'): number
}

export function emptyDatabase(): Database {
  const sequences = { appointments: 0, sms: 0, orphans: 0 }
  return {
    next: (sequence) => ++sequences[sequence],
    tables: {
      clinics: new Map(),
      types: new Map(),
      typeNames: new Map(),
      slots: new Map(),
      profiles: new Map(),
      holds: new Map(),
      appointments: new Map(),
      sms: new Map(),
      parts: new Map(),
      orphans: new Map(),
      forms: new Map(),
      optOuts: new Set(),
    },
  }
}

/** The tables as they stand: later changes leave it alone. */
export function snapshot(tables: Tables): Tables {
  return {
    clinics: new Map(tables.clinics),
    types: new Map(tables.types),
    typeNames: new Map(tables.typeNames),
    slots: new Map(tables.slots),
    profiles: new Map(tables.profiles),
    holds: new Map(tables.holds),
    appointments: new Map(tables.appointments),
    sms: new Map(tables.sms),
    parts: new Map(tables.parts),
    orphans: new Map(tables.orphans),
    forms: new Map(tables.forms),
    optOuts: new Set(tables.optOuts),
  }
}

/** By these, one after the other: a number, a string or a moment; null last. */
export function by<T>(...keys: ((row: T) => number | string | Date | boolean | null)[]): (a: T, b: T) => number {
  return (a, b) => {
    for (const key of keys) {
      const [x, y] = [key(a), key(b)]
      if (x === y) continue
      if (x === null) return 1
      if (y === null) return -1
      if (+x !== +y && x !== y && typeof x !== 'string') return +x - +y
      if (typeof x === 'string' && x !== y) return x < (y as string) ? -1 : 1
    }
    return 0
  }
}

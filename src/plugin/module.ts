/** A back end in the daemon itself: a file that exports `backend`, what it is given, and what it hands back. */
import type { Log } from '../base/index.ts'
import type { Chance, Clock, EndReason, Json, JsonObject } from '../ussd/index.ts'
import type { ModuleSms, ReminderSettings, SmsReplies } from './sms.ts'
import type { ModuleDatabase } from './sql.ts'

/** All that a back end is told besides the arguments. */
export interface CallContext {
  /** `epoch:turn:call`: the same for every repetition of the same call. Do the thing once a key. */
  intention: string
  /** Of the dialogue; where it goes on in one that we pushed, of the first. */
  epoch: string
  /** With the epoch '' in a read whose answer is the same for everybody. */
  msisdn: string
  language: string
  line: string
  /** The calendar's milliseconds (may be frozen): what "today" means. */
  todayMs: number
  /** Aborted at the turn's deadline, or when the time that the flow gives the call is over. */
  signal: AbortSignal
  /** When that will be, in wall-clock milliseconds; absent: nobody knows. */
  deadlineMs?: number
  /** What the flow gives this call, in place of the back end's own time-out. */
  timeoutMs?: number
  /** It changes something. */
  once?: boolean
  /** An argument is secret: the answer may be too. */
  isSecret?: boolean
}

/** A module back end: operations by name. What throws becomes `failed`, so only throw for faults. */
export interface BackendModule {
  operations: Record<string, (args: JsonObject, context: CallContext) => Promise<Json | Refusal>>
  /** Makes its tables, before it is first asked anything; again at the next call if it throws. */
  prepare?(): Promise<void>
  /** A dialogue that called it has ended: release what it held. Best effort; must be idempotent. */
  ended?(epoch: string, reason: EndReason): Promise<void>
  /** What subscribers answer to its SMS. */
  replies?: SmsReplies
  /** What it keeps of a subscriber: `subscriber export` and `subscriber erase` ask it. */
  subscriber?: SubscriberData
  /** Removes what is over its retention. The daemon asks every hour; what throws is tried again at the next. */
  purge?(asked: ModulePurge): Promise<ModulePurged>
  /** Data to try it with: `ussd-connector seed`. Again: adds only what is missing. */
  seed?(options: ModuleSeed): Promise<void>
}

/** The mark of a refusal: the same in every copy of this file, since a module may be installed with its own. */
const REFUSAL = Symbol.for('ussd-connector.refusal')

/** Returned by an operation to refuse by name. `instanceof` also knows refusals of another copy of this class. */
export class Refusal {
  readonly refusal: string
  readonly data: Json
  constructor(refusal: string, data: Json = null) {
    this.refusal = refusal
    this.data = data
    Object.defineProperty(this, REFUSAL, { value: true })
  }

  static [Symbol.hasInstance](given: unknown): boolean {
    return typeof given === 'object' && given !== null && REFUSAL in given
  }
}

export interface SubscriberData {
  /** Rows by table, as they may be handed out. */
  export(msisdn: string): Promise<Record<string, object[]>>
  /** Removes everything. Answers how many rows. */
  erase(msisdn: string): Promise<number>
}

/** What a module is told when it is asked to remove what is old. */
export interface ModulePurge {
  /** The wall clock: for moments that were written down. */
  nowMs: number
  /** The calendar (may be frozen): for dates that subscribers see. */
  todayMs: number
  /** How long the settings keep what is over: `retention.appointmentsMonths`. A module may have a setting of its own. */
  keepMs: number
  /** Rows to remove of one table at most: a purge must not hold a table. The rest goes with the next one. */
  rowsMax: number
  /** Aborted when its time is over, or the daemon stops. */
  signal: AbortSignal
}

/** Rows removed, by a word for what they were: `retention_purged_total{what}`. Never a number or a text. */
export type ModulePurged = Record<string, number>

/** A table that holds a number, the column it stands in, and what is handed out of a row (all, if nothing is said). */
export interface PersonalTable {
  table: string
  column: string
  shown?: readonly string[]
}

export interface ModuleSeed {
  /** The calendar's now. */
  atMs: number
  /** Lay the data relative to that day, for a demo. */
  relative?: boolean
}

/** Any schema that answers as one of zod's. */
export interface SettingsSchema<T> {
  safeParse(
    given: unknown,
  ):
    | { success: true; data: T }
    | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } }
}

/** What a module's `backend` is given. */
export interface ModuleDeps extends ModuleDatabase {
  /** What flows call it by. */
  name: string
  /** Its own: `backends.<name>.settings`. */
  settings: Record<string, unknown>
  /** The same, read by a schema. Throws with all that is wrong, each at its place: the daemon does not start then. */
  readSettings<T>(schema: SettingsSchema<T>): T
  clock: Clock
  chance: Chance
  /** Numbers in it are masked. */
  log: Log
  /** `module_events_total{backend,event}`: an event is a word of the module's own, never a number or a text. */
  counters: { count(event: string, by?: number): void }
  sms: ModuleSms
  reminders: ReminderSettings
  dialogue: {
    /** The longest that a dialogue may last. */
    totalMs: number
  }
  /** An expected no, by name: the flow routes it with `refused: { slot-taken: screen }`. */
  refuse(refusal: string, data?: Json): Refusal
  /** Export and erasure where all is rows of tables. They are erased in that order, in one transaction. */
  subscriberIn(tables: readonly PersonalTable[]): SubscriberData
}

/** What a module's file exports as `backend`. */
export type BackendFactory = (deps: ModuleDeps) => BackendModule

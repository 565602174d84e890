/** A back end within the daemon: a file that exports `backend`, what it gets, and what it returns. */
import type { Log } from '../base/index.ts'
import type { Chance, Clock, EndReason, Json, JsonObject } from '../ussd/index.ts'
import type { ModuleSms, ReminderSettings, SmsReplies } from './sms.ts'
import type { ModuleDatabase } from './sql.ts'

/** Everything that a back end is told besides the arguments. */
export interface CallContext {
  /** `epoch:turn:call`: the same for every repetition of one call. Do the work once per key. */
  intention: string
  /** The epoch of the dialogue. If the dialogue continues in one that we pushed: the epoch of the first. */
  epoch: string
  /** '' (and the epoch too) in a read whose answer is the same for everybody. */
  msisdn: string
  language: string
  line: string
  /** The flow that calls. Absent: no flow does. */
  flow?: string
  /** Milliseconds of the calendar (which may be frozen): the meaning of "today". */
  todayMs: number
  /** Aborted at the turn's deadline, or when the time that the flow gives the call is over. */
  signal: AbortSignal
  /** The time of that abort, in wall-clock milliseconds. Absent: unknown. */
  deadlineMs?: number
  /** The time that the flow gives this call, in place of the back end's own timeout. */
  timeoutMs?: number
  /** The call changes something. */
  once?: boolean
  /** How long the flow lets its answer be kept. The daemon keeps it: a module need not. */
  cache?: { maxAgeSeconds: number; staleIfErrorSeconds: number }
  /** An argument is secret, so the answer may be secret too. */
  isSecret?: boolean
  /** The `intention` of the call whose outcome this one is to tell: the flow says `settle`. */
  settles?: string
}

/** What an operation does: flows that call it need not say it. As in a file `backends/NAME.yaml` beside the flows. */
export interface DeclaredOperation {
  does?: 'reads' | 'changes'
  /** Fields by name: `{ amount: { is: 'number', min: 0 } }`. */
  answers?: Record<string, string | Record<string, unknown>>
  /** Refusals by name, each with its fields. */
  refusals?: Record<string, Record<string, string | Record<string, unknown>>>
  /** How long its answer may be kept for a subscriber. Only if it reads. */
  cache?: { maxAgeSeconds: number; staleIfErrorSeconds?: number }
  /** The operation that tells what became of a call whose outcome is unknown. */
  settledBy?: string
}

/** A module back end: operations by name. A throw becomes `failed`, so throw only for faults. */
export interface BackendModule {
  operations: Record<string, (args: JsonObject, context: CallContext) => Promise<Json | Refusal>>
  /** What they do, by their names: all of them, or none. A file beside the flows goes before it. */
  declares?: Record<string, DeclaredOperation>
  /** Creates its tables before the first call. If it throws, it runs again at the next call. */
  prepare?(): Promise<void>
  /** A dialogue that called it has ended: release what it held. Best effort; must be idempotent. */
  ended?(epoch: string, reason: EndReason): Promise<void>
  /** Handles what subscribers answer to its SMS. */
  replies?: SmsReplies
  /** What it keeps about a subscriber: `subscriber export` and `subscriber erase` use it. */
  subscriber?: SubscriberData
  /** Removes what is past its retention. The daemon calls it every hour; after a throw it tries again the next hour. */
  purge?(asked: ModulePurge): Promise<ModulePurged>
  /** Creates sample data: `ussd-connector seed`. If repeated, it adds only what is missing. */
  seed?(options: ModuleSeed): Promise<void>
}

/** Marks a refusal. It is the same in every copy of this file, because a module may be installed with its own copy. */
const REFUSAL = Symbol.for('ussd-connector.refusal')

/** An operation returns it to refuse by name. `instanceof` also recognises refusals of another copy of this class. */
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
  /** Table → its rows, in the form in which they may be handed out. */
  export(msisdn: string): Promise<Record<string, object[]>>
  /** Removes everything. Returns how many rows. */
  erase(msisdn: string): Promise<number>
}

/** What a module is told when it is asked to remove old data. */
export interface ModulePurge {
  /** The wall clock: for moments that were stored. */
  nowMs: number
  /** The calendar (which may be frozen): for dates that subscribers see. */
  todayMs: number
  /** How long the settings keep what is over: `retention.appointmentsMonths`. A module may have its own setting. */
  keepMs: number
  /**
   * The most rows to remove from one table: a purge must not hold a table for long. The next purge removes the rest.
   */
  rowsMax: number
  /** Aborted when the time limit is over, or when the daemon stops. */
  signal: AbortSignal
}

/** Removed rows by kind: `retention_purged_total{what}`. A kind is never a number or a text of a subscriber. */
export type ModulePurged = Record<string, number>

/** A table that holds a number, the column of the number, and the columns that are handed out (default: all). */
export interface PersonalTable {
  table: string
  column: string
  shown?: readonly string[]
}

export interface ModuleSeed {
  /** The current time of the calendar. */
  atMs: number
  /** Place the data relative to that day, for a demo. */
  relative?: boolean
}

/** Any schema with the interface of a zod schema. */
export interface SettingsSchema<T> {
  safeParse(
    given: unknown,
  ):
    | { success: true; data: T }
    | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } }
}

/** What a module's `backend` gets. */
export interface ModuleDeps extends ModuleDatabase {
  /** The name by which flows call it. */
  name: string
  /** Its own settings: `backends.<name>.settings`. */
  settings: Record<string, unknown>
  /**
   * The same, read with a schema. Throws with everything that is wrong, each at its place; the daemon does not start
   * then.
   */
  readSettings<T>(schema: SettingsSchema<T>): T
  clock: Clock
  chance: Chance
  /** Subscribers' numbers in it are masked. */
  log: Log
  /**
   * `module_events_total{backend,event}`. An event is a word of the module, never a number or a text of a subscriber.
   */
  counters: { count(event: string, by?: number): void }
  sms: ModuleSms
  reminders: ReminderSettings
  dialogue: {
    /** The longest that a dialogue may last. */
    totalMs: number
  }
  /** An expected refusal, by name: the flow routes it with `refused: { slot-taken: screen }`. */
  refuse(refusal: string, data?: Json): Refusal
  /** Export and erasure if all data are rows of tables. They are erased in this order, in one transaction. */
  subscriberIn(tables: readonly PersonalTable[]): SubscriberData
}

/** What a module's file exports as `backend`. */
export type BackendFactory = (deps: ModuleDeps) => BackendModule

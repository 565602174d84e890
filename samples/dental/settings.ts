/** What an operator may set of the dental service, and what its parts are given. */
import {
  repeating,
  type CallContext,
  type JsonObject,
  type ModuleDeps,
  type ReminderRule,
} from '../../src/plugin/index.ts'

export interface DentalSettings {
  /** Cancelled appointments stand in the list, as cancelled. */
  listCancelled: boolean
  /** The type due next and the last clinic come first. */
  tailored: boolean
  /** A slot stays held this long if nobody gives it back. */
  holdMs: number
  /** An SMS at once for each booking. */
  confirmation: boolean
  reminders: ReminderRule
}

export const DENTAL_DEFAULTS: DentalSettings = {
  listCancelled: false,
  tailored: false,
  // The longest dialogue (180 s) and a margin: a hold must not lapse while its question is on the handset.
  holdMs: 210_000,
  confirmation: true,
  reminders: { leadsMs: [24 * 3_600_000, 2 * 3_600_000], quietHours: { from: '21:00', to: '07:00' } },
}

export interface DentalDeps extends Pick<
  ModuleDeps,
  'sql' | 'transaction' | 'clock' | 'chance' | 'sms' | 'subscriberIn'
> {
  settings: DentalSettings
}

/** Rows of a list at most: more than anybody pages through on a handset. */
export const LIST_ROWS_MAX = 100

/** Runs a statement that may be run twice until it is answered, inside the turn's deadline. */
export function safely<T>(deps: DentalDeps, context: CallContext, run: () => Promise<T>): Promise<T> {
  return repeating(run, { signal: context.signal, clock: deps.clock, chance: deps.chance })
}

/** An id of a row, as text of digits; '' if the flow gave none that could be one. */
export function rowId(args: JsonObject, name: string): string {
  const id = args[name]
  return (typeof id === 'string' || typeof id === 'number') && /^\d{1,18}$/.test(String(id)) ? String(id) : ''
}

/** A short text of the arguments, '' if absent. */
export function shortText(args: JsonObject, name: string): string {
  const text = args[name]
  return typeof text === 'string' && Object.hasOwn(args, name) ? text : ''
}

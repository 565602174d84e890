/** What an operator can set for the dental service, and what its parts get. */
import { WORDINGS, type Wordings } from './texts.ts'
import {
  repeating,
  type CallContext,
  type JsonObject,
  type ModuleDeps,
  type ReminderRule,
} from '../../src/plugin/index.ts'

export interface DentalSettings {
  /** The list also shows cancelled appointments. */
  listCancelled: boolean
  /** The type that is due next and the last clinic come first. */
  tailored: boolean
  /** How long a slot is held if the dialogue does not release it. */
  holdMs: number
  /** Send an SMS at once for each booking. */
  confirmation: boolean
  reminders: ReminderRule
  /** The texts of its SMS. */
  wordings: Wordings
}

export const DENTAL_DEFAULTS: DentalSettings = {
  listCancelled: false,
  tailored: false,
  // The longest dialogue (180 s) plus a margin: a hold must not expire while its question is on the handset.
  holdMs: 210_000,
  confirmation: true,
  reminders: { leads: ['24h', '2h'], quietHours: { from: '21:00', to: '07:00' } },
  wordings: WORDINGS,
}

export interface DentalDeps extends Pick<
  ModuleDeps,
  'sql' | 'transaction' | 'clock' | 'chance' | 'sms' | 'subscriberIn'
> {
  settings: DentalSettings
}

/** The most rows of a list: nobody pages through more on a handset. */
export const LIST_ROWS_MAX = 100

/** Runs a repeatable statement until it is answered, within the turn's deadline. */
export function safely<T>(deps: DentalDeps, context: CallContext, run: () => Promise<T>): Promise<T> {
  return repeating(run, { signal: context.signal, clock: deps.clock, chance: deps.chance })
}

/** The id of a row, as digits; '' if the flow gave no possible id. */
export function rowId(args: JsonObject, name: string): string {
  const id = args[name]
  return (typeof id === 'string' || typeof id === 'number') && /^\d{1,18}$/.test(String(id)) ? String(id) : ''
}

/** A short text from the arguments; '' if absent. */
export function shortText(args: JsonObject, name: string): string {
  const text = args[name]
  return typeof text === 'string' && Object.hasOwn(args, name) ? text : ''
}

/** The dental service's back end: profiles, slots, appointments, in the daemon's own Postgres. */
import { defineBackend, type BackendModule } from '../../src/plugin/index.ts'
import { appointments } from './appointments.ts'
import { dentalOptions } from './options.ts'
import { profiles } from './profiles.ts'
import { dentalReplies } from './replies.ts'
import { purgeDental } from './retention.ts'
import { seed } from './seed.ts'
import { DENTAL_DEFAULTS, type DentalDeps, type DentalSettings } from './settings.ts'
import { releaseAll, slots } from './slots.ts'

export type DentalOptions = Omit<DentalDeps, 'settings'> & { settings?: Partial<DentalSettings> }

/** A hold must not expire while its question may still be answered. */
const HOLD_MARGIN_MS = 30_000

/** The tables that hold a number, in the order in which rows can be removed. */
export const PERSONAL_TABLES = ['dental_hold', 'dental_appointment', 'dental_profile'].map((table) => ({
  table,
  column: 'msisdn',
}))

/** What the daemon loads. */
export const backend = defineBackend((deps) => {
  const { confirmation, ...reminders } = deps.reminders
  const holdMs = deps.dialogue.totalMs + HOLD_MARGIN_MS
  return dental({ ...deps, settings: { holdMs, confirmation, reminders, ...dentalOptions(deps) } })
})

/**
 * Operations: profile · register · language · appointments · types · slots · hold · release · next · book · confirm ·
 * cancel. Refusals: slot-taken, not-upcoming, bad-name, bad-language, no-profile. It throws only if Postgres is
 * unreachable.
 */
export function dental({ settings, ...given }: DentalOptions): BackendModule {
  const deps: DentalDeps = { ...given, settings: { ...DENTAL_DEFAULTS, ...settings } }
  return {
    operations: { ...profiles(deps), ...slots(deps), ...appointments(deps) },
    ended: (epoch) => releaseAll(deps, epoch),
    replies: dentalReplies(deps, deps.settings.wordings),
    subscriber: deps.subscriberIn(PERSONAL_TABLES),
    purge: (asked) => purgeDental(deps, asked),
    seed: (options) => seed(deps, options),
  }
}

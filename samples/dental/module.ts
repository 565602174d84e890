/** The dental service's back end: profiles, slots, appointments, in the daemon's own Postgres. */
import type { BackendModule } from '../../src/backend/types.ts'
import { appointments } from './appointments.ts'
import { profiles } from './profiles.ts'
import { DENTAL_DEFAULTS, type DentalParts, type DentalSettings } from './settings.ts'
import { releaseAll, slots } from './slots.ts'

export type DentalOptions = Omit<DentalParts, 'settings'> & { settings?: Partial<DentalSettings> }

/**
 * Operations: profile · register · language · appointments · types · slots · hold · release · next · book · confirm · cancel.
 * Refusals: slot-taken, not-upcoming, bad-name, bad-language, no-profile. What throws is Postgres being away.
 */
export function dental({ knex, clock, chance, settings }: DentalOptions): BackendModule {
  const parts: DentalParts = { knex, clock, chance, settings: { ...DENTAL_DEFAULTS, ...settings } }
  return {
    operations: { ...profiles(parts), ...slots(parts), ...appointments(parts) },
    ended: (epoch) => releaseAll(parts, epoch),
  }
}

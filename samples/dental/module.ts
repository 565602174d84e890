/** The dental service's back end: profiles, slots, appointments, in the daemon's own Postgres. */
import type { BackendModule } from '../../src/backend/index.ts'
import { appointments } from './appointments.ts'
import { profiles } from './profiles.ts'
import { DENTAL_DEFAULTS, type DentalDeps, type DentalSettings } from './settings.ts'
import { releaseAll, slots } from './slots.ts'

export type DentalOptions = Omit<DentalDeps, 'settings'> & { settings?: Partial<DentalSettings> }

/**
 * Operations: profile · register · language · appointments · types · slots · hold · release · next · book · confirm ·
 * cancel. Refusals: slot-taken, not-upcoming, bad-name, bad-language, no-profile. What throws is Postgres being away.
 */
export function dental({ knex, clock, chance, settings }: DentalOptions): BackendModule {
  const deps: DentalDeps = { knex, clock, chance, settings: { ...DENTAL_DEFAULTS, ...settings } }
  return {
    operations: { ...profiles(deps), ...slots(deps), ...appointments(deps) },
    ended: (epoch) => releaseAll(deps, epoch),
  }
}

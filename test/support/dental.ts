/** The dental sample on a test's own database, given what the daemon gives a module. */
import type { Knex } from 'knex'
import { dental, type DentalOptions } from '../../samples/dental/module.ts'
import { seed } from '../../samples/dental/seed.ts'
import { moduleDatabase, moduleSms, subscriberIn } from '../../src/daemon/modules.ts'
import type { BackendModule, ModuleSeed } from '../../src/plugin/index.ts'
import type { Chance, Clock } from '../../src/ussd/vocabulary.ts'

export interface DentalOnDeps {
  knex: Knex
  clock: Clock
  chance?: Chance
  settings?: NonNullable<DentalOptions['settings']>
}

export function dentalOn({ knex, clock, chance = () => 0.5, settings = {} }: DentalOnDeps): BackendModule {
  const database = moduleDatabase(knex)
  return dental({
    ...database,
    clock,
    chance,
    sms: moduleSms(clock),
    subscriberIn: (tables) => subscriberIn(database, tables),
    settings,
  })
}

export function seedDental(knex: Knex, options: ModuleSeed): Promise<void> {
  return seed(moduleDatabase(knex), options)
}

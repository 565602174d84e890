/** The dental sample on a test's own database, given what the daemon gives a module. */
import { dental, type DentalOptions } from '../../samples/dental/module.ts'
import { seed } from '../../samples/dental/seed.ts'
import { moduleDatabase, moduleSms, subscriberIn } from '../../src/daemon/backends/modules.ts'
import type { BackendModule, ModuleSeed } from '../../src/plugin/index.ts'
import type { Sql } from '../../src/base/sql.ts'
import type { Chance, Clock } from '../../src/ussd/vocabulary.ts'

export interface DentalOnDeps {
  sql: Sql
  clock: Clock
  chance?: Chance
  settings?: NonNullable<DentalOptions['settings']>
}

export function dentalOn({ sql, clock, chance = () => 0.5, settings = {} }: DentalOnDeps): BackendModule {
  const database = moduleDatabase(sql)
  return dental({
    ...database,
    clock,
    chance,
    sms: moduleSms(clock, { owner: 'module:dental', hook: null }),
    subscriberIn: (tables) => subscriberIn(database, tables),
    settings,
  })
}

export function seedDental(sql: Sql, options: ModuleSeed): Promise<void> {
  return seed(moduleDatabase(sql), options)
}

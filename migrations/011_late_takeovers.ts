/** A promised answer that kills or stalls whoever plays it is not taken over for ever. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('ussd_late', (table) => {
    // How often a daemon that let go of nothing lost it. A daemon that stops lets go of what it has.
    table.integer('takeovers').notNullable().defaultTo(0)
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('ussd_late', (table) => {
    table.dropColumn('takeovers')
  })
}

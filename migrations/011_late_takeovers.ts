/** A deferred answer that kills or stalls the daemon that plays it is not taken over for ever. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('ussd_late', (table) => {
    // How often a daemon lost it without releasing it. A daemon that stops releases what it has.
    table.integer('takeovers').notNullable().defaultTo(0)
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('ussd_late', (table) => {
    table.dropColumn('takeovers')
  })
}

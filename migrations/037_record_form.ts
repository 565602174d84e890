/**
 * The newest form of a dialogue's record that each daemon reads. One that does not say it, because it is of an earlier
 * build, reads form 3. Nothing is written in a newer form while such a daemon runs; it cannot be started any more.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('instance', (table) => {
    table.integer('record_form').notNullable().defaultTo(3)
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('instance', (table) => {
    table.dropColumn('record_form')
  })
}

/** How many pushes each token asked for on a day, by flow: the cap counts over all daemons and restarts. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('push_day', (table) => {
    // As the zone of the settings has it.
    table.text('day').notNullable()
    table.text('token').notNullable()
    // '': texts.
    table.text('flow').notNullable()
    table.integer('pushes').notNullable()
    table.primary(['day', 'token', 'flow'])
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('push_day')
}

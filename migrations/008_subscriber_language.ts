/** The language that each subscriber chose, if any. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('subscriber_language', (table) => {
    table.text('msisdn').primary()
    table.text('language').notNullable()
    table.timestamp('chosen_at').notNullable()
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('subscriber_language')
}

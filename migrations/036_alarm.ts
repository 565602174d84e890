/**
 * Alarms that are raised (`alarm_held`), with the daemons that see them, so that a fleet tells each once and a restart
 * neither repeats nor forgets one; and what the web-hook has not taken yet (`alarm_told`). Nothing here is of a
 * subscriber.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('alarm_held', (table) => {
    // The daemon (none: the alarm is of all), the alarm, what it is about.
    table.text('key').primary()
    table.jsonb('condition').notNullable()
    table.timestamp('since').notNullable()
    table.specificType('holders', 'text[]').notNullable()
  })
  await knex.schema.createTable('alarm_told', (table) => {
    table.bigIncrements('id')
    table.jsonb('body').notNullable()
    table.timestamp('at').notNullable()
    table.timestamp('wake_at').notNullable()
    table.text('lease')
    table.integer('attempts').notNullable().defaultTo(0)
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('alarm_told')
  await knex.schema.dropTable('alarm_held')
}

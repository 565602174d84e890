/**
 * What an operator at night asks: what was down, and when (`line_event`); which daemons there are, and what each is
 * doing (`instance`); what one daemon is to do for another (`instance_command`); what nobody is to be woken for
 * (`alarm_silence`). Nothing here is of a subscriber.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('line_event', (table) => {
    // Made by the daemon: a row whose answer was lost is written again.
    table.text('id').primary()
    table.timestamp('at').notNullable()
    table.text('instance').notNullable()
    table.text('line').notNullable()
    table.text('bind')
    table.text('event').notNullable()
    table.text('peer')
    table.text('why')
    table.text('detail')
    table.timestamp('since')
    table.integer('tries').notNullable().defaultTo(0)
    table.index(['line', 'at'])
    table.index(['at'])
  })
  await knex.schema.createTable('instance', (table) => {
    table.text('name').primary()
    // New at each start of the daemon.
    table.text('run').notNullable()
    table.text('version').notNullable()
    table.text('node').notNullable()
    table.text('admin').notNullable()
    table.timestamp('started_at').notNullable()
    // By the clock of the database.
    table.timestamp('seen_at').notNullable()
    table.jsonb('state').notNullable()
  })
  await knex.schema.createTable('instance_command', (table) => {
    table.text('id').primary()
    table.text('instance').notNullable()
    table.text('what').notNullable()
    table.jsonb('args').notNullable()
    table.text('asked_by').notNullable()
    table.timestamp('at').notNullable()
    table.timestamp('taken_at')
    table.timestamp('done_at')
    table.jsonb('result')
    table.index(['instance', 'at'])
  })
  await knex.schema.createTable('alarm_silence', (table) => {
    table.bigIncrements('id')
    // Null: all lines, and all that is of no line.
    table.text('line')
    table.timestamp('until').notNullable()
    table.text('asked_by').notNullable()
    table.text('note').notNullable()
    table.timestamp('at').notNullable()
    table.index(['until'])
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('alarm_silence')
  await knex.schema.dropTable('instance_command')
  await knex.schema.dropTable('instance')
  await knex.schema.dropTable('line_event')
}

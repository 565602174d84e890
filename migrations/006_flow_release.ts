/**
 * Decisions of operators about flows, beyond the files: what serves in their place, what is on trial, what was
 * recalled.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('flow_revision', (table) => {
    // Null: never served everybody (only stored for a trial).
    table.timestamp('served_at')
    table.text('published_by').notNullable().defaultTo('')
    table.text('note').notNullable().defaultTo('')
  })
  await knex.raw('UPDATE flow_revision SET served_at = created_at')
  await knex.schema.createTable('flow_release', (table) => {
    table.text('name').primary()
    table.text('active')
    table.text('instead_of')
    table.text('canary')
    // Hundredths of a per cent: 10 % is 1000.
    table.integer('canary_share').notNullable().defaultTo(0)
    // The key of the hash that decides whether a subscriber is in the trial. New with each trial.
    table.text('canary_key').notNullable().defaultTo('')
    table.text('changed_by').notNullable().defaultTo('')
    table.text('note').notNullable().defaultTo('')
    table.timestamp('changed_at').notNullable().defaultTo(knex.fn.now())
  })
  await knex.schema.createTable('flow_recall', (table) => {
    table.text('revision').primary()
    table.text('name').notNullable().index()
    // By language, as JSON.
    table.text('texts').notNullable()
    table.text('recalled_by').notNullable()
    table.timestamp('recalled_at').notNullable().defaultTo(knex.fn.now())
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('flow_recall')
  await knex.schema.dropTable('flow_release')
  await knex.schema.alterTable('flow_revision', (table) => table.dropColumns('served_at', 'published_by', 'note'))
}

/**
 * Who did what (`audit`): one chain of hashes for each daemon, so that a row that was changed or taken out is noticed;
 * and where a chain begins since old rows were removed (`audit_begin`). A number of a subscriber is not in it, only its
 * keyed hash.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('audit', (table) => {
    // Made by the daemon: a row whose answer was lost is written again.
    table.text('id').primary()
    table.text('instance').notNullable()
    table.bigInteger('seq').notNullable()
    table.timestamp('at').notNullable()
    table.text('who').notNullable()
    table.text('role').notNullable()
    table.text('what').notNullable()
    table.text('subscriber')
    // JSON as it was hashed: jsonb would put its keys in another order.
    table.text('detail').notNullable()
    table.text('prev').notNullable()
    table.text('hash').notNullable()
    table.unique(['instance', 'seq'])
    table.index(['at'])
    table.index(['subscriber'])
  })
  await knex.schema.createTable('audit_begin', (table) => {
    table.text('instance').primary()
    // The last row that was removed.
    table.bigInteger('seq').notNullable()
    table.text('hash').notNullable()
    table.timestamp('at').notNullable()
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('audit_begin')
  await knex.schema.dropTable('audit')
}

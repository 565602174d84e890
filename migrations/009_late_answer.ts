/**
 * Deferred answers that subscribers were promised: a row exists while its back end works, and until the subscriber is
 * told.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('ussd_late', (table) => {
    // The epoch of the dialogue that ended with the promise.
    table.text('epoch').primary()
    table.text('msisdn').notNullable().index()
    table.text('line').notNullable()
    table.text('line_group').notNullable()
    table.text('code').notNullable()
    table.integer('turn').notNullable()
    table.integer('call').notNullable()
    table.text('revision').notNullable()
    // The state of the flow, as JSON; sealed where dialogues are sealed.
    table.text('snapshot').notNullable()
    table.timestamp('opened_at').notNullable()
    table.timestamp('until_at').notNullable()
    table.text('lease').notNullable()
    table.timestamp('lease_until').notNullable().index()
    // The epoch of the dialogue that offers the answer; set before its octets are sent. Null: not offered yet.
    table.text('offer')
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('ussd_late')
}

/** PINs of subscribers, as hashes, with the tries that each has left. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('pin', (table) => {
    table.text('msisdn').primary()
    // scrypt; null: only proposed so far.
    table.binary('salt')
    table.binary('hash')
    // What was typed first when a PIN is chosen, until it is typed again.
    table.binary('proposed_salt')
    table.binary('proposed_hash')
    // The dialogue that it was proposed in, and the one that the PIN in force was last verified in.
    table.text('proposed_in')
    table.text('verified_in')
    table.integer('wrong').notNullable().defaultTo(0)
    table.timestamp('locked_until')
    // The turn that was answered last, and how: a turn that is played again is no second try.
    table.text('intention')
    table.text('outcome')
    table.timestamp('changed_at').notNullable()
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('pin')
}

/** PINs of subscribers, as hashes, with the tries that are left. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('pin', (table) => {
    table.text('msisdn').primary()
    // scrypt. Null: the PIN is only proposed so far.
    table.binary('salt')
    table.binary('hash')
    // The first entry when a PIN is chosen, until it is typed again.
    table.binary('proposed_salt')
    table.binary('proposed_hash')
    // The dialogue in which it was proposed, and the dialogue that last verified the PIN in force.
    table.text('proposed_in')
    table.text('verified_in')
    table.integer('wrong').notNullable().defaultTo(0)
    table.timestamp('locked_until')
    // The turn that was answered last, and its answer: a turn that is played again is not a second try.
    table.text('intention')
    table.text('outcome')
    table.timestamp('changed_at').notNullable()
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('pin')
}

/**
 * What the daemons of a fleet share about who is signed in at the desk: the key that signs cookies (together with the
 * hash of a token, which is not here), and sessions that were ended by a sign-out. Nothing here is of a subscriber.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('desk_key', (table) => {
    table.text('name').primary()
    table.text('key').notNullable()
    table.timestamp('made_at').notNullable()
  })
  await knex.schema.createTable('desk_sign_out', (table) => {
    table.text('session').primary()
    // When its cookie would have been over anyway.
    table.timestamp('until').notNullable().index()
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('desk_sign_out')
  await knex.schema.dropTable('desk_key')
}

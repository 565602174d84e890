/**
 * How the SMSC of a line writes message ids in receipts, as the daemons found out. `form`: what holds now. `candidate`:
 * another one that `seen` receipts in a row have shown since `since`. `confirmed_at`: when a receipt last showed `form`.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('sms_id_form', (table) => {
    table.text('line').primary()
    table.text('form').notNullable().defaultTo('same')
    table.text('candidate')
    table.integer('seen').notNullable().defaultTo(0)
    table.timestamp('since')
    table.timestamp('confirmed_at')
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('sms_id_form')
}

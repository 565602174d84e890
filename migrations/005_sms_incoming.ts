/** The last SMS of each subscriber, to distinguish a copy from a new one. No texts. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('sms_incoming', (table) => {
    table.text('msisdn').primary()
    table.text('digest').notNullable()
    table.timestamp('received_at').notNullable().index()
    // When help was last sent without a request.
    table.timestamp('helped_at')
  })
  await knex.raw('CREATE INDEX sms_outbox_left ON sms_outbox (msisdn, submitted_at)')
  await knex.schema.alterTable('dental_appointment', (table) => table.timestamp('confirmed_at'))
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('dental_appointment', (table) => table.dropColumn('confirmed_at'))
  await knex.raw('DROP INDEX sms_outbox_left')
  await knex.schema.dropTable('sms_incoming')
}

/** Into how many parts an SMS was split, what a subscriber answered to it, and whether to ask the SMSC to cancel it. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('sms_outbox', (table) => {
    table.integer('parts').notNullable().defaultTo(1)
    table.text('answered')
    // Wall clock: from this time on the SMSC is asked to cancel the SMS. Null: never.
    table.timestamp('recall_at')
  })
  await knex.raw('CREATE INDEX sms_outbox_recall ON sms_outbox (recall_at) WHERE recall_at IS NOT NULL')
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX sms_outbox_recall')
  await knex.schema.alterTable('sms_outbox', (table) => table.dropColumns('parts', 'answered', 'recall_at'))
}

/** The template and the parameters (JSON, by tag) that a request for an SMS names. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('sms_outbox', (table) => {
    table.text('template')
    table.text('tlvs')
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('sms_outbox', (table) => table.dropColumns('template', 'tlvs'))
}

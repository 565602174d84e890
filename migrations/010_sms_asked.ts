/** Finds SMS with an overdue receipt by their time of submission, among all that the SMSC has. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`CREATE INDEX sms_outbox_overdue ON sms_outbox (submitted_at) WHERE state = 'accepted'`)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX sms_outbox_overdue')
}

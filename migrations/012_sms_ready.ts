/**
 * Finds due SMS by when they may be sent, and expired SMS by when they expire. Of thousands that are due tomorrow, or
 * that wait for the end of quiet hours, no row is read before.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`CREATE INDEX sms_outbox_ready ON sms_outbox (GREATEST(due_at, wake_at), id) WHERE state = 'due'`)
  await knex.raw(`CREATE INDEX sms_outbox_expiring ON sms_outbox (expires_at) WHERE state = 'due'`)
  await knex.raw('DROP INDEX sms_outbox_due')
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`CREATE INDEX sms_outbox_due ON sms_outbox (due_at, id) WHERE state = 'due'`)
  await knex.raw('DROP INDEX sms_outbox_expiring')
  await knex.raw('DROP INDEX sms_outbox_ready')
}

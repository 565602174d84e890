/**
 * Finds due SMS by line and kind, and among those by when they may be sent: each line and kind gets its share of what
 * is claimed, and a million SMS of a line that pauses are not read to find those of another. The index of MSISDNs alone
 * goes: `sms_outbox_left` begins with them, and each change of a row costs an entry in each index.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX sms_outbox_ready')
  await knex.raw(
    `CREATE INDEX sms_outbox_ready ON sms_outbox (line, kind, GREATEST(due_at, wake_at), id) WHERE state = 'due'`,
  )
  await knex.raw('DROP INDEX sms_outbox_msisdn_index')
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('CREATE INDEX sms_outbox_msisdn_index ON sms_outbox (msisdn)')
  await knex.raw('DROP INDEX sms_outbox_ready')
  await knex.raw(`CREATE INDEX sms_outbox_ready ON sms_outbox (GREATEST(due_at, wake_at), id) WHERE state = 'due'`)
}

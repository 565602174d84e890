/**
 * The index of SMS that expire names its column in its condition, so that only the search for those uses it. Postgres
 * plans a statement once for each connection: while the outbox was small it took this index for all that asks for due
 * SMS, and later read and sorted the whole outbox for each claim. Daemons of the earlier release find what has expired
 * through `sms_outbox_ready`.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX sms_outbox_expiring')
  await knex.raw(
    `CREATE INDEX sms_outbox_expiring ON sms_outbox (expires_at) WHERE state = 'due' AND expires_at > '-infinity'`,
  )
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX sms_outbox_expiring')
  await knex.raw(`CREATE INDEX sms_outbox_expiring ON sms_outbox (expires_at) WHERE state = 'due'`)
}

/**
 * Lists SMS that were given up, of either kind, the newest first: also where a million of the other kind lie between.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.raw(
    `CREATE INDEX sms_outbox_given_up ON sms_outbox (state, settled_at, id) WHERE state IN ('failed', 'expired')`,
  )
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX sms_outbox_given_up')
}

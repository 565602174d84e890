/**
 * SMS that a flow, a back end or an application asked for under a key of its own. Unique is owner and key, whatever the
 * moment. `asked` is the moment in the words of the request, `asked_at` the same as an instant; `due_at` may differ from
 * it by quiet hours.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('sms_outbox', (table) => {
    table.text('owner')
    table.text('key')
    table.timestamp('asked_at')
    table.text('asked')
  })
  await knex.raw('CREATE UNIQUE INDEX sms_outbox_keyed ON sms_outbox (owner, key) WHERE owner IS NOT NULL')
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX sms_outbox_keyed')
  await knex.schema.alterTable('sms_outbox', (table) => table.dropColumns('owner', 'key', 'asked_at', 'asked'))
}

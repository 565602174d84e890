/**
 * Who wants no SMS of one service, and who wants those of one although all others are stopped. `service` '' is all of
 * them: what stood here before. The wish about a service goes before the one about all.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('sms_opt_out', (table) => {
    table.text('service').notNullable().defaultTo('')
    table.boolean('is_out').notNullable().defaultTo(true)
    table.dropPrimary()
  })
  await knex.schema.alterTable('sms_opt_out', (table) => void table.primary(['msisdn', 'service']))
}

/** Who wanted no SMS of one service gets none at all: nobody gets what was refused. */
export async function down(knex: Knex): Promise<void> {
  await knex.raw(`DELETE FROM sms_opt_out WHERE NOT is_out`)
  await knex.raw(
    `DELETE FROM sms_opt_out o USING sms_opt_out other WHERE other.msisdn = o.msisdn AND other.service < o.service`,
  )
  await knex.schema.alterTable('sms_opt_out', (table) => table.dropPrimary())
  await knex.schema.alterTable('sms_opt_out', (table) => {
    table.dropColumns('service', 'is_out')
    table.primary(['msisdn'])
  })
}

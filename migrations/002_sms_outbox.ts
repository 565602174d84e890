/** The SMS that we owe, the SMSC's ids for them, and receipts that came before their message was known. */
import type { Knex } from 'knex'

const STATES = ['due', 'submitting', 'ambiguous', 'accepted', 'delivered', 'failed', 'expired', 'cancelled']

export async function up(knex: Knex): Promise<void> {
  await outbox(knex)
  await knex.schema.createTable('sms_part', (table) => {
    table.bigInteger('sms').notNullable().references('id').inTable('sms_outbox').onDelete('CASCADE')
    table.integer('part').notNullable()
    table.text('line').notNullable()
    table.text('message_id').notNullable()
    table.text('message_key').notNullable()
    table.text('state').notNullable().defaultTo('accepted')
    table.primary(['sms', 'part'])
    table.index(['message_key'])
  })
  await knex.schema.createTable('sms_receipt_orphan', (table) => {
    table.bigIncrements('id')
    table.text('line').notNullable()
    table.text('message_id').notNullable()
    table.text('message_key').notNullable()
    table.text('sender').notNullable()
    table.integer('reference')
    table.text('state').notNullable()
    table.text('error').notNullable()
    table.timestamp('received_at').notNullable().index()
    table.unique(['line', 'message_key', 'sender', 'state'])
    table.index(['message_key'])
    table.index(['sender'])
  })
  await knex.schema.createTable('sms_opt_out', (table) => {
    table.text('msisdn').primary()
    table.timestamp('opted_out_at').notNullable()
  })
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['sms_opt_out', 'sms_receipt_orphan', 'sms_part', 'sms_outbox']) {
    await knex.schema.dropTable(table)
  }
}

/**
 * due_at and expires_at are moments of the calendar (which may be frozen). wake_at and the others are moments of the
 * wall clock: a lease, a back-off, or the end of the wait for a receipt.
 */
async function outbox(knex: Knex): Promise<void> {
  await knex.schema.createTable('sms_outbox', (table) => {
    table.bigIncrements('id')
    table.text('subject').notNullable()
    table.text('kind').notNullable()
    table.text('msisdn').notNullable().index()
    table.text('line').notNullable().defaultTo('')
    table.text('text').notNullable()
    table.text('quiet_zone')
    table.text('state').notNullable().defaultTo('due').checkIn(STATES, 'sms_outbox_state')
    table.timestamp('due_at').notNullable()
    table.timestamp('expires_at').notNullable()
    table.timestamp('wake_at').notNullable()
    table.text('lease')
    table.integer('attempts').notNullable().defaultTo(0)
    table.integer('losses').notNullable().defaultTo(0)
    table.integer('last_status')
    table.text('last_error')
    table.text('sent_line')
    table.timestamp('created_at').notNullable()
    table.timestamp('submitted_at')
    table.timestamp('settled_at')
    table.unique(['subject', 'kind', 'due_at'], { indexName: 'sms_outbox_once' })
  })
  await knex.raw(`CREATE INDEX sms_outbox_due ON sms_outbox (due_at, id) WHERE state = 'due'`)
  await knex.raw(`CREATE INDEX sms_outbox_open ON sms_outbox (wake_at) WHERE state IN ('submitting', 'ambiguous')`)
}

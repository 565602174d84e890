/**
 * Clinics, types, subscribers, slots, holds and appointments. The indexes, and not the code, prevent double booking.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await offer(knex)
  await subscribers(knex)
  // One booked appointment per slot, whatever the code above does.
  await knex.raw(`
    CREATE UNIQUE INDEX dental_appointment_slot_once ON dental_appointment (slot) WHERE status = 'booked'`)
}

export async function down(knex: Knex): Promise<void> {
  const tables = ['appointment', 'hold', 'slot', 'profile', 'type_name', 'type', 'clinic']
  for (const table of tables) await knex.schema.dropTable(`dental_${table}`)
}

async function offer(knex: Knex): Promise<void> {
  await knex.schema.createTable('dental_clinic', (table) => {
    table.text('id').primary()
    table.text('name').notNullable()
    table.text('zone').notNullable()
    table.integer('position').notNullable()
  })
  await knex.schema.createTable('dental_type', (table) => {
    table.text('id').primary()
    table.integer('position').notNullable()
    // How often it is due again. Null: only when needed.
    table.integer('every_days')
  })
  await knex.schema.createTable('dental_type_name', (table) => {
    table.text('type').notNullable().references('id').inTable('dental_type').onDelete('CASCADE')
    table.text('language').notNullable()
    table.text('name').notNullable()
    table.primary(['type', 'language'])
  })
  await knex.schema.createTable('dental_slot', (table) => {
    table.bigIncrements('id')
    table.text('clinic').notNullable().references('id').inTable('dental_clinic')
    table.text('type').notNullable().references('id').inTable('dental_type')
    table.timestamp('starts_at').notNullable()
    table.unique(['clinic', 'type', 'starts_at'], { indexName: 'dental_slot_once' })
    table.index(['type', 'starts_at'])
  })
}

async function subscribers(knex: Knex): Promise<void> {
  await knex.schema.createTable('dental_profile', (table) => {
    table.text('msisdn').primary()
    table.text('name').notNullable()
    table.text('language').notNullable()
    table.text('intention').unique()
    table.timestamp('created_at').notNullable()
  })
  await knex.schema.createTable('dental_hold', (table) => {
    table.bigInteger('slot').primary().references('id').inTable('dental_slot').onDelete('CASCADE')
    table.text('epoch').notNullable().index()
    table.text('msisdn').notNullable()
    table.timestamp('expires_at').notNullable().index()
  })
  await knex.schema.createTable('dental_appointment', (table) => {
    table.bigIncrements('id')
    table.text('msisdn').notNullable().references('msisdn').inTable('dental_profile').index()
    table.bigInteger('slot').notNullable().references('id').inTable('dental_slot')
    table.text('status').notNullable().defaultTo('booked').checkIn(['booked', 'cancelled'], 'dental_appointment_status')
    table.text('intention').notNullable().unique('dental_appointment_intention_once')
    table.text('cancel_intention').unique()
    table.timestamp('booked_at').notNullable()
    table.timestamp('cancelled_at')
  })
}

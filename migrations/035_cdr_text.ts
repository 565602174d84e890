/**
 * What a subscriber read and typed, word for word (`support.transcriptDays`): sealed with the key of the store, in days
 * of its own, because it is kept for a shorter time than the records. The moment of the last receipt of each part of an
 * SMS, and the ids of parts that an operator had sent again: their receipts may be repeated.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE cdr_text (
      day date NOT NULL,
      epoch text NOT NULL,
      kind text NOT NULL,
      msisdn text NOT NULL,
      sealed text NOT NULL,
      PRIMARY KEY (day, epoch, kind)
    ) PARTITION BY RANGE (day)`)
  await knex.raw('CREATE INDEX cdr_text_of ON cdr_text (msisdn)')
  await knex.raw('CREATE TABLE cdr_text_default PARTITION OF cdr_text DEFAULT')
  await knex.raw('ALTER TABLE sms_part ADD COLUMN told_at timestamptz')
  await knex.raw(`
    CREATE TABLE sms_part_before (
      sms bigint NOT NULL REFERENCES sms_outbox (id) ON DELETE CASCADE,
      line text NOT NULL,
      message_key text NOT NULL
    )`)
  await knex.raw('CREATE INDEX sms_part_before_key ON sms_part_before (message_key)')
  await knex.raw('CREATE INDEX sms_part_before_of ON sms_part_before (sms)')
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE sms_part_before')
  await knex.raw('ALTER TABLE sms_part DROP COLUMN told_at')
  await knex.raw('DROP TABLE cdr_text')
}

/**
 * Call detail records (docs/RECORDS.md): one row a dialogue, an SMS, a deferred answer, or a dial that was turned away.
 * The table is divided by day, in UTC, so that what is old goes with its partition. Daemons make the partitions of the
 * next days; what finds none goes to the default one, and is moved later.
 *
 * `sms_outbox.recorded` says whether an SMS has its record. SMS that were settled before this migration get none.
 * Daemons of the earlier release go on beside newer ones: they leave the column false, and a newer one writes the
 * record.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE cdr (
      day date NOT NULL,
      epoch text NOT NULL,
      kind text NOT NULL,
      opened_at timestamptz NOT NULL,
      ended_at timestamptz NOT NULL,
      msisdn text NOT NULL,
      line text NOT NULL,
      code text NOT NULL,
      flow text NOT NULL,
      reason text NOT NULL,
      screen text NOT NULL,
      turns integer NOT NULL,
      total_ms bigint NOT NULL,
      wait_ms bigint NOT NULL,
      backend_ms bigint NOT NULL,
      language text NOT NULL,
      channel text NOT NULL,
      instance text NOT NULL,
      path text NOT NULL,
      parts integer NOT NULL,
      detail text NOT NULL,
      written_at timestamptz NOT NULL DEFAULT now(),
      -- Null: it waits for a file of mediation. 0: it goes into none.
      file bigint,
      PRIMARY KEY (day, epoch, kind)
    ) PARTITION BY RANGE (day)`)
  await knex.raw('CREATE INDEX cdr_of ON cdr (msisdn, opened_at)')
  await knex.raw('CREATE INDEX cdr_file ON cdr (file) WHERE file IS NULL OR file <> 0')
  await knex.raw('CREATE TABLE cdr_default PARTITION OF cdr DEFAULT')
  // The default of a constant rewrites nothing, at any size of the table.
  await knex.raw('ALTER TABLE sms_outbox ADD COLUMN recorded boolean NOT NULL DEFAULT true')
  await knex.raw('ALTER TABLE sms_outbox ALTER COLUMN recorded SET DEFAULT false')
  await knex.raw(`UPDATE sms_outbox SET recorded = false WHERE state IN ('due', 'submitting', 'ambiguous')`)
  await knex.raw(`
    CREATE INDEX sms_outbox_unrecorded ON sms_outbox (state, submitted_at)
    WHERE NOT recorded AND state IN ('accepted', 'delivered', 'failed', 'expired', 'cancelled')`)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX sms_outbox_unrecorded')
  await knex.raw('ALTER TABLE sms_outbox DROP COLUMN recorded')
  await knex.raw('DROP TABLE cdr')
}

/**
 * The calls of back ends of a dialogue, in its record: which, when, and what became of each (docs/RECORDS.md). Null in
 * rows of daemons of the earlier release.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.raw('ALTER TABLE cdr ADD COLUMN calls text')
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('ALTER TABLE cdr DROP COLUMN calls')
}

/**
 * How many dialogues reached each screen of a flow, ended there and why, what was chosen, and how long it took
 * (docs/RECORDS.md): sums by five minutes, hour and day, kept by the writer of records in the transaction of the
 * records. No number of a subscriber is in it.
 *
 * Daemons of the earlier release go on beside newer ones: the records that they write are in no sum.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE flow_funnel (
      flow text NOT NULL,
      -- 300, 3600 or 86400 seconds.
      span integer NOT NULL,
      at timestamptz NOT NULL,
      revision text NOT NULL,
      -- '': the dialogues themselves.
      screen text NOT NULL,
      reached bigint NOT NULL,
      -- Sum over dialogues of how many steps came before it: what orders the screens.
      place bigint NOT NULL,
      -- Answers, by how long they took.
      times bigint[] NOT NULL,
      -- Dialogues that ended here, by reason.
      ended jsonb NOT NULL,
      -- Answers, by what was chosen.
      chosen jsonb NOT NULL,
      -- Dialogues with more steps than a record keeps.
      cut bigint NOT NULL,
      PRIMARY KEY (flow, span, at, revision, screen)
      -- Rows of the present are changed in place.
    ) WITH (fillfactor = 70)`)
  await knex.raw('CREATE INDEX flow_funnel_old ON flow_funnel (span, at)')
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE flow_funnel')
}

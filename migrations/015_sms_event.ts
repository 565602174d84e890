/**
 * What became of an SMS, for the web-hook of its owner. A trigger writes it in the transaction that changes the state:
 * whichever statement does that, nothing is told that is not so, and nothing is forgotten. Rows without a hook do not
 * reach the function.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('sms_outbox', (table) => void table.text('hook'))
  await knex.schema.createTable('sms_event', (table) => {
    table.bigIncrements('id')
    table.bigInteger('sms').notNullable().references('id').inTable('sms_outbox').onDelete('CASCADE')
    table.text('owner').notNullable()
    table.text('key').notNullable()
    table.text('kind').notNullable()
    table.text('hook').notNullable()
    table.text('event').notNullable()
    table.text('reason')
    table.timestamp('at').notNullable()
    table.timestamp('wake_at').notNullable()
    table.text('lease')
    table.integer('attempts').notNullable().defaultTo(0)
    table.index(['sms'])
    table.index(['owner', 'key', 'id'])
    table.index(['hook', 'wake_at', 'id'])
  })
  await knex.raw(`
    CREATE FUNCTION sms_event_write() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE moment timestamptz := COALESCE(NEW.settled_at, NEW.submitted_at, NEW.wake_at);
    BEGIN
      INSERT INTO sms_event (sms, owner, key, kind, hook, event, reason, at, wake_at)
      VALUES (NEW.id, NEW.owner, NEW.key, NEW.kind, NEW.hook, NEW.state, CASE WHEN NEW.state = 'failed' THEN NEW.last_error END,
        moment, moment);
      RETURN NULL;
    END $$`)
  await knex.raw(`
    CREATE TRIGGER sms_event_write AFTER UPDATE OF state ON sms_outbox FOR EACH ROW
    WHEN (NEW.hook IS NOT NULL AND NEW.key IS NOT NULL AND NEW.state <> OLD.state
      AND NEW.state IN ('accepted', 'delivered', 'failed', 'expired', 'cancelled'))
    EXECUTE FUNCTION sms_event_write()`)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TRIGGER sms_event_write ON sms_outbox')
  await knex.raw('DROP FUNCTION sms_event_write()')
  await knex.schema.dropTable('sms_event')
  await knex.schema.alterTable('sms_outbox', (table) => table.dropColumn('hook'))
}

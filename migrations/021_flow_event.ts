/**
 * The history of decisions about flows: who published, tried, rolled back or recalled what, when and why; and which
 * file each daemon took in mode `files`. Nothing here is of a subscriber.
 *
 * Daemons of the earlier release go on beside newer ones, and write no history when they decide. Two triggers write
 * what can be told from their statements. A newer daemon says in its transaction that it has written the row itself.
 * The release after this one drops both.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('flow_event', (table) => {
    // Made by the daemon: a row whose answer was lost is written again.
    table.text('id').primary().defaultTo(knex.raw(`md5(random()::text || clock_timestamp()::text)`))
    table.timestamp('at').notNullable().defaultTo(knex.fn.now())
    table.text('flow').notNullable()
    table.text('did').notNullable()
    table.text('revision')
    // What served before.
    table.text('before')
    // Of a trial, in hundredths of a per cent.
    table.integer('share')
    table.text('by').notNullable().defaultTo('')
    table.text('reason').notNullable().defaultTo('')
    table.text('instance').notNullable().defaultTo('')
    // Of a file: its path on that machine, and the SHA-256 of its octets.
    table.text('file')
    table.text('hash')
    table.index(['flow', 'at'])
    table.index(['at'])
  })
  await knex.raw(`
    CREATE FUNCTION flow_event_unwritten() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF current_setting('ussd_connector.flow_event', true) = 'written' THEN RETURN NULL; END IF;
      IF TG_TABLE_NAME = 'flow_recall' THEN
        INSERT INTO flow_event (flow, did, revision, by) VALUES (NEW.name, 'recall', NEW.revision, NEW.recalled_by);
        RETURN NULL;
      END IF;
      IF NEW.canary IS NOT NULL AND (NEW.canary, NEW.canary_share) IS DISTINCT FROM (OLD.canary, OLD.canary_share) THEN
        INSERT INTO flow_event (flow, did, revision, before, share, by, reason)
        VALUES (NEW.name, 'canary', NEW.canary, OLD.active, NEW.canary_share, NEW.changed_by, NEW.note);
      ELSIF NEW.active IS DISTINCT FROM OLD.active THEN
        INSERT INTO flow_event (flow, did, revision, before, by, reason)
        VALUES (NEW.name, 'serve', NEW.active, OLD.active, NEW.changed_by, NEW.note);
      ELSIF OLD.canary IS NOT NULL AND NEW.canary IS NULL THEN
        INSERT INTO flow_event (flow, did, revision, before, by, reason)
        VALUES (NEW.name, 'canary-end', OLD.canary, OLD.active, NEW.changed_by, NEW.note);
      END IF;
      RETURN NULL;
    END $$`)
  await knex.raw(`
    CREATE TRIGGER flow_release_unwritten AFTER UPDATE ON flow_release FOR EACH ROW
    EXECUTE FUNCTION flow_event_unwritten()`)
  await knex.raw(`
    CREATE TRIGGER flow_recall_unwritten AFTER INSERT ON flow_recall FOR EACH ROW
    EXECUTE FUNCTION flow_event_unwritten()`)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TRIGGER flow_recall_unwritten ON flow_recall')
  await knex.raw('DROP TRIGGER flow_release_unwritten ON flow_release')
  await knex.raw('DROP FUNCTION flow_event_unwritten()')
  await knex.schema.dropTable('flow_event')
}

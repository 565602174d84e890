/**
 * `due_at` is what was asked for, and `wake_at` when the SMS leaves: quiet hours move only the second. So the index of
 * due SMS is by `wake_at` alone. Daemons of the earlier release go on beside newer ones: they write into `due_at` when an
 * SMS leaves, and the present into `wake_at`. A trigger puts that right. Newer ones write no `asked_at`; the release
 * after this one drops it, with the trigger.
 */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX sms_outbox_ready')
  await knex.raw(`UPDATE sms_outbox SET wake_at = due_at WHERE state = 'due' AND due_at > wake_at`)
  await knex.raw('UPDATE sms_outbox SET due_at = asked_at WHERE asked_at IS NOT NULL AND asked_at <> due_at')
  await knex.raw(`CREATE INDEX sms_outbox_ready ON sms_outbox (line, kind, wake_at, id) WHERE state = 'due'`)
  await knex.raw(`
    CREATE FUNCTION sms_outbox_leaves() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.wake_at := NEW.due_at;
      NEW.due_at := COALESCE(NEW.asked_at, NEW.due_at);
      RETURN NEW;
    END $$`)
  await knex.raw(`
    CREATE TRIGGER sms_outbox_leaves BEFORE INSERT ON sms_outbox FOR EACH ROW
    WHEN (NEW.wake_at = NEW.created_at AND NEW.due_at > NEW.wake_at AND (NEW.asked IS NULL OR NEW.asked_at IS NOT NULL))
    EXECUTE FUNCTION sms_outbox_leaves()`)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TRIGGER sms_outbox_leaves ON sms_outbox')
  await knex.raw('DROP FUNCTION sms_outbox_leaves()')
  await knex.raw('DROP INDEX sms_outbox_ready')
  await knex.raw('UPDATE sms_outbox SET asked_at = due_at WHERE asked IS NOT NULL')
  await knex.raw(`UPDATE sms_outbox SET due_at = wake_at WHERE state = 'due' AND wake_at > created_at`)
  await knex.raw(
    `CREATE INDEX sms_outbox_ready ON sms_outbox (line, kind, GREATEST(due_at, wake_at), id) WHERE state = 'due'`,
  )
}

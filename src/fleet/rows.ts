/** The statements of `instance` and `instance_command`. Ages are by the clock of the database, which all share. */
import { statement } from '../base/index.ts'

export interface InstanceFound {
  name: string
  run: string
  version: string
  node: string
  /** Where its admin server listens, as seen from its machine. */
  admin: string
  started_at: Date
  age_ms: string
  record_form: number
  state: unknown
}

export interface CommandFound {
  id: string
  what: string
  args: unknown
  asked_by: string
}

/** `before`: the run that had this name until now. */
export const BEAT = statement<{ before: string | null }>(
  'instance-beat',
  `
  INSERT INTO instance (name, run, version, node, admin, started_at, seen_at, record_form, state)
  VALUES (CAST(:name AS text), CAST(:run AS text), CAST(:version AS text), CAST(:node AS text), CAST(:admin AS text),
    CAST(:started AS timestamptz), now(), CAST(:recordForm AS int), CAST(:state AS jsonb))
  ON CONFLICT (name) DO UPDATE SET run = excluded.run, version = excluded.version, node = excluded.node,
    admin = excluded.admin, started_at = excluded.started_at, seen_at = excluded.seen_at,
    record_form = excluded.record_form, state = excluded.state
  RETURNING (SELECT run FROM instance before WHERE before.name = CAST(:name AS text)) AS before`,
)

export const ALL_INSTANCES = statement<InstanceFound>(
  'instance-read',
  `
  SELECT name, run, version, node, admin, started_at, (extract(epoch FROM now() - seen_at) * 1000)::bigint::text AS age_ms, record_form, state
  FROM instance ORDER BY name LIMIT 200`,
)

/**
 * Whether the schema has had the column `record_form` for so long, or from the beginning (its migrations are of one
 * batch): daemons of builds that write no row of `instance` may run beside the first that migrates.
 */
export const KNOWS_RECORD_FORMS = statement<{ knows: boolean }>(
  'instance-forms',
  `
  SELECT batch = 1 OR migration_time < now() - CAST(:ms AS int) * interval '1 millisecond' AS knows
  FROM schema_migration WHERE name LIKE '037!_record!_form%' ESCAPE '!'`,
)

export const LEAVE = statement<{ name: string }>(
  'instance-leave',
  'DELETE FROM instance WHERE name = CAST(:name AS text) AND run = CAST(:run AS text) RETURNING name',
)

/** Daemons that ended without a word, a day ago: somebody knows by now. */
export const FORGET_INSTANCES = statement<{ name: string }>(
  'instance-forget',
  `DELETE FROM instance WHERE seen_at < now() - interval '1 day' RETURNING name`,
)

export const ASK = statement<{ id: string }>(
  'command-ask',
  `
  INSERT INTO instance_command (id, instance, what, args, asked_by, at)
  VALUES (CAST(:id AS text), CAST(:instance AS text), CAST(:what AS text), CAST(:args AS jsonb), CAST(:by AS text), now())
  RETURNING id`,
)

/** Its arguments do not stay: they may name a subscriber. */
export const FORGET_COMMAND = statement<{ id: string }>(
  'command-forget',
  'DELETE FROM instance_command WHERE id = CAST(:id AS text) AND taken_at IS NULL RETURNING id',
)

/**
 * A daemon that comes back later must not do what somebody wanted then. What was asked does not stay: it may name a
 * subscriber.
 */
export const TAKE_COMMANDS = statement<CommandFound>(
  'command-take',
  `
  WITH asked AS (
    SELECT id, args FROM instance_command
    WHERE instance = CAST(:name AS text) AND taken_at IS NULL AND at > now() - interval '20 seconds'
    FOR UPDATE)
  UPDATE instance_command command SET taken_at = now(), args = CAST('{}' AS jsonb)
  FROM asked WHERE command.id = asked.id
  RETURNING command.id, command.what, asked.args, command.asked_by`,
)

export const ANSWER_COMMAND = statement<{ id: string }>(
  'command-answer',
  `
  UPDATE instance_command SET done_at = now(), result = CAST(:result AS jsonb) WHERE id = CAST(:id AS text) RETURNING id`,
)

export const COMMAND_RESULT = statement<{ taken: boolean; done: boolean; result: unknown }>(
  'command-result',
  `
  SELECT taken_at IS NOT NULL AS taken, done_at IS NOT NULL AS done, result FROM instance_command
  WHERE id = CAST(:id AS text)`,
)

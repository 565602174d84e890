/** The statements of `alarm_held` and `alarm_told`. Times are by the clock of the database, which all daemons share. */
import { statement } from '../base/index.ts'

/** This daemon sees it, too. Told is only what no other living daemon saw before. */
export const HOLD_ALARM = statement<{ id: string }>(
  'alarm-hold',
  `
  WITH held AS (
    INSERT INTO alarm_held AS a (key, condition, since, holders)
    VALUES (CAST(:key AS text), CAST(:condition AS jsonb), CAST(:since AS timestamptz), ARRAY[CAST(:name AS text)])
    ON CONFLICT (key) DO UPDATE SET holders = array_append(array_remove(a.holders, CAST(:name AS text)), CAST(:name AS text))
    RETURNING holders)
  INSERT INTO alarm_told (body, at, wake_at)
  SELECT CAST(:body AS jsonb), now(), now() FROM held WHERE NOT EXISTS (
    SELECT FROM unnest(holders) AS holder
    WHERE holder <> CAST(:name AS text)
      AND holder IN (SELECT name FROM instance WHERE seen_at > now() - interval '15 seconds'))
  RETURNING id`,
)

/** It is over for this daemon. Told is what no other living daemon still sees. */
export const DROP_ALARM = statement<{ id: string }>(
  'alarm-drop',
  `
  WITH gone AS (
    DELETE FROM alarm_held WHERE key = CAST(:key AS text) AND NOT EXISTS (
      SELECT FROM unnest(holders) AS holder
      WHERE holder <> CAST(:name AS text)
        AND holder IN (SELECT name FROM instance WHERE seen_at > now() - interval '15 seconds'))
    RETURNING key)
  INSERT INTO alarm_told (body, at, wake_at) SELECT CAST(:body AS jsonb), now(), now() FROM gone
  RETURNING id`,
)

export const LEAVE_ALARM = statement<{ key: string }>(
  'alarm-leave',
  `
  UPDATE alarm_held SET holders = array_remove(holders, CAST(:name AS text)) WHERE key = CAST(:key AS text)
  RETURNING key`,
)

/** To the web-hook, without a look at who sees it. */
export const PUT_ALARM = statement<{ id: string }>(
  'alarm-put',
  'INSERT INTO alarm_told (body, at, wake_at) VALUES (CAST(:body AS jsonb), now(), now()) RETURNING id',
)

export interface HeldAlarm {
  key: string
  condition: unknown
  since: Date
}

/** Those that this daemon saw when it ended. */
export const HELD_ALARMS = statement<HeldAlarm>(
  'alarm-held',
  'SELECT key, condition, since FROM alarm_held WHERE CAST(:name AS text) = ANY(holders) ORDER BY key LIMIT 1000',
)

/** Of daemons that nobody has seen for a day. */
export const FORGET_ALARMS = statement<{ key: string }>(
  'alarm-forget',
  `
  DELETE FROM alarm_held WHERE since < now() - interval '1 day' AND NOT EXISTS (
    SELECT FROM unnest(holders) AS holder WHERE holder IN (SELECT name FROM instance))
  RETURNING key`,
)

export interface ToldAlarm {
  id: string
  body: Record<string, unknown>
  age_ms: number
  attempts: number
}

/** The oldest, if it is due: alarms are told in order, one at a time over all daemons. */
export const CLAIM_ALARM = statement<ToldAlarm>(
  'alarm-claim',
  `
  UPDATE alarm_told SET lease = CAST(:lease AS text), attempts = attempts + 1,
    wake_at = now() + CAST(:lease_ms AS int) * interval '1 millisecond'
  WHERE id = (SELECT id FROM alarm_told ORDER BY id LIMIT 1) AND wake_at <= now()
  RETURNING id, body, CAST(extract(epoch FROM now() - at) * 1000 AS float8) AS age_ms, attempts`,
)

export const TAKE_ALARM = statement<{ id: string }>(
  'alarm-take',
  'DELETE FROM alarm_told WHERE id = CAST(:id AS bigint) AND lease = CAST(:lease AS text) RETURNING id',
)

export const WAKE_ALARM = statement<{ id: string }>(
  'alarm-wake',
  `
  UPDATE alarm_told SET lease = NULL, wake_at = now() + CAST(:ms AS int) * interval '1 millisecond'
  WHERE id = CAST(:id AS bigint) AND lease = CAST(:lease AS text) RETURNING id`,
)

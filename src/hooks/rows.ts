/** The statements of `sms_event`: what became of SMS, until their web-hooks have taken it. A trigger writes the rows. */
import { statement } from '../base/index.ts'

export interface EventRow {
  /** Grows with each event of one key. */
  id: string
  event: 'accepted' | 'delivered' | 'failed' | 'expired' | 'cancelled'
  reason: string | null
  at: Date
  /** Including this one. */
  attempts: number
  owner: string
  key: string
  kind: string
}

/** Leases due events. An event waits until all earlier ones of its key are gone: they are told in order. */
export const CLAIM_EVENTS = statement<EventRow>(
  'hook-claim',
  `
  WITH pick AS (
    SELECT id FROM sms_event e WHERE hook = CAST(:hook AS text) AND wake_at <= CAST(:now AS timestamptz)
      AND NOT EXISTS (
        SELECT FROM sms_event before WHERE before.owner = e.owner AND before.key = e.key AND before.id < e.id)
    ORDER BY wake_at, id LIMIT CAST(:limit AS int) FOR UPDATE SKIP LOCKED
  )
  UPDATE sms_event e SET lease = CAST(:lease AS text), wake_at = CAST(:until AS timestamptz), attempts = e.attempts + 1
  WHERE id = ANY(ARRAY(SELECT id FROM pick))
  RETURNING id, event, reason, at, attempts, owner, key, kind`,
)

/** They are told, or given up. */
export const DROP_EVENTS = statement<{ id: string }>(
  'hook-drop',
  `
  DELETE FROM sms_event WHERE id = ANY(CAST(:ids AS bigint[])) AND lease = CAST(:lease AS text) RETURNING id`,
)

/** To be tried again, each at its moment of `:wakes`. */
export const WAKE_EVENTS = statement<{ id: string }>(
  'hook-wake',
  `
  UPDATE sms_event e SET lease = NULL, wake_at = late.wake
  FROM unnest(CAST(:ids AS bigint[]), CAST(:wakes AS timestamptz[])) AS late(id, wake)
  WHERE e.id = late.id AND e.lease = CAST(:lease AS text)
  RETURNING e.id`,
)

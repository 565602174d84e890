/** What an operator does with one SMS: has it sent again, or takes it back. Whose it is does not matter. */
import { nextState } from '../../../machines/reminder.ts'
import { statement, type Sql } from '../../base/index.ts'
import { CANCEL_HELD, cancelledAs, statesFor, type Cancelled } from '../outbox/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { SMS_ERRORS } from '../terms/index.ts'

interface Before {
  state: string
  msisdn: string
  kind: string
  error: string | null
  losses: number
  expires_at: Date
}

/**
 * due: it leaves again · twice: the handset may have it already, and that was not accepted · past: its time is over,
 * and no other was given · due-already: it leaves anyway · too-late: the SMSC has it, or it was taken back · none:
 * there is no such SMS.
 */
export type Retried =
  | ({ is: 'due' | 'twice' | 'past' | 'due-already' | 'too-late' } & Pick<Before, 'state' | 'msisdn'>)
  | { is: 'none' }

export interface RetryHow {
  /** It may arrive twice, and that is accepted. */
  mayBeTwice: boolean
  /** From now on it is of use for so long. Null: as it was. */
  forMs: number | null
}

const HEARS_RETRY = statesFor({ type: 'RETRY' })

const LOOK = statement<Before>(
  'sms-before-retry',
  `
  SELECT state, msisdn, kind, last_error AS error, losses, expires_at FROM sms_outbox
  WHERE id = CAST(:id AS bigint) FOR UPDATE`,
)

/**
 * Its tries are counted from the start; its losses are not: if it is lost once more, it is given up. The parts of which
 * a receipt said that they failed are sent again, those that the SMSC has are not. The ids of the first are kept,
 * because that receipt may be repeated.
 */
const RETRY = statement<{ id: string }>(
  'sms-retry',
  `
  WITH parts AS (
    DELETE FROM sms_part WHERE sms = CAST(:id AS bigint) AND state = 'failed' RETURNING sms, line, message_key
  ), before AS (
    INSERT INTO sms_part_before (sms, line, message_key) SELECT sms, line, message_key FROM parts WHERE message_key <> ''
  )
  UPDATE sms_outbox SET state = '${nextState('failed', { type: 'RETRY' })}', lease = NULL, attempts = 0, settled_at = NULL, recorded = false,
    recall_at = NULL, wake_at = CAST(:now AS timestamptz), expires_at = COALESCE(CAST(:expires AS timestamptz), expires_at)
  WHERE id = CAST(:id AS bigint) AND state IN (${HEARS_RETRY})
  RETURNING id`,
)

/** Whether the handset may have it although nobody said so: it was sent, and the SMSC did not answer. */
const mayBeThere = ({ state, error }: Before) => state === 'ambiguous' || error === SMS_ERRORS.lostTwice

/** Rejects if Postgres is unreachable. */
export function retrySms(sql: Sql, clock: Clock, id: string, { mayBeTwice, forMs }: RetryHow): Promise<Retried> {
  return sql.transaction(async (trx): Promise<Retried> => {
    const [before] = await LOOK(trx, { id })
    if (!before) return { is: 'none' }
    const { state, msisdn, expires_at: expires } = before
    if (state === 'due' || state === 'submitting') return { is: 'due-already', state, msisdn }
    if (nextState(before.state as 'failed', { type: 'RETRY' }) !== 'due') return { is: 'too-late', state, msisdn }
    if (mayBeThere(before) && !mayBeTwice) return { is: 'twice', state, msisdn }
    if (forMs === null && expires.getTime() <= clock.today()) return { is: 'past', state, msisdn }
    const until = forMs === null ? null : new Date(clock.today() + forMs)
    await RETRY(trx, { id, now: new Date(clock.now()), expires: until })
    return { is: 'due', state, msisdn }
  })
}

const CANCEL_ONE = statement<{ before: string; line: string; is_done: boolean; msisdn: string }>(
  'sms-cancel-one',
  CANCEL_HELD('id = CAST(:id AS bigint)'),
)

/** As its owner would: see `Cancelled`. `manages`: whether SMS of this line can be cancelled at its SMSC. */
export async function cancelOne(
  sql: Sql,
  id: string,
  { clock, manages }: { clock: Clock; manages(line: string): boolean },
): Promise<{ is: Cancelled; msisdn?: string }> {
  const [row] = await CANCEL_ONE(sql, { id, now: new Date(clock.now()) })
  return { is: cancelledAs(row, manages), ...(row ? { msisdn: row.msisdn } : {}) }
}

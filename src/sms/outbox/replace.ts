/** Replaces the text of an SMS in the outbox or at the SMSC: in place, or by a new SMS. */
import { type SqlRunner, statement } from '../../base/index.ts'
import type { RecallOutcome, SmsReplace, SmsToRecall } from '../terms/index.ts'
import { OWNER, RECALLED } from './rows.ts'
import type { OutboxDeps } from './settings.ts'

/**
 * changed: it had not been sent · replaced: the SMSC has the new text · sent-anew: the SMSC discarded the old one, and
 * the new one is owed · too-late: it is delivered, failed or cancelled · busy: it is being sent, try again · unknown:
 * there was no response, so the text is uncertain · off: the line does not manage SMS · none: there is no such SMS.
 */
export type Replaced = 'changed' | 'replaced' | 'sent-anew' | 'too-late' | 'busy' | 'unknown' | 'off' | 'none'

/** No part of it was sent or is about to be sent. */
const CHANGE_DUE = statement<{ id: string }>(
  'sms-change-due',
  `
  UPDATE sms_outbox o SET text = CAST(:text AS text), parts = 1, lease = NULL
  WHERE id = CAST(:id AS bigint) AND state = 'due' AND (lease IS NULL OR wake_at <= CAST(:now AS timestamptz))
    AND NOT EXISTS (SELECT FROM sms_part p WHERE p.sms = o.id)
  RETURNING id`,
)

interface HeldRow {
  state: string
  msisdn: string
  owner: string
  line: string
  text: string
  parts: number
  message_ids: string[]
}

/** An SMS, and the message ids under which its SMSC has it. */
export const HELD = statement<HeldRow>(
  'sms-held',
  `
  SELECT state, msisdn, ${OWNER} AS owner, COALESCE(sent_line, line) AS line, text, parts, ARRAY(
    SELECT message_id FROM sms_part p WHERE p.sms = o.id AND p.state = 'accepted' AND p.message_id <> '' ORDER BY part) AS message_ids
  FROM sms_outbox o WHERE id = CAST(:id AS bigint)`,
)

const REPLACED = statement<{ id: string }>(
  'sms-replaced',
  `
  UPDATE sms_outbox SET text = CAST(:text AS text) WHERE id = CAST(:id AS bigint) RETURNING id`,
)

/**
 * The same SMS with another text. It was due already, and its kind and moment are unique. It respects quiet hours. Its
 * `wake_at` is just before it was made: where both are the same, the trigger of migration 020 takes it for one of an
 * earlier release.
 */
const OWE_ANEW = statement<{ id: string }>(
  'sms-owe-anew',
  `
  INSERT INTO sms_outbox (subject, kind, msisdn, line, text, quiet_zone, template, tlvs, due_at, expires_at, wake_at, created_at)
  SELECT subject, kind, msisdn, line, CAST(:text AS text), quiet_zone, template, tlvs, due_at - interval '1 millisecond', expires_at,
    CAST(:now AS timestamptz) - interval '1 millisecond', CAST(:now AS timestamptz)
  FROM sms_outbox WHERE id = CAST(:id AS bigint)
  RETURNING id`,
)

export interface Replacing {
  /** Rejects if Postgres is unreachable. */
  replace(id: string, text: string): Promise<Replaced>
}

/** What can be done with an SMS that its SMSC has. */
export interface AtSmsc {
  replace: SmsReplace
  recall(sms: SmsToRecall): Promise<RecallOutcome>
}

export interface ReplacingDeps extends Pick<OutboxDeps, 'sql' | 'clock' | 'counters'>, AtSmsc {}

export function smsReplacing(deps: ReplacingDeps): Replacing {
  const { sql, clock, counters } = deps

  async function replaced(id: string, text: string): Promise<Replaced> {
    const [changed] = await CHANGE_DUE(sql, { id, text, now: new Date(clock.now()) })
    if (changed) return 'changed'
    const [row] = await HELD(sql, { id })
    if (!row) return 'none'
    if (['due', 'submitting', 'ambiguous'].includes(row.state)) return 'busy'
    const isWhole = row.message_ids.length === row.parts
    if (row.state !== 'accepted' || !isWhole) return 'too-late'
    const { msisdn, owner, line, message_ids: messageIds } = row
    const is =
      row.parts > 1
        ? 'unfit'
        : await deps.replace({ msisdn, owner, line, messageId: messageIds[0]!, before: row.text, text })
    if (is === 'off' || is === 'unknown') return is
    if (is === 'unsent') return 'busy'
    if (is === 'replaced') return (await REPLACED(sql, { id, text })).length ? 'replaced' : 'none'
    return instead(id, text, await deps.recall({ msisdn, owner, line, messageIds }))
  }

  /** Parts that the SMSC cancelled are sent again. The others are delivered, or nearly. */
  async function instead(id: string, text: string, recalled: RecallOutcome): Promise<Replaced> {
    if (recalled === 'off') return 'off'
    if (recalled !== 'gone') return recalled === 'unsent' ? 'busy' : 'too-late'
    const now = new Date(clock.now())
    await sql.transaction(async (trx: SqlRunner) => {
      await OWE_ANEW(trx, { id, text, now })
      await RECALLED(trx, { id, gone: true, again: null, now })
    })
    return 'sent-anew'
  }

  return {
    async replace(id, text) {
      const result = await replaced(id, text)
      counters.count('sms_replaced_total', { result })
      return result
    },
  }
}

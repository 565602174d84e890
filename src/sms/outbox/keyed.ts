/**
 * SMS under a key of their owner: put, put again with another text or moment, cancelled. Two requests at once make one
 * SMS, because owner and key are unique.
 */
import { statement, type SqlRunner } from '../../base/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { statesFor } from './rows.ts'
import { wallMs } from './statements.ts'

export interface KeyedSms {
  /** Who asked: a token, a back end or a flow. Nobody touches the SMS of another. */
  owner: string
  /** The owner's name of the SMS. */
  key: string
  kind: string
  msisdn: string
  /** '' for any line. */
  line: string
  text: string
  /** The moment in the words of the request: the same request has the same. */
  asked: string
  /** The same as an instant. */
  dueMs: number
  /** When it leaves: quiet hours may have moved it. */
  leavesMs: number
  expiresMs: number
  /** Null: it has no quiet hours when it leaves. */
  quietZone: string | null
  /** The web-hook that is told what becomes of it. */
  hook: string | null
  /** The registered template of its text. */
  template?: string | undefined
  /** Parameters of the operator or the regulator, by tag, as JSON. */
  tlvs?: string | undefined
}

/**
 * accepted: it is owed · known: the same was asked before · replaced: it had not left, and is now as asked ·
 * too-late: it has left with another content · busy: it is leaving now.
 */
export type Put = { is: 'accepted' | 'known' | 'replaced' | 'too-late' | 'busy'; id: string; state: string }

interface PutRow {
  id: string
  before: string | null
  is_same: boolean | null
  is_kept: boolean
}

const REUSABLE = `'cancelled', 'expired'`

/** What an earlier request under the key is compared with. */
const SAME = `old.msisdn = CAST(:msisdn AS text) AND old.text = CAST(:text AS text)
  AND old.asked = CAST(:words AS text) AND old.kind = CAST(:kind AS text)
  AND old.template IS NOT DISTINCT FROM CAST(:template AS text) AND old.tlvs IS NOT DISTINCT FROM CAST(:tlvs AS text)`

const PUT = statement<PutRow>(
  'sms-put',
  `
  WITH old AS (
    SELECT id, state, msisdn, text, asked, kind, template, tlvs FROM sms_outbox
    WHERE owner = CAST(:owner AS text) AND key = CAST(:key AS text)
  ), kept AS (
    INSERT INTO sms_outbox AS o (owner, key, subject, kind, msisdn, line, text, quiet_zone, hook, template, tlvs, asked,
      due_at, expires_at, wake_at, created_at)
    SELECT CAST(:owner AS text), CAST(:key AS text), CAST(:subject AS text), CAST(:kind AS text),
      CAST(:msisdn AS text), CAST(:line AS text), CAST(:text AS text), CAST(:zone AS text), CAST(:hook AS text),
      CAST(:template AS text), CAST(:tlvs AS text), CAST(:words AS text),
      CAST(:due AS timestamptz), CAST(:expires AS timestamptz), CAST(:leaves AS timestamptz), CAST(:now AS timestamptz)
    WHERE NOT EXISTS (SELECT FROM old WHERE state NOT IN (${REUSABLE}) AND ${SAME})
    ON CONFLICT (owner, key) WHERE owner IS NOT NULL DO UPDATE SET
      kind = EXCLUDED.kind, msisdn = EXCLUDED.msisdn, line = EXCLUDED.line, text = EXCLUDED.text,
      quiet_zone = EXCLUDED.quiet_zone, hook = EXCLUDED.hook, template = EXCLUDED.template,
      tlvs = EXCLUDED.tlvs, asked = EXCLUDED.asked, due_at = EXCLUDED.due_at,
      expires_at = EXCLUDED.expires_at, wake_at = EXCLUDED.wake_at, state = 'due', lease = NULL, attempts = 0,
      losses = 0, parts = 1, sent_line = NULL, recall_at = NULL, settled_at = NULL, submitted_at = NULL,
      recorded = false
    WHERE (o.state IN (${REUSABLE})
        OR (o.state = 'due' AND (o.lease IS NULL OR o.wake_at <= CAST(:now AS timestamptz))))
      AND NOT EXISTS (SELECT FROM sms_part p WHERE p.sms = o.id)
    RETURNING o.id
  )
  SELECT COALESCE(kept.id, old.id) AS id, old.state AS before, ${SAME} AS is_same, kept.id IS NOT NULL AS is_kept
  FROM (SELECT 1) one LEFT JOIN old ON true LEFT JOIN kept ON true`,
)

/** Durable when it resolves. */
export async function putSms(sql: SqlRunner, sms: KeyedSms, clock: Clock): Promise<Put> {
  const { owner, key, kind, msisdn, line, text, quietZone } = sms
  const [row] = await PUT(sql, {
    owner,
    key,
    subject: `${owner}/${key}`,
    kind,
    msisdn,
    line,
    text,
    zone: quietZone,
    hook: sms.hook,
    template: sms.template ?? null,
    tlvs: sms.tlvs ?? null,
    words: sms.asked,
    due: new Date(sms.dueMs),
    leaves: new Date(wallMs(sms.leavesMs, clock)),
    expires: new Date(sms.expiresMs),
    now: new Date(clock.now()),
  })
  const { id, before, is_same: isSame, is_kept: isKept } = row!
  const is = said({ before, isSame: isSame === true, isKept })
  return { is, id, state: is === 'accepted' || is === 'replaced' ? 'due' : (before ?? 'due') }
}

function said({ before, isSame, isKept }: { before: string | null; isSame: boolean; isKept: boolean }): Put['is'] {
  if (isKept) return before === 'due' ? 'replaced' : 'accepted'
  if (isSame) return 'known'
  return before === 'submitting' || before === 'due' ? 'busy' : 'too-late'
}

/**
 * cancelled: it does not leave · recalled: the SMSC has it, and is asked to discard it · too-late: it is at the
 * handset, or on the way to it · none: there is no such SMS.
 */
export type Cancelled = 'cancelled' | 'recalled' | 'too-late' | 'none'

const UNLEFT = statesFor({ type: 'CANCEL' })
const AT_SMSC = `${statesFor({ type: 'RECALLED' })}, 'submitting'`

interface CancelRow {
  before: string
  line: string
  is_done: boolean
}

/** Cancels the SMS of this condition, or marks it for cancelling at its SMSC. `:now` is the wall clock. */
export const CANCEL_HELD = (which: string) => `
  WITH old AS (
    SELECT id, state, msisdn, COALESCE(sent_line, line) AS line FROM sms_outbox WHERE ${which} FOR UPDATE
  ), done AS (
    UPDATE sms_outbox o SET
      state = CASE WHEN old.state IN (${UNLEFT}) THEN 'cancelled' ELSE o.state END,
      lease = CASE WHEN old.state IN (${UNLEFT}) THEN NULL ELSE o.lease END,
      settled_at = CASE WHEN old.state IN (${UNLEFT}) THEN CAST(:now AS timestamptz) ELSE o.settled_at END,
      recall_at = CASE WHEN old.state IN (${UNLEFT}) THEN NULL ELSE CAST(:now AS timestamptz) END
    FROM old WHERE o.id = old.id AND old.state IN (${UNLEFT}, ${AT_SMSC})
    RETURNING o.id
  )
  SELECT old.state AS before, old.line, old.msisdn, done.id IS NOT NULL AS is_done FROM old LEFT JOIN done USING (id)`

const CANCEL_KEYED = statement<CancelRow>(
  'sms-cancel-keyed',
  CANCEL_HELD('owner = CAST(:owner AS text) AND key = CAST(:key AS text)'),
)

/** What became of it. `manages`: whether SMS of this line can be cancelled at its SMSC. */
export function cancelledAs(row: CancelRow | undefined, manages: (line: string) => boolean): Cancelled {
  if (!row) return 'none'
  if (row.before === 'cancelled') return 'cancelled'
  if (!row.is_done) return 'too-late'
  if (row.before === 'due') return 'cancelled'
  // Of an ambiguous one nobody knows whether the SMSC has it; it is not tried again.
  return row.before !== 'ambiguous' && manages(row.line) ? 'recalled' : 'too-late'
}

/** `manages`: whether SMS of this line can be cancelled at its SMSC. */
export async function cancelSms(
  sql: SqlRunner,
  { owner, key }: Pick<KeyedSms, 'owner' | 'key'>,
  { clock, manages }: { clock: Clock; manages(line: string): boolean },
): Promise<Cancelled> {
  const [row] = await CANCEL_KEYED(sql, { owner, key, now: new Date(clock.now()) })
  return cancelledAs(row, manages)
}

export interface KeyedRow {
  id: string
  kind: string
  state: string
  due_at: Date
  wake_at: Date
  submitted_at: Date | null
  settled_at: Date | null
}

const OF_KEY = statement<KeyedRow>(
  'sms-of-key',
  `
  SELECT id, kind, state, due_at, wake_at, submitted_at, settled_at FROM sms_outbox
  WHERE owner = CAST(:owner AS text) AND key = CAST(:key AS text)`,
)

/** Undefined: there is no such SMS. */
export async function findSms(sql: SqlRunner, owner: string, key: string): Promise<KeyedRow | undefined> {
  const [row] = await OF_KEY(sql, { owner, key })
  return row
}

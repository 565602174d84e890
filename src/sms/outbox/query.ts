/**
 * SMS with an overdue receipt: we ask the SMSC about them, with growing pauses. Its answer settles them like a receipt.
 */
import { statement } from '../../base/index.ts'
import { unsentMs, type QueryOutcome, type SmsQuery } from '../terms/index.ts'
import { applyState } from '../receipts/index.ts'
import { OWNER } from './rows.ts'
import type { OutboxDeps } from './settings.ts'

/** How to ask on one line. */
export interface QueryLine {
  line: string
  /** A receipt is overdue after this. */
  afterMs: number
  /** How many SMS per look. */
  limit: number
}

export interface Queries {
  /** One look at one line, one request after the other. Rejects if Postgres is unreachable. */
  look(line: QueryLine): Promise<void>
}

/** After this time we stop asking: SMSCs rarely try a message, or remember it, for longer. */
const QUERY_UNTIL_MS = 3 * 24 * 3_600_000
/** If the SMSC does not know the operation, or does not answer it, we ask nothing on that line for this long. */
export const QUERY_REST_MS = 3_600_000

interface OverdueRow {
  id: string
  msisdn: string
  owner: string
  parts: { part: number; message_id: string }[]
}

/** Each question waits twice as long as the one before: seven questions if the first wait was an hour. */
const OVERDUE = statement<OverdueRow>(
  'sms-overdue',
  `
  WITH pick AS (
    SELECT id FROM sms_outbox o
    WHERE state = 'accepted' AND submitted_at > CAST(:since AS timestamptz) AND submitted_at <= CAST(:before AS timestamptz)
      AND wake_at <= CAST(:now AS timestamptz) AND COALESCE(sent_line, line) = :line AND recall_at IS NULL
      AND EXISTS (SELECT FROM sms_part p WHERE p.sms = o.id AND p.state = 'accepted' AND p.message_id <> '')
    ORDER BY submitted_at, id LIMIT CAST(:limit AS int) FOR UPDATE SKIP LOCKED
  )
  UPDATE sms_outbox o SET wake_at = CAST(:now AS timestamptz) + (CAST(:now AS timestamptz) - o.submitted_at)
  FROM pick WHERE o.id = pick.id
  RETURNING o.id, o.msisdn, ${OWNER} AS owner, (SELECT jsonb_agg(jsonb_build_object('part', part, 'message_id', message_id) ORDER BY part)
    FROM sms_part p WHERE p.sms = o.id AND p.state = 'accepted' AND p.message_id <> '') AS parts`,
)

const ASK_AT = statement(
  'sms-ask-at',
  `
  UPDATE sms_outbox SET wake_at = CAST(:wake AS timestamptz) WHERE id = CAST(:id AS bigint) AND state = 'accepted'`,
)

export function smsQueries(deps: OutboxDeps, query: SmsQuery): Queries {
  const { sql, clock, counters, log } = deps
  const restingUntil = new Map<string, number>()

  async function ask(line: string, row: OverdueRow): Promise<QueryOutcome['is']> {
    let last: QueryOutcome['is'] = 'said'
    for (const { part, message_id: messageId } of row.parts) {
      const outcome = await query({ msisdn: row.msisdn, owner: row.owner, line, messageId })
      const said = { line, messageId, from: row.msisdn }
      const isNew = outcome.is === 'said' && (await applyState(deps, { sms: row.id, part }, { ...said, ...outcome }))
      const result = outcome.is !== 'said' ? outcome.is : isNew ? 'settled' : 'pending'
      counters.count('sms_queries_total', { line, result })
      last = outcome.is
      if (last === 'unsupported' || last === 'later' || last === 'unsent') return last
    }
    return last
  }

  return {
    async look({ line, afterMs, limit }) {
      const nowMs = clock.now()
      if ((restingUntil.get(line) ?? 0) > nowMs) return
      const rows = await OVERDUE(sql, {
        line,
        limit,
        now: new Date(nowMs),
        before: new Date(nowMs - afterMs),
        since: new Date(nowMs - QUERY_UNTIL_MS),
      })
      rows.sort((a, b) => Number(a.id) - Number(b.id))
      for (const [n, row] of rows.entries()) {
        const is = await ask(line, row)
        // If the SMSC does not know the message now, it will not know it later.
        if (is === 'unknown') await ASK_AT(sql, { id: row.id, wake: new Date(nowMs + QUERY_UNTIL_MS) })
        if (is !== 'unsupported' && is !== 'later' && is !== 'unsent') continue
        if (is === 'unsupported') {
          restingUntil.set(line, clock.now() + QUERY_REST_MS)
          log.warn(
            { line, restMs: QUERY_REST_MS },
            'the SMSC does not answer query_sm: remove sms.queryMs from this line',
          )
        }
        const wake = new Date(clock.now() + (is === 'unsupported' ? QUERY_REST_MS : unsentMs(deps.chance)))
        for (const { id } of rows.slice(n)) await ASK_AT(sql, { id, wake })
        return
      }
    },
  }
}

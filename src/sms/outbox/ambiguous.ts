/** SMS that were sent without a response: settled by a late response, by a receipt, or by giving up. */
import { nextState, type ReminderState } from '../../../machines/reminder.ts'
import type { SqlRunner } from '../../base/index.ts'
import { STATE_OF, applyToPart, storeParts, takeReceiptOf } from '../receipts/index.ts'
import { SMS_ERRORS, afterGrace, afterLateRefusal, type SmsOutcome } from '../terms/index.ts'
import { HOLD, RESOLVE, type OpenRow } from './rows.ts'
import type { OutboxDeps } from './settings.ts'

/** A request for an SMS, or for one part of it, as a line knows it. */
export interface LateSms {
  id: string
  line: string
  /** From 1. Default 1. */
  part?: number
}

/**
 * A receipt settles it. Without one, after the grace, the missing parts are tried once more, or the SMS is given up.
 * Returns the result, or null while it waits.
 */
export async function reconcile(deps: OutboxDeps, row: OpenRow): Promise<ReminderState | 'retried' | null> {
  const { sql, clock } = deps
  return sql.transaction(async (trx) => {
    const found = await takeReceiptOf(deps, trx, row)
    if (found) {
      // The receipt may have come over another line to the same SMSC.
      const taken = { line: row.line || found.line, part: missing(row)[0] ?? 1, messageId: found.messageId }
      const state = await take(deps, trx, row, taken)
      for (const receipt of found.receipts) {
        const part = { sms: row.id, part: taken.part, kind: row.kind, msisdn: row.msisdn, attempts: row.attempts }
        if (state) await applyToPart(deps, trx, { ...part, part_state: 'accepted', state }, receipt)
      }
      const [settled] = await STATE_OF(trx, { sms: row.id })
      return state === 'due' ? 'retried' : settled!.state
    }
    if (row.wake_at.getTime() > clock.now()) return null
    const state = nextState(row.state, afterGrace(row.losses))
    const done = await resolve(deps, trx, row, { state, error: SMS_ERRORS.lostTwice })
    return done && (state === 'due' ? 'retried' : state)
  })
}

/** True if the late response changed a waiting SMS. */
export async function settleLate(deps: OutboxDeps, late: LateSms, outcome: SmsOutcome): Promise<boolean> {
  if (outcome.is === 'ambiguous' || outcome.is === 'unsent') return false
  return deps.sql.transaction(async (trx) => {
    const [row] = await HOLD(trx, { id: late.id })
    if (!row) return false
    if (outcome.is === 'accepted') {
      const part = late.part ?? 1
      if (row.taken.includes(part)) return false
      return (await take(deps, trx, row, { line: late.line, part, messageId: outcome.messageIds[0] ?? '' })) !== null
    }
    const { event, waitMs } = afterLateRefusal(outcome, row.losses, deps.chance)
    const state = nextState(row.state, event)
    const { status } = outcome
    return (await resolve(deps, trx, row, { state, error: SMS_ERRORS.refusedLate, status, waitMs })) !== null
  })
}

interface TakenPart {
  line: string
  part: number
  messageId: string
}

/** The SMSC accepted one more part: now either all parts are accepted, or the rest is due. */
async function take(deps: OutboxDeps, trx: SqlRunner, row: OpenRow, taken: TakenPart): Promise<ReminderState | null> {
  const isLast = missing(row).every((part) => part === taken.part)
  const state = nextState(row.state, isLast ? { type: 'ACCEPTED' } : { type: 'LATER', mayRetry: true })
  const done = await resolve(deps, trx, row, { state, error: null })
  const messageIds = Array.from({ length: row.parts }, (_, i) => (i + 1 === taken.part ? taken.messageId : null))
  if (done) await storeParts(deps, trx, { id: row.id, line: taken.line, messageIds })
  return done
}

interface Resolution {
  state: ReminderState
  /** The error of a failure. */
  error: string | null
  status?: number
  waitMs?: number
}

async function resolve(
  { clock, givenUp }: OutboxDeps,
  trx: SqlRunner,
  row: OpenRow,
  { state, error, status, waitMs = 0 }: Resolution,
): Promise<ReminderState | null> {
  const now = new Date(clock.now())
  const isFinal = state === 'failed' || state === 'delivered'
  const [done] = await RESOLVE(trx, {
    id: row.id,
    state,
    now,
    wake: new Date(clock.now() + waitMs),
    error: state === 'failed' ? error : null,
    final: isFinal,
  })
  if (done && state === 'failed') givenUp?.({ ...row, state, error, status: status ?? null })
  return done ? state : null
}

function missing(row: Pick<OpenRow, 'parts' | 'taken'>): number[] {
  return Array.from({ length: row.parts }, (_, i) => i + 1).filter((part) => !row.taken.includes(part))
}

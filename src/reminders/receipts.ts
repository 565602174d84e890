/** What receipts do to the outbox: matched by line and message id, kept for a day when nobody knows the id yet. */
import type { Knex } from 'knex'
import { nextState, type ReminderEvent, type ReminderState } from '../../machines/reminder.ts'
import { repeating } from '../sql.ts'
import { AS_IS, messageKey } from './message-id.ts'
import type { ReminderParts } from './settings.ts'
import type { PartIds, Receipt } from './types.ts'

/** matched: it told something new · repeat: it did not · orphan: kept until somebody knows its id. */
export type ReceiptResult = 'matched' | 'repeat' | 'orphan'

/** How long a lost attempt may still be the one that a receipt is about. */
const RIVAL = `interval '1 day'`

/** Of a part whose id names nothing: no receipt will be matched by it. */
const NO_KEY = ''

export type PartState = 'accepted' | 'delivered' | 'failed'

interface OrphanRow {
  id: string
  line: string
  message_id: string
  message_key: string
  state: Receipt['state']
  error: string
}

export interface PartRow {
  sms: string
  part: number
  part_state: PartState
  state: ReminderState
}

/**
 * Applies one receipt; durable when it resolves, so acknowledge the PDU only then. Twice, early and out of order are
 * harmless: a part's final state never changes again. Rejects when Postgres is away.
 */
export async function applyReceipt(parts: ReminderParts, given: Receipt): Promise<ReceiptResult> {
  const { clock, chance } = parts
  // Receipts write the subscriber with a prefix more often than PDUs do.
  const receipt = { ...given, from: given.from.replace(/^(\+|00)/, '') }
  const apply = () => parts.knex.transaction(async (trx) => {
    const key = keyOf(parts, receipt.line, receipt.messageId, 'receipt')
    if (key !== null) await lockKeys(trx, [key])
    const part = key === null ? undefined : await findPart(trx, receipt, key)
    if (!part) return keepOrphan(trx, receipt, key ?? '', clock.now())
    return (await applyToPart(trx, part, receipt, clock.now())) ? 'matched' : 'repeat'
  })
  return repeating(apply, { clock, chance, signal: AbortSignal.any([]) })
}

/**
 * Stores what the SMSC called the parts of an accepted SMS, and applies receipts that came before. Inside the
 * transaction that writes `accepted`.
 */
export async function storeParts(
  parts: ReminderParts, trx: Knex.Transaction, sms: { id: string; line: string; messageIds: PartIds },
): Promise<void> {
  const rows = sms.messageIds.flatMap((message_id, i) => {
    if (message_id === null) return []
    const message_key = keyOf(parts, sms.line, message_id, 'response') ?? NO_KEY
    return [{ sms: sms.id, part: i + 1, line: sms.line, message_id, message_key }]
  })
  if (!rows.length) return
  const keys = rows.map((row) => row.message_key).filter((key) => key !== NO_KEY)
  await lockKeys(trx, keys)
  await trx('sms_part').insert(rows).onConflict().ignore()
  if (!keys.length) return
  const early = await trx('sms_receipt_orphan').whereIn('message_key', keys)
    .modify((query) => sms.line && query.where('line', sms.line)).delete()
    .returning<OrphanRow[]>('*')
  for (const orphan of early) {
    const { line, message_id: messageId, state, error } = orphan
    const receipt = { line, messageId, from: '', state, error }
    const part = await findPart(trx, receipt, orphan.message_key)
    if (part) await applyToPart(trx, part, receipt, parts.clock.now())
  }
}

export interface Told {
  line: string
  messageId: string
  receipts: Match[]
}

/**
 * Looks for receipts of an SMS whose response never came: from its subscriber, after it was written, and with its
 * reference where the SMSC echoes that. Where it does not, a receipt that may as well be of another SMS of the same
 * subscriber settles neither: to send one twice is better than to send one never. Answers those of one part, or null;
 * they are then used up.
 */
export async function takeReceiptOf(
  trx: Knex.Transaction, sms: { id: string; msisdn: string; line: string; submitted_at: Date },
): Promise<Told | null> {
  const found = await trx('sms_receipt_orphan')
    .where('sender', sms.msisdn).andWhere('received_at', '>=', sms.submitted_at)
    .andWhere((query) => query.where('reference', referenceOf(sms.id)).orWhere((bare) => bare.whereNull('reference').whereRaw(
      `NOT EXISTS (SELECT FROM sms_outbox other WHERE other.msisdn = sender AND other.id <> CAST(? AS bigint)
        AND (other.state IN ('submitting', 'ambiguous') OR other.losses > 0)
        AND other.created_at <= received_at AND other.submitted_at > received_at - ${RIVAL})`, [sms.id])))
    .modify((query) => sms.line && query.where('line', sms.line))
    .orderByRaw('reference NULLS LAST, received_at').forUpdate().select<OrphanRow[]>('*')
  const [first] = found
  if (!first) return null
  const same = found.filter((row) => row.message_key === first.message_key)
  await trx('sms_receipt_orphan').whereIn('id', same.map((row) => row.id)).delete()
  const { line, message_id: messageId } = first
  return { line, messageId, receipts: same.map(({ state, error }) => ({ line, messageId, from: sms.msisdn, state, error })) }
}

/** The 16-bit user_message_reference of an SMS; never 0, which some SMSCs take for none. */
export function referenceOf(id: string): number {
  return Number(BigInt(id) % 65_535n) + 1
}

function keyOf(parts: ReminderParts, line: string, id: string, side: 'response' | 'receipt'): string | null {
  const bases = parts.messageIds ? parts.messageIds(line) : AS_IS
  return bases && id ? messageKey(id, bases[side]) : null
}

// A receipt and its response may be written at the same moment, each not seeing the other: they take turns.
async function lockKeys(trx: Knex.Transaction, keys: readonly string[]): Promise<void> {
  for (const key of [...new Set(keys)].toSorted()) {
    await trx.raw('SELECT pg_advisory_xact_lock(hashtextextended(?, 0))', [`sms:${key}`])
  }
}

export type Match = Pick<Receipt, 'line' | 'messageId' | 'from' | 'state' | 'error'>

// The id as given, then the subscriber, then the newest: ids wrap.
async function findPart(trx: Knex.Transaction, receipt: Match, key: string): Promise<PartRow | undefined> {
  const { rows } = await trx.raw(`
    SELECT p.sms, p.part, p.state AS part_state, o.state
    FROM sms_part p JOIN sms_outbox o ON o.id = p.sms
    WHERE p.message_key = :key AND p.line IN (:line, '')
    ORDER BY p.message_id = :id DESC, o.msisdn = :from DESC, p.sms DESC
    LIMIT 1 FOR UPDATE OF o`, { key, line: receipt.line, id: receipt.messageId, from: receipt.from })
  return rows[0] as PartRow | undefined
}

/** Writes what one receipt says of one part; the whole is delivered when all of its parts are. False: nothing new. */
export async function applyToPart(trx: Knex.Transaction, part: PartRow, receipt: Match, nowMs: number): Promise<boolean> {
  const state = partStateOf(receipt.state)
  if (state === 'accepted' || part.part_state !== 'accepted') return false
  await trx('sms_part').where({ sms: part.sms, part: part.part }).update({ state })
  const all = await trx('sms_part').where({ sms: part.sms }).select<{ state: PartState }[]>('state')
  const { parts } = await trx('sms_outbox').where({ id: part.sms }).first<{ parts: number }>('parts')
  const isWhole = all.length >= parts && all.every((one) => one.state === 'delivered')
  const whole = all.some((one) => one.state === 'failed') ? 'failed' : isWhole ? 'delivered' : 'accepted'
  const to = whole === 'accepted' ? part.state : nextState(part.state, eventOf(whole))
  if (to === part.state) return true
  const last_error = to === 'failed' ? `receipt: ${receipt.state} ${receipt.error}`.trim() : null
  await trx('sms_outbox').where({ id: part.sms }).update({ state: to, last_error, settled_at: new Date(nowMs) })
  return true
}

async function keepOrphan(trx: Knex.Transaction, receipt: Receipt, key: string, nowMs: number): Promise<ReceiptResult> {
  const row = {
    line: receipt.line, message_id: receipt.messageId, message_key: key, sender: receipt.from,
    reference: receipt.reference, state: receipt.state, error: receipt.error, received_at: new Date(nowMs),
  }
  const kept = await trx('sms_receipt_orphan').insert(row).onConflict().ignore().returning('id')
  return kept.length ? 'orphan' : 'repeat'
}

function partStateOf(state: Receipt['state']): PartState {
  if (state === 'delivered') return 'delivered'
  return state === 'enroute' || state === 'accepted' || state === 'unknown' ? 'accepted' : 'failed'
}

function eventOf(state: 'delivered' | 'failed'): ReminderEvent {
  return { type: state === 'delivered' ? 'DELIVERED' : 'UNDELIVERED' }
}

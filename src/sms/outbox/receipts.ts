/** Applies receipts to the outbox: matched by line and message id, kept for a day if the id is not known yet. */
import { nextState, type ReminderEvent } from '../../../machines/reminder.ts'
import { repeating, type SqlRunner } from '../../base/index.ts'
import { AS_IS, messageKey } from './message-id.ts'
import {
  DROP_ORPHANS,
  FIND_PART,
  FIND_REFERENCE,
  KEEP_ORPHAN,
  LOCK_KEY,
  PART_AT,
  PART_STATES,
  POSSIBLE,
  SETTLE_PART,
  SETTLE_SINGLE,
  SETTLE_WHOLE,
  STORE_PARTS,
  TAKE_EARLY,
  type PartRow,
  type PartState,
} from './receipt-rows.ts'
import type { OutboxDeps } from './settings.ts'
import type { PartIds, Receipt } from './types.ts'

/** matched: it changed something · repeat: it changed nothing · orphan: kept until its id is known. */
export type ReceiptResult = 'matched' | 'repeat' | 'orphan'

/** An SMS of which the SMSC accepted parts, on that line. */
export interface AcceptedSms {
  id: string
  line: string
  messageIds: PartIds
}

/** The key of a part without a usable id: no receipt matches it. */
const NO_KEY = ''

/**
 * Applies one receipt; durable when it resolves, so acknowledge the PDU only then. Twice, early and out of order are
 * harmless: a part's final state never changes again. Rejects when Postgres is away.
 */
export async function applyReceipt(deps: OutboxDeps, given: Receipt): Promise<ReceiptResult> {
  const { clock, chance } = deps
  // Receipts write the MSISDN with a prefix more often than PDUs do.
  const receipt = { ...given, from: given.from.replace(/^(\+|00)/, '') }
  const key = keyOf(deps, receipt.line, receipt.messageId, 'receipt') ?? referenceKey(receipt.reference)
  const apply = async () =>
    (await settlesSingle(deps, receipt, key))
      ? 'matched'
      : deps.sql.transaction(async (trx) => {
          if (key !== NO_KEY) await LOCK_KEY(trx, { name: `sms:${key}` })
          const part = key === NO_KEY ? undefined : await findPart(deps, trx, receipt, key)
          if (!part) return keepOrphan(trx, receipt, key, clock.now())
          return (await applyToPart(trx, part, receipt, clock.now())) ? 'matched' : 'repeat'
        })
  return repeating(apply, { clock, chance, signal: AbortSignal.any([]) })
}

async function settlesSingle(deps: OutboxDeps, receipt: Receipt, key: string): Promise<boolean> {
  const { line, messageId: id, from, reference } = receipt
  const state = partStateOf(receipt.state)
  if (state === 'accepted' || key === NO_KEY || key === referenceKey(reference)) return false
  const error = state === 'failed' ? errorOf(receipt) : null
  return (
    (await SETTLE_SINGLE[state](deps.sql, { key, id, line, from, error, now: new Date(deps.clock.now()) })).length > 0
  )
}

/**
 * Stores the message ids of an accepted SMS, and applies receipts that came before. Inside the transaction that writes
 * `accepted`.
 */
export async function storeParts(deps: OutboxDeps, trx: SqlRunner, sms: AcceptedSms): Promise<void> {
  const accepted = acceptedParts(deps, sms)
  if (!accepted) return
  await STORE_PARTS(trx, { sms: sms.id, line: sms.line, ...accepted })
  await applyEarly(deps, trx, sms, accepted)
}

/** What SETTLE_SMS and STORE_PARTS are given of parts that the SMSC accepted; null: it accepted none. */
export function acceptedParts(deps: OutboxDeps, sms: AcceptedSms): { ids: string; keys: string } | null {
  const ids = sms.messageIds.flatMap((message_id, i) => {
    if (message_id === null) return []
    return [{ part: i + 1, message_id, message_key: keyOf(deps, sms.line, message_id, 'response') ?? NO_KEY }]
  })
  if (!ids.length) return null
  const keys = [...ids.map((one) => one.message_key).filter((key) => key !== NO_KEY), ownKey(sms)]
  return { ids: JSON.stringify(ids), keys: JSON.stringify([...new Set(keys)]) }
}

/** Applies the receipts that came before their parts were stored. Inside the transaction that stored them, after it. */
export async function applyEarly(
  deps: OutboxDeps,
  trx: SqlRunner,
  sms: AcceptedSms,
  { keys }: { keys: string },
): Promise<void> {
  const early = await TAKE_EARLY(trx, {
    keys,
    own: ownKey(sms),
    line: sms.line,
    sms: sms.id,
    linesOfSmsc: linesOfSmsc(deps, sms.line),
  })
  for (const orphan of early) {
    const { line, message_id: messageId, sender: from, state, error, reference } = orphan
    const receipt = { line, messageId, from, state, error, reference }
    const part = await findPart(deps, trx, receipt, orphan.message_key)
    if (part) await applyToPart(trx, part, receipt, deps.clock.now())
  }
}

/** Stores the answer of the SMSC about one part; true if it was new. Rejects if Postgres is away. */
export async function applyState(deps: OutboxDeps, at: { sms: string; part: number }, said: Match): Promise<boolean> {
  const { clock, chance } = deps
  const apply = () =>
    deps.sql.transaction(async (trx) => {
      const [part] = await PART_AT(trx, at)
      return part ? applyToPart(trx, part, said, clock.now()) : false
    })
  return repeating(apply, { clock, chance, signal: AbortSignal.any([]) })
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
  deps: OutboxDeps,
  trx: SqlRunner,
  sms: { id: string; msisdn: string; line: string; submitted_at: Date },
): Promise<Told | null> {
  const { id, msisdn } = sms
  const found = await POSSIBLE(trx, {
    sms: id,
    msisdn,
    submitted: sms.submitted_at,
    line: sms.line,
    linesOfSmsc: linesOfSmsc(deps, sms.line),
    reference: referenceOf(id),
  })
  const [first] = found
  if (!first) return null
  const same = found.filter((row) => row.message_key === first.message_key)
  await DROP_ORPHANS(trx, { ids: JSON.stringify(same.map((row) => row.id)) })
  const { line, message_id: messageId } = first
  return {
    line,
    messageId,
    receipts: same.map(({ state, error }) => ({ line, messageId, from: msisdn, state, error })),
  }
}

/** The 16-bit user_message_reference of an SMS; never 0, which some SMSCs read as none. As in FIND_REFERENCE. */
export function referenceOf(id: string): number {
  return Number(BigInt(id) % 65_535n) + 1
}

function keyOf(deps: OutboxDeps, line: string, id: string, side: 'response' | 'receipt'): string | null {
  const bases = deps.messageIds ? deps.messageIds(line) : AS_IS
  return bases && id ? messageKey(id, bases[side]) : null
}

/**
 * The key of a receipt whose message id is useless (`responses.messageIdUseless`) or missing: the reference that the
 * SMSC echoes. With the MSISDN it is as good as an id; all parts of one SMS have the same.
 */
function referenceKey(reference: number | null): string {
  return reference === null ? NO_KEY : `user_message_reference ${reference}`
}

function linesOfSmsc(deps: OutboxDeps, line: string): string {
  return JSON.stringify(deps.linesOfSmsc?.(line) ?? [line])
}

function ownKey({ id }: AcceptedSms): string {
  return referenceKey(referenceOf(id))
}

export type Match = Pick<Receipt, 'line' | 'messageId' | 'from' | 'state' | 'error'>

async function findPart(
  deps: OutboxDeps,
  trx: SqlRunner,
  receipt: Match & Pick<Receipt, 'reference'>,
  key: string,
): Promise<PartRow | undefined> {
  const { line, messageId: id, from, reference } = receipt
  const among = linesOfSmsc(deps, line)
  const [part] =
    key === referenceKey(reference)
      ? await FIND_REFERENCE(trx, { reference, line, from, linesOfSmsc: among })
      : await FIND_PART(trx, { key, line, id, from, linesOfSmsc: among })
  return part
}

/** Stores the receipt of one part; the SMS is delivered when all parts are. False: nothing new. */
export async function applyToPart(trx: SqlRunner, part: PartRow, receipt: Match, nowMs: number): Promise<boolean> {
  const state = partStateOf(receipt.state)
  if (state === 'accepted' || part.part_state !== 'accepted') return false
  await SETTLE_PART(trx, { sms: part.sms, part: part.part, state })
  const all = await PART_STATES(trx, { sms: part.sms })
  const parts = all[0]?.parts ?? 1
  const isWhole = all.length >= parts && all.every((one) => one.state === 'delivered')
  const whole = all.some((one) => one.state === 'failed') ? 'failed' : isWhole ? 'delivered' : 'accepted'
  const to = whole === 'accepted' ? part.state : nextState(part.state, eventOf(whole))
  if (to === part.state) return true
  const error = to === 'failed' ? errorOf(receipt) : null
  await SETTLE_WHOLE(trx, { sms: part.sms, state: to, error, now: new Date(nowMs) })
  return true
}

async function keepOrphan(trx: SqlRunner, receipt: Receipt, key: string, nowMs: number): Promise<ReceiptResult> {
  const { line, messageId: id, from, reference, state, error } = receipt
  const kept = await KEEP_ORPHAN(trx, { line, id, key, from, reference, state, error, now: new Date(nowMs) })
  return kept.length ? 'orphan' : 'repeat'
}

function errorOf({ state, error }: Match): string {
  return `receipt: ${state} ${error}`.trim()
}

function partStateOf(state: Receipt['state']): PartState {
  if (state === 'delivered') return 'delivered'
  return state === 'enroute' || state === 'accepted' || state === 'unknown' ? 'accepted' : 'failed'
}

function eventOf(state: 'delivered' | 'failed'): ReminderEvent {
  return { type: state === 'delivered' ? 'DELIVERED' : 'UNDELIVERED' }
}

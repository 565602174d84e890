/** Applies receipts to the outbox: matched by line and message id, and kept for a day if the id is not known yet. */
import { nextState, type ReminderEvent } from '../../../machines/reminder.ts'
import { gathering, type Gate, NEVER_ABORTED, repeating, type SqlRunner } from '../../base/index.ts'
import { RECEIPT_ERROR, type PartIds, type Receipt } from '../terms/index.ts'
import type { IdForms } from './id-forms.ts'
import { AS_IS, type IdForm, messageKey } from './message-id.ts'
import {
  DROP_ORPHANS,
  FIND_OTHERS,
  FIND_PART,
  FIND_REFERENCE,
  HOLD_PARTS,
  KEEP_ORPHAN,
  LOCK_KEY,
  PART_AT,
  PART_STATES,
  POSSIBLE,
  SETTLE_PART,
  SETTLE_PARTS,
  SETTLE_SINGLES,
  SETTLE_WHOLE,
  STORE_PARTS,
  TAKE_EARLY,
  type FoundSms,
  type PartRow,
  type PartState,
} from './rows.ts'
import type { ReceiptDeps } from './deps.ts'

/**
 * matched: it changed something · repeat: it changed nothing · early: kept until its id is known, mostly in the
 * response that is behind it. Whether it matches nothing is known later (orphans.ts).
 */
export type ReceiptResult = 'matched' | 'repeat' | 'early'

/** An SMS of which the SMSC accepted parts, on this line. */
export interface AcceptedSms {
  id: string
  line: string
  messageIds: PartIds
}

/** The key of a part without a usable id: no receipt matches it. */
const NO_KEY = ''

/** How many receipts one statement settles at most. */
const BULK_MAX = 100

interface KeyedReceipt {
  receipt: Receipt
  key: string
}

/**
 * Applies receipts: those that come within a few milliseconds together. Durable when it resolves, so acknowledge the
 * PDU only then. Repeated, early and unordered receipts are harmless: a part's final state never changes. Rejects if
 * Postgres is unreachable. `ahead` resolves when the responses that came before are stored: a receipt is mostly right
 * behind its own.
 */
export function receiptsInBulk(
  deps: ReceiptDeps,
  { forms, gated, ahead, gatherMs }: { forms: IdForms; gated: Gate; ahead(): Promise<unknown>; gatherMs: number },
): (given: Receipt) => Promise<ReceiptResult> {
  // The outcome of a response reaches the outbox some steps after the receipt that came in the same octets.
  const options = { most: BULK_MAX, gatherMs, isPatient: true, clock: deps.clock }
  const usual = gathering(options, async (all: KeyedReceipt[]) => {
    await ahead()
    return gated(() => settleUsual(deps, all))
  })
  return async (given) => {
    // Receipts write the MSISDN with a prefix more often than PDUs do.
    const receipt = { ...given, from: given.from.replace(/^(\+|00)/, '') }
    if (!forms.isFresh()) await forms.read()
    const { line, messageId } = receipt
    const key = forms.keyOf(line, messageId) ?? referenceKey(receipt.reference)
    const isUsual =
      partStateOf(receipt.state) !== 'accepted' && key !== NO_KEY && key !== referenceKey(receipt.reference)
    const isSettled = isUsual && (await usual.ask({ receipt, key }))
    const result = isSettled ? 'matched' : await gated(() => applyReceipt(deps, forms, receipt, key))
    if (result === 'matched' && forms.confirms(line, messageId)) await gated(() => forms.confirm(line))
    return result
  }
}

async function applyReceipt(deps: ReceiptDeps, forms: IdForms, receipt: Receipt, key: string): Promise<ReceiptResult> {
  const { sql, clock, chance } = deps
  let holds: IdForm | undefined
  const apply = () =>
    sql.transaction<ReceiptResult>(async (trx) => {
      if (key !== NO_KEY) await LOCK_KEY(trx, { name: `sms:${key}` })
      const part = key === NO_KEY ? undefined : await findPart(deps, trx, receipt, key)
      if (part) return (await applyToPart(deps, trx, part, receipt)) ? 'matched' : 'repeat'
      const isKept = await keepOrphan(trx, receipt, key, clock.now())
      holds = isKept ? await formShown(deps, trx, forms, receipt) : undefined
      return isKept ? 'early' : 'repeat'
    })
  const result = await repeating(apply, { clock, chance, signal: NEVER_ABORTED })
  if (holds) forms.adopt(receipt.line, holds)
  return result
}

/** What a receipt that matches nothing shows of how ids are written: which form holds now. Undefined: nothing. */
async function formShown(
  deps: ReceiptDeps,
  trx: SqlRunner,
  forms: IdForms,
  { line, messageId, from }: Receipt,
): Promise<IdForm | undefined> {
  const others = from === '' ? [] : forms.others(line, messageId)
  if (others.length === 0) return undefined
  const keys = JSON.stringify(others.map(({ key }) => key))
  const found = await FIND_OTHERS(trx, { keys, from, linesOfSmsc: linesOfSmsc(deps, line) })
  const shown = found.length === 1 && others.find(({ key }) => key === found[0]!.message_key)
  return shown ? forms.shown(trx, line, shown.form) : undefined
}

/**
 * Whether each of them was a usual one, and settled a part of its SMS. Of several for the same part only the first is
 * tried.
 */
async function settleUsual(deps: ReceiptDeps, all: readonly KeyedReceipt[]): Promise<boolean[]> {
  const { sql, clock, chance } = deps
  const seen = new Set<string>()
  const given = all.flatMap(({ receipt, key }, n) => {
    const { line, messageId: id, from: sender } = receipt
    const part = JSON.stringify([line, id, sender])
    if (seen.has(part)) return []
    seen.add(part)
    return [{ n, key, id, line, sender, ...saidBy(receipt) }]
  })
  const receipts = JSON.stringify(given)
  const found = await repeating(() => SETTLE_SINGLES(sql, { receipts, now: new Date(clock.now()) }), {
    clock,
    chance,
    signal: NEVER_ABORTED,
  })
  const several = found.filter(({ part }) => part !== null)
  const told = [...found.filter(({ part }) => part === null), ...(await settleSeveral(deps, all, several))]
  const failed = new Set<string>()
  for (const { n, id, kind, msisdn, attempts, state, error } of told) {
    const { line, state: said } = all[n]!.receipt
    if (state !== 'failed' || partStateOf(said) !== 'failed' || failed.has(id)) continue
    failed.add(id)
    deps.givenUp?.({ id, kind, msisdn, attempts, state, error, line, status: null })
  }
  const matched = new Set(told.map(({ n }) => n))
  return all.map((_, n) => matched.has(n))
}

/** Settles parts of SMS in several parts. Answers with those that it changed. */
async function settleSeveral(deps: ReceiptDeps, all: readonly KeyedReceipt[], found: readonly FoundSms[]) {
  if (!found.length) return []
  const { sql, clock, chance } = deps
  const ids = `{${[...new Set(found.map(({ id }) => id))].join()}}`
  const receipts = JSON.stringify(
    found.map(({ n, id: sms, part }) => ({ n, sms, part, key: all[n]!.key, ...saidBy(all[n]!.receipt) })),
  )
  const settle = () =>
    sql.transaction(async (trx) => {
      await HOLD_PARTS(trx, { ids })
      return SETTLE_PARTS(trx, { receipts, now: new Date(clock.now()) })
    })
  return repeating(settle, { clock, chance, signal: NEVER_ABORTED })
}

/** What becomes of a part. */
function saidBy(receipt: Receipt): { state: PartState; error: string | null } {
  const state = partStateOf(receipt.state)
  return { state, error: state === 'failed' ? errorOf(receipt) : null }
}

/**
 * Stores the message ids of an accepted SMS, and applies receipts that came before. Call it in the transaction that
 * writes `accepted`.
 */
export async function storeParts(deps: ReceiptDeps, trx: SqlRunner, sms: AcceptedSms): Promise<void> {
  const accepted = acceptedParts(deps, sms)
  if (!accepted) return
  await STORE_PARTS(trx, { sms: sms.id, line: sms.line, ...accepted })
  await applyEarly(deps, trx, sms, accepted)
}

/** The parameters of STORE_PARTS for the parts that the SMSC accepted. Null: it accepted none. */
function acceptedParts(deps: ReceiptDeps, sms: AcceptedSms): { ids: string; keys: string } | null {
  const ids = idsOf(deps, sms)
  return ids.length ? { ids: JSON.stringify(ids), keys: JSON.stringify(partKeysOf(sms, ids)) } : null
}

export interface StoredId {
  sms: string
  part: number
  message_id: string
  message_key: string
}

/** The parts that the SMSC accepted, as they are stored. */
export function idsOf(deps: ReceiptDeps, sms: AcceptedSms): StoredId[] {
  return sms.messageIds.flatMap((message_id, i) => {
    if (message_id === null) return []
    return [{ sms: sms.id, part: i + 1, message_id, message_key: responseKey(deps, sms.line, message_id) ?? NO_KEY }]
  })
}

/** By what a receipt that came before may be found. */
export function partKeysOf(sms: AcceptedSms, ids: readonly StoredId[]): string[] {
  return [...new Set([...ids.map((one) => one.message_key).filter((key) => key !== NO_KEY), ownKey(sms)])]
}

/**
 * Applies the receipts that came before their parts were stored. Call it in the transaction that stored the parts,
 * after that.
 */
export async function applyEarly(
  deps: ReceiptDeps,
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
    if (part) await applyToPart(deps, trx, part, receipt)
  }
}

/** Stores the SMSC's answer about one part. True if it was new. Rejects if Postgres is unreachable. */
export async function applyState(deps: ReceiptDeps, at: { sms: string; part: number }, said: Match): Promise<boolean> {
  const { clock, chance } = deps
  const apply = () =>
    deps.sql.transaction(async (trx) => {
      const [part] = await PART_AT(trx, at)
      return part ? applyToPart(deps, trx, part, said) : false
    })
  return repeating(apply, { clock, chance, signal: NEVER_ABORTED })
}

export interface Told {
  line: string
  messageId: string
  receipts: Match[]
}

/**
 * Looks for receipts of an SMS whose response never came: from its subscriber, after it was written, and with its
 * reference if the SMSC echoes it. If it does not, a receipt that may as well belong to another SMS of the same
 * subscriber settles neither: sending an SMS twice is better than never sending it. Returns those of one part, or null;
 * they are then used up.
 */
export async function takeReceiptOf(
  deps: ReceiptDeps,
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

/**
 * The 16-bit user_message_reference of an SMS. Never 0, which some SMSCs read as none. The same as in FIND_REFERENCE.
 */
export function referenceOf(id: string): number {
  return Number(BigInt(id) % 65_535n) + 1
}

function responseKey(deps: ReceiptDeps, line: string, id: string): string | null {
  const bases = deps.messageIds ? deps.messageIds(line) : AS_IS
  return bases && id ? messageKey(id, bases.response) : null
}

/**
 * The key of a receipt whose message id is useless (`responses.messageIdUseless`) or missing: the reference that the
 * SMSC echoes. Together with the MSISDN it is as good as an id. All parts of one SMS have the same.
 */
function referenceKey(reference: number | null): string {
  return reference === null ? NO_KEY : `user_message_reference ${reference}`
}

function linesOfSmsc(deps: ReceiptDeps, line: string): string {
  return JSON.stringify(deps.linesOfSmsc?.(line) ?? [line])
}

function ownKey({ id }: AcceptedSms): string {
  return referenceKey(referenceOf(id))
}

export type Match = Pick<Receipt, 'line' | 'messageId' | 'from' | 'state' | 'error'>

export async function findPart(
  deps: ReceiptDeps,
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

/** Stores the receipt of one part. The SMS is delivered when all parts are. False: nothing new. */
export async function applyToPart(deps: ReceiptDeps, trx: SqlRunner, part: PartRow, receipt: Match): Promise<boolean> {
  const state = partStateOf(receipt.state)
  if (state === 'accepted' || part.part_state !== 'accepted') return false
  const now = new Date(deps.clock.now())
  await SETTLE_PART(trx, { sms: part.sms, part: part.part, state, now })
  const all = await PART_STATES(trx, { sms: part.sms })
  const parts = all[0]?.parts ?? 1
  const isWhole = all.length >= parts && all.every((one) => one.state === 'delivered')
  const whole = all.some((one) => one.state === 'failed') ? 'failed' : isWhole ? 'delivered' : 'accepted'
  const to = whole === 'accepted' ? part.state : nextState(part.state, eventOf(whole))
  if (to === part.state) return true
  const error = to === 'failed' ? errorOf(receipt) : null
  await SETTLE_WHOLE(trx, { sms: part.sms, state: to, error, now })
  if (to === 'failed') deps.givenUp?.({ ...part, id: part.sms, line: receipt.line, state: to, status: null, error })
  return true
}

/** False: it is kept already. */
async function keepOrphan(trx: SqlRunner, receipt: Receipt, key: string, nowMs: number): Promise<boolean> {
  const { line, messageId: id, from, reference, state, error } = receipt
  const kept = await KEEP_ORPHAN(trx, { line, id, key, from, reference, state, error, now: new Date(nowMs) })
  return kept.length > 0
}

function errorOf({ state, error }: Match): string {
  return `${RECEIPT_ERROR}${state} ${error}`.trim()
}

function partStateOf(state: Receipt['state']): PartState {
  if (state === 'delivered') return 'delivered'
  return state === 'enroute' || state === 'accepted' || state === 'unknown' ? 'accepted' : 'failed'
}

function eventOf(state: 'delivered' | 'failed'): ReminderEvent {
  return { type: state === 'delivered' ? 'DELIVERED' : 'UNDELIVERED' }
}

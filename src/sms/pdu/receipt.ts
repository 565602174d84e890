/** Delivery receipts, read from deliver_sm and data_sm: first the parameters, then the text, key by key. */
import { readMsisdn, type Numbering, decodeLatin1, decodeUcs2 } from '../../ussd/index.ts'
import { payloadOf, tlvOf, uint } from '../../smpp/dialect/index.ts'
import type { Pdu } from '../../smpp/index.ts'
import type { Receipt } from '../terms/index.ts'

export interface ReceiptOptions {
  /** The SMSC's own clock, in minutes east of UTC: dates in the text have no zone. Default 0. */
  offsetMinutes?: number
  numbering?: Numbering
}

type ReceiptState = Receipt['state']

/** SMPP v3.4 §5.3.2.12, .17, .31, .35. */
const TAG = { receiptedMessageId: 0x001e, userMessageReference: 0x0204, networkErrorCode: 0x0423, messageState: 0x0427 }
/** SMPP v3.4 §5.2.28; 0 and 9 are of v5.0. */
const STATES: readonly ReceiptState[] = [
  'enroute',
  'enroute',
  'delivered',
  'expired',
  'deleted',
  'undeliverable',
  'accepted',
  'unknown',
  'rejected',
  'deleted',
]
/** Appendix B, by the first letters: SMSCs write DELIVRD, DELIVERED, UNDELIV, UNDELIVERABLE … */
const STATE_WORDS: readonly (readonly [string, ReceiptState])[] = [
  ['deliv', 'delivered'],
  ['expir', 'expired'],
  ['delet', 'deleted'],
  ['undel', 'undeliverable'],
  ['fail', 'undeliverable'],
  ['acce', 'accepted'],
  ['unkn', 'unknown'],
  ['rej', 'rejected'],
  ['enr', 'enroute'],
  ['buff', 'enroute'],
  ['sched', 'enroute'],
  ['skip', 'deleted'],
]
const ID_LENGTH_MAX = 64
const TEXT_LENGTH_MAX = 1024

/**
 * The receipt in a PDU, or null: it has neither a message id nor a reference, or no state. `line` is the caller's. The
 * id is as the SMSC wrote it.
 */
export function readReceipt(pdu: Pdu, line: string, options: ReceiptOptions = {}): Receipt | null {
  const fields = readFields(receiptText(pdu))
  const messageId = cString(tlvOf(pdu.tlvs, TAG.receiptedMessageId)) || firstWord(fields.get('id'))
  const reference = referenceOf(pdu)
  const state = stateOf(pdu) ?? stateOfWord(firstWord(fields.get('stat')))
  const said = state !== null || fields.has('stat') || tlvOf(pdu.tlvs, TAG.receiptedMessageId).length > 0
  if ((messageId === '' && reference === null) || !said) return null
  return {
    line,
    messageId: messageId.slice(0, ID_LENGTH_MAX),
    state: state ?? 'unknown',
    error: networkError(pdu) ?? firstWord(fields.get('err')).slice(0, ID_LENGTH_MAX),
    from: sourceOf(pdu, options.numbering),
    doneMs: readDate(fields.get('done date') ?? '', options.offsetMinutes ?? 0),
    reference,
  }
}

const LIKE_RECEIPT = /^\s*id[ \t]*:[ \t]*\S.*\bstat[ \t]*:/is

/**
 * A receipt by its content, although esm_class does not mark it: it has both parameters, or the beginning of such a
 * text.
 */
export function isLikeReceipt(pdu: Pdu): boolean {
  const named = [TAG.receiptedMessageId, TAG.messageState].every((tag) => tlvOf(pdu.tlvs, tag).length > 0)
  return named || LIKE_RECEIPT.test(receiptText(pdu))
}

/** ASCII, whatever data_coding says, if it starts like a receipt. Otherwise UCS-2 if data_coding says so. */
function receiptText(pdu: Pdu): string {
  const octets = payloadOf(pdu).subarray(0, TEXT_LENGTH_MAX)
  const ascii = decodeLatin1(octets)
  const isUcs2 =
    pdu.body.data_coding === 8 &&
    !ascii
      .slice(0, 4)
      .split('')
      .every((it) => it >= ' ' && it <= '~')
  return isUcs2 ? decodeUcs2(octets) : ascii
}

const KEY = /\b(id|sub|dlvrd|submit ?date|done ?date|stat|err|text)[ \t]*:/gi

/** Values by key, in any order. What follows `text:` comes from the subscriber, and only fills in what is missing. */
function readFields(text: string): Map<string, string> {
  const keys = [...text.matchAll(KEY)].map((match) => ({
    name: (match[1] as string).toLowerCase().replace(/ ?date$/, ' date'),
    start: match.index,
    end: match.index + match[0].length,
  }))
  const fields = new Map<string, string>()
  for (const [i, key] of keys.entries()) {
    if (!fields.has(key.name)) fields.set(key.name, text.slice(key.end, keys[i + 1]?.start).trim())
  }
  return fields
}

/** Without the quotes, commas and semicolons with which some SMSCs separate values. */
function firstWord(value: string | undefined): string {
  return /^["']?([^\s"',;]*)/.exec(value ?? '')?.[1] ?? ''
}

/** Up to the first NUL. Also accepts senders that omit the NUL. */
function cString(octets: Buffer): string {
  return octets.toString('latin1').split('\0', 1)[0]?.trim() ?? ''
}

function stateOf(pdu: Pdu): ReceiptState | null {
  const octets = tlvOf(pdu.tlvs, TAG.messageState)
  return octets.length === 0 ? null : (messageState(Number(uint(octets))) ?? null)
}

/** message_state as the state of a receipt. Undefined: of unknown meaning. (SMPP v3.4 §5.2.28) */
export function messageState(octet: number): ReceiptState | undefined {
  return STATES[octet]
}

function stateOfWord(word: string): ReceiptState | null {
  const plain = word.toLowerCase()
  return STATE_WORDS.find(([start]) => plain.startsWith(start))?.[1] ?? null
}

/** `3:27`: type and code. (SMPP v3.4 §5.3.2.31; type 3 is GSM) */
function networkError(pdu: Pdu): string | null {
  const octets = tlvOf(pdu.tlvs, TAG.networkErrorCode)
  return octets.length < 3 ? null : `${octets[0]}:${octets.readUInt16BE(1)}`
}

function referenceOf(pdu: Pdu): number | null {
  const octets = tlvOf(pdu.tlvs, TAG.userMessageReference)
  return octets.length === 0 ? null : Number(uint(octets) & 0xffffn)
}

function sourceOf(pdu: Pdu, numbering: Numbering = {}): string {
  const { source_addr_ton: ton, source_addr_npi: npi, source_addr: digits } = pdu.body
  const read = readMsisdn({ ton: Number(ton ?? 0), npi: Number(npi ?? 0), digits: String(digits ?? '') }, numbering)
  return 'msisdn' in read ? read.msisdn : ''
}

/** YYMMDDhhmm, with or without seconds, with or without the century. Null for anything that is not a date. */
function readDate(written: string, offsetMinutes: number): number | null {
  const digits = firstWord(written)
  if (!/^\d{10,14}$/.test(digits)) return null
  return dateOf(`20${digits}`, offsetMinutes) ?? dateOf(digits, offsetMinutes)
}

function dateOf(digits: string, offsetMinutes: number): number | null {
  const match = /^(20\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?$/.exec(digits)
  if (!match) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map((it) => Number(it ?? 0))
  const at = Date.UTC(year, month - 1, day, hour, minute, second)
  const same = new Date(at)
  const real = same.getUTCMonth() === month - 1 && same.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
  return real ? at - offsetMinutes * 60_000 : null
}

/** The SMS that ESMEs submitted: their ids and states, and their receipts. (SMPP v3.4 §5.2.28, App. B) */
import type { Pdu, Tlv } from '../../smpp/index.ts'
import { integerField, textField, tlv8, readSms } from '../codec/index.ts'
import type { NetworkRequest } from '../network/index.ts'

/** message_state. (SMPP v3.4 §5.2.28) */
export const MESSAGE_STATES = {
  ENROUTE: 1,
  DELIVRD: 2,
  EXPIRED: 3,
  DELETED: 4,
  UNDELIV: 5,
  ACCEPTD: 6,
  UNKNOWN: 7,
  REJECTD: 8,
} as const
export type MessageState = keyof typeof MESSAGE_STATES

/** A form of message ids. padded: decimal with leading zeros, ten digits. */
export type MessageIdForm = 'dec' | 'hex' | 'HEX' | 'padded'

export interface ReceiptSettings {
  /** False: no receipts at all, even if the ESME asks for them. */
  send: boolean
  /** Time after the submit_sm. 0: at once. */
  delayMs: number
  /** Whether a receipt may arrive before the submit_sm_resp that gives the id. */
  order: 'after-response' | 'before-response'
  /** How often the same receipt is sent. */
  times: number
  carries: 'text+tlv' | 'text' | 'tlv' | 'payload'
  idForms: { response: MessageIdForm; receipt: MessageIdForm }
  state: MessageState
  /** The three digits after err:. */
  error: string
  /** First a receipt with ENROUTE if the ESME asked for intermediate notifications (registered_delivery 0x10). */
  intermediate: boolean
}

export const RECEIPTS: ReceiptSettings = {
  send: true,
  delayMs: 0,
  order: 'after-response',
  times: 1,
  carries: 'text+tlv',
  idForms: { response: 'dec', receipt: 'dec' },
  state: 'DELIVRD',
  error: '000',
  intermediate: false,
}

export interface StoredMessage {
  id: string
  number: number
  systemId: string
  submitted: Pdu
  submittedMs: number
  finalMs: number
  state: MessageState
}

/** Kept for query_sm and cancel_sm; the oldest is dropped. */
const MESSAGES_MAX = 10_000

export interface Messages {
  store(systemId: string, submitted: Pdu, nowMs: number, form: MessageIdForm): StoredMessage
  find(id: string): StoredMessage | undefined
  count(): number
}

export function messages(firstNumber: number): Messages {
  const known = new Map<string, StoredMessage>()
  let number = firstNumber
  return {
    store(systemId, submitted, nowMs, form) {
      const id = formatMessageId(number, form)
      const message: StoredMessage = {
        id,
        number: number++,
        systemId,
        submitted,
        submittedMs: nowMs,
        finalMs: 0,
        state: 'ENROUTE',
      }
      known.set(id, message)
      if (known.size > MESSAGES_MAX) known.delete(known.keys().next().value!)
      return message
    },
    find: (id) => known.get(id),
    count: () => number - firstNumber,
  }
}

function formatMessageId(number: number, form: MessageIdForm): string {
  if (form === 'hex') return number.toString(16)
  if (form === 'HEX') return number.toString(16).toUpperCase()
  return form === 'padded' ? String(number).padStart(10, '0') : String(number)
}

/** Whether the ESME asked for a receipt of this final state. (SMPP v3.4 §5.2.17) */
export function wantsReceipt(submitted: Pdu, state: MessageState): boolean {
  const asked = integerField(submitted.body, 'registered_delivery') & 3
  if (state === 'ENROUTE') return (integerField(submitted.body, 'registered_delivery') & 0x10) !== 0
  return asked === 1 || (asked === 2 && state !== 'DELIVRD')
}

/** The deliver_sm with the receipt of one message. */
export function receiptFor(message: StoredMessage, state: MessageState, settings: ReceiptSettings): NetworkRequest {
  const { body } = message.submitted
  const id = formatMessageId(message.number, settings.idForms.receipt)
  const octets =
    settings.carries === 'tlv' ? Buffer.alloc(0) : Buffer.from(textOf(message, id, state, settings), 'latin1')
  const isFinal = state !== 'ENROUTE'
  const tlvs: Tlv[] = []
  if (settings.carries === 'payload') tlvs.push({ tag: 0x0424, value: octets })
  if (settings.carries !== 'text') {
    tlvs.push({ tag: 0x001e, value: Buffer.from(`${id}\0`, 'latin1') }, tlv8(0x0427, MESSAGE_STATES[state]))
  }
  return {
    command: 'deliver_sm',
    body: {
      service_type: textField(body, 'service_type'),
      source_addr_ton: integerField(body, 'dest_addr_ton'),
      source_addr_npi: integerField(body, 'dest_addr_npi'),
      source_addr: textField(body, 'destination_addr'),
      dest_addr_ton: integerField(body, 'source_addr_ton'),
      dest_addr_npi: integerField(body, 'source_addr_npi'),
      destination_addr: textField(body, 'source_addr'),
      esm_class: isFinal ? 0x04 : 0x20,
      short_message: settings.carries === 'payload' ? undefined : octets,
    },
    tlvs,
  }
}

function textOf(message: StoredMessage, id: string, state: MessageState, settings: ReceiptSettings): string {
  const { body } = message.submitted
  const short = body['short_message']
  const said = Buffer.isBuffer(short) ? readSms(short, integerField(body, 'data_coding')).text : ''
  const shown = said.slice(0, 20).replace(/[^\x20-\x7e]/g, '.')
  const delivered = state === 'DELIVRD' ? '001' : '000'
  return (
    `id:${id} sub:001 dlvrd:${delivered} submit date:${minuteOf(message.submittedMs)} ` +
    `done date:${minuteOf(message.finalMs)} stat:${state} err:${settings.error} text:${shown}`
  )
}

/** YYMMDDhhmm in UTC. */
function minuteOf(ms: number): string {
  return new Date(ms).toISOString().replace(/[-T:]/g, '').slice(2, 12)
}

/** YYMMDDhhmmsstnnp in UTC. (SMPP v3.4 §7.1.1) */
export function absoluteTime(ms: number): string {
  return ms === 0 ? '' : `${new Date(ms).toISOString().replace(/[-T:]/g, '').slice(2, 14)}000+`
}

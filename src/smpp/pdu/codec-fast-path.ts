/**
 * Hand-written coders for the most frequent PDUs of a busy line: deliver_sm and submit_sm_resp in, submit_sm out. They
 * are two to five times as fast as the general codec; a property test shows that both give the same result. Each
 * returns undefined for anything unusual, also for faults, and the general codec takes over.
 */
import type { Pdu, PduBody } from '../types.ts'
import { SHORT_MESSAGE_OCTETS_MAX, UDHI } from './commands.ts'
import { PDU_OCTETS_MAX } from './framer.ts'
import { readTlvs, tlvOctets, writeTlvs } from './tlvs.ts'

const HEADER_OCTETS = 16
const DELIVER_SM = 0x05
const SUBMIT_SM = 0x04
const SUBMIT_SM_RESP = 0x80000004

/** Octets of C-strings with their NUL. (SMPP v3.4 §4.4.1, §4.6.1) */
const SERVICE_TYPE = 6
const ADDRESS = 21
const TIME = 17
const MESSAGE_ID = 65

/** esm_class to sm_length, with both times empty. */
const FIXED_OCTETS = 10

/** Reads an ordinary deliver_sm or submit_sm_resp. */
export function readFast(frame: Buffer): { pdu: Pdu; stray: number } | undefined {
  const id = frame.readUInt32BE(4)
  if (id === DELIVER_SM) return readDeliver(frame)
  return id === SUBMIT_SM_RESP ? readSubmitResp(frame) : undefined
}

function readDeliver(frame: Buffer): { pdu: Pdu; stray: number } | undefined {
  const serviceEnd = nul(frame, HEADER_OCTETS, SERVICE_TYPE)
  const source = serviceEnd + 3
  const sourceEnd = serviceEnd < 0 ? -1 : nul(frame, source, ADDRESS)
  const dest = sourceEnd + 3
  const destEnd = sourceEnd < 0 ? -1 : nul(frame, dest, ADDRESS)
  const at = destEnd + 1
  if (destEnd < 0 || at + FIXED_OCTETS > frame.length || frame[at + 3] || frame[at + 4]) return undefined
  const text = at + FIXED_OCTETS
  const textEnd = text + frame[at + 9]!
  if (textEnd > frame.length || frame[at]! & UDHI) return undefined
  const { tlvs, stray, fault } = readTlvs(frame, textEnd)
  if (fault) return undefined
  const body: PduBody = {
    service_type: frame.toString('latin1', HEADER_OCTETS, serviceEnd),
    source_addr_ton: frame[serviceEnd + 1]!,
    source_addr_npi: frame[serviceEnd + 2]!,
    source_addr: frame.toString('latin1', source, sourceEnd),
    dest_addr_ton: frame[sourceEnd + 1]!,
    dest_addr_npi: frame[sourceEnd + 2]!,
    destination_addr: frame.toString('latin1', dest, destEnd),
    esm_class: frame[at]!,
    protocol_id: frame[at + 1]!,
    priority_flag: frame[at + 2]!,
    schedule_delivery_time: '',
    validity_period: '',
    registered_delivery: frame[at + 5]!,
    replace_if_present_flag: frame[at + 6]!,
    data_coding: frame[at + 7]!,
    sm_default_msg_id: frame[at + 8]!,
    short_message: frame.subarray(text, textEnd),
  }
  return { pdu: pduOf('deliver_sm', frame, body, tlvs), stray }
}

function readSubmitResp(frame: Buffer): { pdu: Pdu; stray: number } | undefined {
  if (frame.length === HEADER_OCTETS) return undefined
  const end = nul(frame, HEADER_OCTETS, MESSAGE_ID)
  if (end < 0) return undefined
  const { tlvs, stray, fault } = readTlvs(frame, end + 1)
  if (fault) return undefined
  const body = { message_id: frame.toString('latin1', HEADER_OCTETS, end) }
  return { pdu: pduOf('submit_sm_resp', frame, body, tlvs), stray }
}

function pduOf(command: string, frame: Buffer, body: PduBody, tlvs: Pdu['tlvs']): Pdu {
  return { command, status: frame.readUInt32BE(8), sequence: frame.readUInt32BE(12), body, tlvs }
}

/**
 * The position of the NUL of the C-string that begins at `from`; -1 if it is not within `octetsMax` or not within the
 * frame.
 */
function nul(frame: Buffer, from: number, octetsMax: number): number {
  const end = Math.min(frame.length, from + octetsMax)
  for (let at = from; at < end; at++) if (frame[at] === 0) return at
  return -1
}

/** Writes an ordinary submit_sm. The sequence number is 0 if none is given. */
export function writeSubmit(pdu: Pick<Pdu, 'body' | 'tlvs'> & Partial<Pdu>): Buffer | undefined {
  const { body, tlvs } = pdu
  const text = body.short_message ?? NO_TEXT
  if (!(text instanceof Buffer) || text.length > SHORT_MESSAGE_OCTETS_MAX) return undefined
  const optional = tlvOctets(tlvs)
  const strings =
    cOctets(body.service_type, SERVICE_TYPE) +
    cOctets(body.source_addr, ADDRESS) +
    cOctets(body.destination_addr, ADDRESS) +
    cOctets(body.schedule_delivery_time, TIME) +
    cOctets(body.validity_period, TIME)
  if (typeof optional !== 'number' || Number.isNaN(strings)) return undefined
  const total = HEADER_OCTETS + strings + 12 + text.length + optional
  if (total > PDU_OCTETS_MAX) return undefined
  const octets = Buffer.allocUnsafe(total)
  octets.writeUInt32BE(total, 0)
  octets.writeUInt32BE(SUBMIT_SM, 4)
  octets.writeUInt32BE(pdu.status ?? 0, 8)
  octets.writeUInt32BE(pdu.sequence ?? 0, 12)
  const at = writeMandatory(octets, body)
  if (at < 0) return undefined
  octets[at] = text.length
  octets.set(text, at + 1)
  writeTlvs(tlvs, octets, at + 1 + text.length)
  return octets
}

const NO_TEXT = Buffer.alloc(0)

/** Writes service_type to sm_default_msg_id. Returns the position of sm_length, or -1. */
function writeMandatory(octets: Buffer, body: PduBody): number {
  let at = writeC(octets, HEADER_OCTETS, body.service_type)
  at = writeInteger(octets, at, body.source_addr_ton)
  at = writeInteger(octets, at, body.source_addr_npi)
  at = writeC(octets, at, body.source_addr)
  at = writeInteger(octets, at, body.dest_addr_ton)
  at = writeInteger(octets, at, body.dest_addr_npi)
  at = writeC(octets, at, body.destination_addr)
  at = writeInteger(octets, at, body.esm_class)
  at = writeInteger(octets, at, body.protocol_id)
  at = writeInteger(octets, at, body.priority_flag)
  at = writeC(octets, at, body.schedule_delivery_time)
  at = writeC(octets, at, body.validity_period)
  at = writeInteger(octets, at, body.registered_delivery)
  at = writeInteger(octets, at, body.replace_if_present_flag)
  at = writeInteger(octets, at, body.data_coding)
  return writeInteger(octets, at, body.sm_default_msg_id)
}

/** Octets of a C-string with its NUL; NaN if it is too long. */
function cOctets(value: PduBody[string], octetsMax: number): number {
  if (value === undefined) return 1
  return typeof value === 'string' && value.length < octetsMax ? value.length + 1 : NaN
}

function writeC(octets: Buffer, at: number, value: PduBody[string]): number {
  if (at < 0) return -1
  const text = (value ?? '') as string
  let end = at
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0 || code > 0xff) return -1
    octets[end++] = code
  }
  octets[end] = 0
  return end + 1
}

function writeInteger(octets: Buffer, at: number, value: PduBody[string]): number {
  const number = value ?? 0
  if (at < 0 || typeof number !== 'number' || (number & 0xff) !== number) return -1
  octets[at] = number
  return at + 1
}

/**
 * The codec: octets of one PDU to `Pdu` and back. It is the only file that imports npm `smpp`. Of that package it uses
 * the command table (which fields a command has) and the field coders. It does not use the text and time filters, the
 * TLV readers (they ignore the length), or the Session.
 */
import smpp, { type Command, type FieldType } from 'smpp'
import type { Pdu, PduBody } from '../types.ts'
import {
  cOctetsMax,
  fieldStatus,
  isReceipt,
  isResponse,
  mayBeLong,
  LONG_OCTETS_KEPT,
  SHORT_MESSAGE_OCTETS_MAX,
  UDHI,
  type PduFault,
} from './commands.ts'
import { PDU_OCTETS_MAX } from './framer.ts'
import { readFast, writeSubmit } from './codec-fast-path.ts'
import { STATUS } from './status.ts'
import { readTlvs, tlvOctets, udhFault, writeTlvs } from './tlvs.ts'

/**
 * A PDU read from octets. `fault` says why we cannot accept it; `pdu` then holds what could be read before the fault.
 */
export interface Decoded {
  pdu: Pdu
  fault?: PduFault
  /** Octets after the last whole optional parameter. The PDU is processed without them; they are counted. */
  stray: number
  /** How many fields and parameters had a wrong length and were tolerated. Absent: none. */
  odd?: number
}

/** Octets ready to send, or why there are none. The fault names a field, never its content. */
export type Encoded = { octets: Buffer } | { fault: string }

const HEADER_OCTETS = 16

interface Field {
  name: string
  kind: 'integer' | 'c-string' | 'text'
  octetsMax: number
  coder: FieldType
}

interface Layout {
  command: string
  id: number
  fields: Field[]
  /** Has fields that an ESME of this kind never needs (submit_multi). The body is not read. */
  opaque: boolean
}

const BY_NAME = new Map<string, Layout>()
const BY_ID = new Map<number, Layout>()
for (const [command, entry] of Object.entries(smpp.commands)) {
  const layout = layoutOf(command, entry)
  BY_NAME.set(command, layout)
  BY_ID.set(layout.id, layout)
}

function layoutOf(command: string, entry: Command): Layout {
  const fields: Field[] = []
  let opaque = false
  for (const [name, field] of Object.entries(entry.params ?? {})) {
    delete field.filter
    const kind = kindOf(field.type)
    if (!kind) opaque = true
    else fields.push({ name, kind, octetsMax: cOctetsMax(command, name), coder: field.type })
  }
  return { command, id: entry.id, fields, opaque }
}

function kindOf(type: FieldType): Field['kind'] | undefined {
  if (type === smpp.types.int8) return 'integer'
  if (type === smpp.types.cstring) return 'c-string'
  return type === smpp.types.buffer ? 'text' : undefined
}

/** Reads one whole frame (the framer has checked command_length). Never throws. */
export function decode(frame: Buffer): Decoded {
  return readFast(frame) ?? decodeAny(frame)
}

/** `decode` without the fast path. */
export function decodeAny(frame: Buffer): Decoded {
  const id = frame.readUInt32BE(4)
  const status = frame.readUInt32BE(8)
  const sequence = frame.readUInt32BE(12)
  const layout = BY_ID.get(id)
  const command = layout?.command ?? `unknown_0x${id.toString(16).padStart(8, '0')}`
  const pdu: Pdu = { command, status, sequence, body: {}, tlvs: [] }
  if (!layout) return { pdu, fault: { status: STATUS.ESME_RINVCMDID, why: 'unknown-command' }, stray: 0 }
  if (layout.opaque) return { pdu, stray: 0 }
  // A response may lack its body: the rule allows it with an error, and some SMSCs do it with ESME_ROK. (SMPP v3.4
  // §4.1, §4.4.2)
  if (frame.length === HEADER_OCTETS && isResponse(command)) return { pdu, stray: 0 }
  const fields = readFields(frame, layout, pdu.body)
  if ('fault' in fields) return { pdu, fault: fields.fault, stray: 0 }
  const read = readTlvs(frame, fields.end, isReceipt(command, pdu.body.esm_class))
  pdu.tlvs = read.tlvs
  const fault = read.fault ?? headerFault(pdu.body)
  const odd = fields.long + read.odd
  return { pdu, ...(fault ? { fault } : {}), stray: read.stray, ...(odd ? { odd } : {}) }
}

/** Fills `body`. Returns where the optional parameters begin and how many fields are too long, or the fault. */
function readFields(frame: Buffer, layout: Layout, body: PduBody): { end: number; long: number } | { fault: PduFault } {
  const { command } = layout
  const long: Field[] = []
  let offset = HEADER_OCTETS
  for (const field of layout.fields) {
    if (offset >= frame.length) return { fault: { status: STATUS.ESME_RINVCMDLEN, why: 'body-too-short' } }
    if (field.kind === 'integer') {
      body[field.name] = field.coder.read(frame, offset)
      offset += 1
      continue
    }
    const octets = field.kind === 'c-string' ? cStringOctets(frame, offset, field) : textOctets(frame, offset)
    if (typeof octets !== 'number') {
      // Some SMSCs omit the last NUL. The response is worth more than that rule.
      const rest = frame.length - offset
      if (isResponse(command) && rest < field.octetsMax) body[field.name] = frame.toString('latin1', offset)
      return { fault: octets }
    }
    const isLong = field.kind === 'c-string' && octets > field.octetsMax
    if (isLong) long.push(field)
    body[field.name] =
      field.kind === 'c-string'
        ? // Not the library's reader: it takes 7-bit ASCII and would change octets above 0x7F.
          frame.toString('latin1', offset, offset + Math.min(octets - 1, isLong ? keptOf(command, field) : Infinity))
        : field.coder.read(frame, offset)
    offset += octets
  }
  const costly = long.find(({ name }) => !mayBeLong(command, name, body.esm_class))
  return costly
    ? { fault: { status: fieldStatus(costly.name), why: `${costly.name}-too-long` } }
    : { end: offset, long: long.length }
}

/**
 * How much of a field that is too long is kept. For a response: as much as a valid field could have, so that an id is
 * recognised.
 */
function keptOf(command: string, { octetsMax }: Field): number {
  return isResponse(command) ? octetsMax - 1 : LONG_OCTETS_KEPT
}

function cStringOctets(frame: Buffer, offset: number, field: Field): number | PduFault {
  const nul = frame.indexOf(0, offset)
  const octets = nul - offset + 1
  if (nul < 0) return { status: fieldStatus(field.name), why: `${field.name}-unterminated` }
  return octets
}

function textOctets(frame: Buffer, offset: number): number | PduFault {
  const octets = 1 + frame.readUInt8(offset)
  return offset + octets > frame.length ? { status: STATUS.ESME_RINVMSGLEN, why: 'sm_length-past-end' } : octets
}

function headerFault(body: PduBody): PduFault | undefined {
  const text = body.short_message
  if (!(text instanceof Buffer) || !text.length || !(Number(body.esm_class) & UDHI)) return undefined
  return udhFault(text)
}

/** A PDU to write. The status and the sequence number are 0 if absent. */
export type Writable = Pick<Pdu, 'command' | 'body' | 'tlvs'> & Partial<Pdu>

/** Writes a PDU. Missing fields become 0 or ''. Never throws. Optional parameters stay in the order given. */
export function encode(pdu: Writable): Encoded {
  const octets = pdu.command === 'submit_sm' ? writeSubmit(pdu) : undefined
  return octets ? { octets } : encodeAny(pdu)
}

/** `encode` without the fast path. */
export function encodeAny(pdu: Writable): Encoded {
  const layout = BY_NAME.get(pdu.command)
  if (!layout || layout.opaque) return { fault: `${pdu.command} is not a command that we can write` }
  const length = mandatoryOctets(layout, pdu.body)
  if (typeof length !== 'number') return length
  const optional = tlvOctets(pdu.tlvs)
  if (typeof optional !== 'number') return optional
  const total = HEADER_OCTETS + length + optional
  if (total > PDU_OCTETS_MAX) return { fault: `the PDU has ${total} octets, more than ${PDU_OCTETS_MAX}` }
  const octets = header(layout.id, total, pdu.status ?? 0, pdu.sequence ?? 0)
  let offset = HEADER_OCTETS
  for (const field of layout.fields) {
    const value = pdu.body[field.name] ?? field.coder.default
    if (typeof value === 'string') octets.write(value, offset, 'latin1')
    else field.coder.write(value, octets, offset)
    offset += field.kind === 'integer' ? 1 : field.coder.size(value)
  }
  writeTlvs(pdu.tlvs, octets, offset)
  return { octets }
}

function mandatoryOctets(layout: Layout, body: PduBody): number | { fault: string } {
  let octets = 0
  for (const field of layout.fields) {
    const value = body[field.name] ?? field.coder.default
    const fault = fieldFault(field, value)
    if (fault) return { fault: `${layout.command}.${field.name} ${fault}` }
    octets += field.kind === 'integer' ? 1 : field.coder.size(value)
  }
  return octets
}

function fieldFault(field: Field, value: string | number | Buffer): string | undefined {
  if (field.kind === 'integer') {
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xff
    return fits ? undefined : 'is not an integer of 0..255'
  }
  if (field.kind === 'text') {
    if (!(value instanceof Buffer)) return 'must be octets'
    return value.length > SHORT_MESSAGE_OCTETS_MAX ? `has more than ${SHORT_MESSAGE_OCTETS_MAX} octets` : undefined
  }
  if (typeof value !== 'string') return 'is not a string'
  if (value.length >= field.octetsMax) return `has more than ${field.octetsMax - 1} characters`
  // A NUL would end the field early; the rest of the field would be read as other fields.
  return /^[\x01-\xff]*$/.test(value) ? undefined : 'has a NUL, or a character above 0xFF'
}

/**
 * The response to a request of the peer: `<command>_resp`, or generic_nack for an unknown command. deliver_sm_resp and
 * data_sm_resp always have their message_id, one NUL. (SMPP v3.4 §4.6.2)
 */
export function encodeResponse(command: string, status: number, sequence: number): Buffer {
  const { id, octets } = RESPONSES.get(command) ?? NACK
  return header(id, octets, status, sequence)
}

const NACK = { id: BY_NAME.get('generic_nack')!.id, octets: HEADER_OCTETS }

const RESPONSES = new Map<string, { id: number; octets: number }>()
for (const { command, id, fields } of BY_NAME.values()) {
  if (!command.endsWith('_resp')) continue
  const messageId = fields.some((field) => field.name === 'message_id')
  RESPONSES.set(command.slice(0, -'_resp'.length), { id, octets: HEADER_OCTETS + (messageId ? 1 : 0) })
}

/** generic_nack. (SMPP v3.4 §4.3) */
export function encodeNack(status: number, sequence: number): Buffer {
  return header(NACK.id, NACK.octets, status, sequence)
}

/** The mandatory parameters of a command, in order; empty for an unknown command. */
export function fieldNames(command: string): readonly string[] {
  return BY_NAME.get(command)?.fields.map(({ name }) => name) ?? []
}

/** True for a command of the table: its name may be a metrics label. */
export function isKnown(command: string): boolean {
  return BY_NAME.has(command)
}

function header(id: number, length: number, status: number, sequence: number): Buffer {
  const octets = Buffer.allocUnsafe(length)
  octets.fill(0, HEADER_OCTETS)
  octets.writeUInt32BE(length, 0)
  octets.writeUInt32BE(id, 4)
  octets.writeUInt32BE(status, 8)
  octets.writeUInt32BE(sequence, 12)
  return octets
}

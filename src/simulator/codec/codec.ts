/**
 * The simulator's own SMPP codec, written from the specification alone (v3.4 §3.2, §4). It shares no code with the
 * daemon's codec, so that one bug cannot hide at both ends.
 */
import type { Pdu, PduBody, Tlv } from '../../smpp/index.ts'
import { COMMANDS_BY_ID, COMMANDS_BY_NAME, COMMAND_STATUS, type Field } from './commands.ts'

/** A PDU, or what is wrong with its octets and how an SMSC answers that. `stray`: octets after the last TLV. */
type Decoded =
  | { ok: true; pdu: Pdu; stray: number }
  | { ok: false; command: string; sequence: number; status: number; why: string }

const HEADER = 16

type Reading = { at: number; body: PduBody } | { status: number; why: string }

/** Reads one whole frame (command_length is correct). Never throws, never reads past the frame. */
export function readPdu(frame: Buffer): Decoded {
  const id = frame.readUInt32BE(4)
  const status = frame.readUInt32BE(8)
  const sequence = frame.readUInt32BE(12)
  const command = COMMANDS_BY_ID.get(id)
  if (!command) {
    const name = `unknown_0x${id.toString(16).padStart(8, '0')}`
    return { ok: false, command: name, sequence, status: COMMAND_STATUS.ESME_RINVCMDID, why: 'unknown command_id' }
  }
  const isResponse = id >= 0x80000000
  // A response with an error status may have no body. (SMPP v3.4 §4.1, §4.4.2)
  const reading = isResponse && frame.length === HEADER ? { at: HEADER, body: {} } : readFields(frame, command.fields)
  if ('why' in reading) {
    return { ok: false, command: command.name, sequence, status: reading.status, why: reading.why }
  }
  const optional = readTlvs(frame, reading.at)
  if (!optional) {
    return {
      ok: false,
      command: command.name,
      sequence,
      status: COMMAND_STATUS.ESME_RINVOPTPARSTREAM,
      why: 'a TLV runs past the end',
    }
  }
  const pdu = { command: command.name, status, sequence, body: reading.body, tlvs: optional.tlvs }
  return { ok: true, pdu, stray: optional.stray }
}

/**
 * Writes a PDU. Absent mandatory parameters are empty or 0; `body: undefined` writes only the header. Throws if no PDU
 * can hold the value: a test asked for it, so the test must fail.
 */
export function writePdu(pdu: {
  command: string
  status?: number
  sequence: number
  body?: PduBody
  tlvs?: Tlv[]
}): Buffer {
  const command = COMMANDS_BY_NAME.get(pdu.command)
  if (!command) throw new Error(`unknown SMPP command '${pdu.command}'`)
  const body = pdu.body
  let length = HEADER
  if (body) for (const field of command.fields) length += octetsOf(field, body)
  for (const tlv of pdu.tlvs ?? []) length += 4 + tlv.value.length
  const octets = Buffer.allocUnsafe(length)
  octets.writeUInt32BE(length, 0)
  octets.writeUInt32BE(command.id, 4)
  octets.writeUInt32BE(pdu.status ?? 0, 8)
  octets.writeUInt32BE(pdu.sequence, 12)
  let at = HEADER
  if (body) for (const field of command.fields) at = writeField(octets, at, field, body)
  for (const tlv of pdu.tlvs ?? []) {
    octets.writeUInt16BE(tlv.tag, at)
    octets.writeUInt16BE(tlv.value.length, at + 2)
    tlv.value.copy(octets, at + 4)
    at += 4 + tlv.value.length
  }
  return octets
}

/** The value of the first TLV with this tag, or undefined. A TLV of length 0 counts as absent. */
export function tlv(pdu: { tlvs: Tlv[] }, tag: number): Buffer | undefined {
  for (const one of pdu.tlvs) if (one.tag === tag) return one.value.length ? one.value : undefined
  return undefined
}

/** A TLV of one octet. */
export function tlv8(tag: number, value: number): Tlv {
  return { tag, value: Buffer.of(value) }
}

/** A C-string parameter of a body; '' if it is absent. */
export function textField(body: PduBody, name: string): string {
  const value = body[name]
  return typeof value === 'string' ? value : ''
}

/** An integer parameter of a body; 0 if it is absent. */
export function integerField(body: PduBody, name: string): number {
  const value = body[name]
  return typeof value === 'number' ? value : 0
}

/** The text octets of a message: short_message, or else message_payload. (SMPP v3.4 §5.3.2.32) */
export function octetsOfText(pdu: Pdu): Buffer {
  const short = pdu.body['short_message']
  if (Buffer.isBuffer(short) && short.length) return short
  return tlv(pdu, 0x0424) ?? Buffer.alloc(0)
}

function readFields(frame: Buffer, fields: readonly Field[]): Reading {
  const body: PduBody = {}
  let at = HEADER
  for (const field of fields) {
    if (field.is === 'c') {
      const end = frame.indexOf(0, at)
      if (end < 0 || end - at >= field.octetsMax) return { status: statusFor(field.name), why: `bad ${field.name}` }
      body[field.name] = frame.toString('latin1', at, end)
      at = end + 1
      continue
    }
    if (at >= frame.length) return { status: COMMAND_STATUS.ESME_RINVMSGLEN, why: `no ${field.name}` }
    const octet = frame[at]!
    at++
    if (field.is === 'u8') body[field.name] = octet
    else {
      if (at + octet > frame.length)
        return { status: COMMAND_STATUS.ESME_RINVMSGLEN, why: 'sm_length runs past the end' }
      body[field.name] = frame.subarray(at, at + octet)
      at += octet
    }
  }
  return { at, body }
}

function readTlvs(frame: Buffer, from: number): { tlvs: Tlv[]; stray: number } | undefined {
  const tlvs: Tlv[] = []
  let at = from
  while (frame.length - at >= 4) {
    const end = at + 4 + frame.readUInt16BE(at + 2)
    if (end > frame.length) return undefined
    tlvs.push({ tag: frame.readUInt16BE(at), value: frame.subarray(at + 4, end) })
    at = end
  }
  return { tlvs, stray: frame.length - at }
}

function statusFor(field: string): number {
  if (field === 'destination_addr') return COMMAND_STATUS.ESME_RINVDSTADR
  if (field === 'source_addr') return COMMAND_STATUS.ESME_RINVSRCADR
  return COMMAND_STATUS.ESME_RINVMSGLEN
}

function octetsOf(field: Field, body: PduBody): number {
  if (field.is === 'u8') return 1
  if (field.is === 'c') return textField(body, field.name).length + 1
  const value = body[field.name]
  const length = Buffer.isBuffer(value) ? value.length : 0
  if (length > 255) throw new Error(`short_message has ${length} octets: sm_length holds at most 255`)
  return 1 + length
}

function writeField(octets: Buffer, at: number, field: Field, body: PduBody): number {
  if (field.is === 'u8') return octets.writeUInt8(integerField(body, field.name) & 0xff, at)
  if (field.is === 'c') {
    const value = textField(body, field.name)
    octets.write(value, at, value.length, 'latin1')
    octets[at + value.length] = 0
    return at + value.length + 1
  }
  const value = body[field.name]
  const payload = Buffer.isBuffer(value) ? value : Buffer.alloc(0)
  octets[at] = payload.length
  payload.copy(octets, at + 1)
  return at + 1 + payload.length
}

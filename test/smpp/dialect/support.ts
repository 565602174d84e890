/** Vectors as decoded PDUs for the dialect tests: built from each vector's own `decoded`, by no codec of ours. */
import { readFileSync } from 'node:fs'
import type { Pdu, PduBody, Tlv } from '../../../src/smpp/types.ts'

export interface Vector {
  id: string
  note: string
  direction: string
  decoded: Record<string, unknown> & { command: string; tlvs?: { tag: string; hex: string }[] }
}

export const DIALECTS = new URL('../../../dialects', import.meta.url).pathname

const file = new URL('../../vectors/pdu-vectors.json', import.meta.url)
export const vectors = (JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] }).vectors

/** The vector whose id begins so: `u03`. */
export function vector(id: string): Vector {
  const found = vectors.find((it) => it.id.startsWith(id))
  if (!found) throw new Error(`no vector ${id}`)
  return found
}

export function pduOf({ decoded }: Vector): Pdu {
  const body: PduBody = {}
  for (const [name, value] of Object.entries(decoded)) {
    if (typeof value === 'string' || typeof value === 'number') body[name] = value
  }
  for (const name of ['command', 'command_status', 'sequence_number', 'sm_length', 'short_message_hex', 'text'])
    delete body[name]
  if (typeof decoded.short_message_hex === 'string') body.short_message = Buffer.from(decoded.short_message_hex, 'hex')
  return {
    command: decoded.command,
    status: Number(decoded.command_status ?? 0),
    sequence: Number(decoded.sequence_number ?? 0),
    body,
    tlvs: (decoded.tlvs ?? []).map((tlv): Tlv => ({ tag: Number(tlv.tag), value: Buffer.from(tlv.hex, 'hex') })),
  }
}

/** A deliver_sm of the standard form, with changes. */
export function deliver(changes: { body?: PduBody; tlvs?: Record<number, string>; command?: string } = {}): Pdu {
  const tlvs = changes.tlvs ?? { 0x0501: '01', 0x1383: '0700' }
  return {
    command: changes.command ?? 'deliver_sm',
    status: 0,
    sequence: 100,
    body: {
      service_type: 'USSD',
      source_addr_ton: 1,
      source_addr_npi: 1,
      source_addr: '67570000001',
      dest_addr_ton: 0,
      dest_addr_npi: 1,
      destination_addr: '123',
      esm_class: 0,
      protocol_id: 0,
      priority_flag: 0,
      schedule_delivery_time: '',
      validity_period: '',
      registered_delivery: 0,
      replace_if_present_flag: 0,
      data_coding: 15,
      sm_default_msg_id: 0,
      short_message: Buffer.from('*123#'),
      ...changes.body,
    },
    tlvs: Object.entries(tlvs).map(([tag, hex]) => ({ tag: Number(tag), value: Buffer.from(hex, 'hex') })),
  }
}

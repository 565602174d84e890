/** A phone's SMS inbox. It assembles parts from UDH, sar TLVs or message_payload. (3GPP TS 23.040 §9.2.3.24.1) */
import type { Pdu } from '../../smpp/index.ts'
import { integerField, octetsOfText, textField, tlv, readSms, readShifted, shiftsIn } from '../codec/index.ts'

export interface Sms {
  from: string
  text: string
  atMs: number
  parts: number
  alphabet: 'gsm7' | 'ucs2' | 'latin1' | 'octets'
  /** A part was longer than a network carries: 160 septets, 140 octets. */
  over: boolean
  messageIds: string[]
  validity: string
}

interface Part {
  reference: string
  total: number
  index: number
  text: string
  alphabet: Sms['alphabet']
  over: boolean
}

/** How many unfinished messages a phone keeps; the oldest is dropped. */
const UNFINISHED_MAX = 100
/** How many messages a phone keeps by default; the oldest is dropped. */
const INBOX_MAX = 500

export interface Inbox {
  readonly all: Sms[]
  /** Returns the message that this submit_sm completes, or undefined. */
  take(submitted: Pdu, id: string, nowMs: number): Sms | undefined
}

export function inbox(keptMax = INBOX_MAX): Inbox {
  const all: Sms[] = []
  const unfinished = new Map<string, { parts: (Part | undefined)[]; ids: string[] }>()
  return {
    all,
    take(submitted, id, nowMs) {
      const from = textField(submitted.body, 'source_addr')
      const part = partOf(submitted)
      const key = `${from} ${part.reference} ${part.total}`
      const entry = unfinished.get(key) ?? { parts: Array<Part | undefined>(part.total).fill(undefined), ids: [] }
      if (!entry.parts[part.index - 1]) entry.ids.push(id)
      entry.parts[part.index - 1] = part
      unfinished.set(key, entry)
      if (unfinished.size > UNFINISHED_MAX) unfinished.delete(unfinished.keys().next().value!)
      if (entry.parts.includes(undefined)) return undefined
      unfinished.delete(key)
      const parts = entry.parts as Part[]
      const sms: Sms = {
        from,
        text: parts.map((one) => one.text).join(''),
        atMs: nowMs,
        parts: parts.length,
        alphabet: part.alphabet,
        over: parts.some((one) => one.over),
        messageIds: entry.ids,
        validity: textField(submitted.body, 'validity_period'),
      }
      all.push(sms)
      if (all.length > keptMax) all.shift()
      return sms
    },
  }
}

function partOf(submitted: Pdu): Part {
  const octets = octetsOfText(submitted)
  const hasHeader = (integerField(submitted.body, 'esm_class') & 0x40) !== 0 && octets.length > 0
  const headerOctets = hasHeader ? Math.min(octets[0]! + 1, octets.length) : 0
  const said = octets.subarray(headerOctets)
  const decoding = readSms(said, integerField(submitted.body, 'data_coding'))
  const header = octets.subarray(1, headerOctets)
  const isPayload = tlv(submitted, 0x0424) !== undefined
  const free = 140 - headerOctets
  const limit =
    decoding.alphabet === 'gsm7' ? Math.floor((free * 8) / 7) : decoding.alphabet === 'ucs2' ? free >> 1 : free
  return {
    ...concatenation(submitted, header),
    alphabet: decoding.alphabet,
    text: decoding.alphabet === 'gsm7' ? readShifted(said, shiftsIn(header)) : decoding.text,
    over: !isPayload && decoding.units > limit,
  }
}

const SINGLE = { reference: '', total: 1, index: 1 }

function concatenation(submitted: Pdu, header: Buffer): { reference: string; total: number; index: number } {
  for (let at = 0; at + 1 < header.length; at += 2 + header[at + 1]!) {
    const value = header.subarray(at + 2, at + 2 + header[at + 1]!)
    if (header[at] === 0x00 && value.length === 3) return sane(`8:${value[0]}`, value[1]!, value[2]!)
    if (header[at] === 0x08 && value.length === 4) return sane(`16:${value.readUInt16BE(0)}`, value[2]!, value[3]!)
  }
  const reference = tlv(submitted, 0x020c)
  const total = tlv(submitted, 0x020e)?.[0]
  const index = tlv(submitted, 0x020f)?.[0]
  if (!reference || !total || !index) return SINGLE
  return sane(`sar:${reference.toString('hex')}`, total, index)
}

/** A part with an index above its total is a message of its own. (3GPP TS 23.040 §9.2.3.24.1) */
function sane(reference: string, total: number, index: number): { reference: string; total: number; index: number } {
  return total > 0 && index > 0 && index <= total ? { reference, total, index } : SINGLE
}

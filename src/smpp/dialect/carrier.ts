/**
 * Where a dialect keeps the network's number of a dialogue, its turn counter and the end bit, read and
 * written from either end: the daemon reads what the network sends and echoes it, the simulator mints it and
 * reads the echo.
 */
import type { DialectProfile, DialectPlace } from './schema.ts'
import type { Envelope } from './envelope.ts'
import type { PduBody, Tlv } from '../types.ts'

/** What places are read from: a PDU of either direction, with its text decoded. */
export interface PduView {
  sequence: number
  body: PduBody
  tlvs: readonly Tlv[]
  /** The text after unwrapping (the payload of an envelope, not the envelope). */
  text: string
  envelope: Envelope | null
}

/** What a PDU says of its dialogue. */
export interface Carrier {
  /** Raw octets of the place; empty where there was none. */
  raw: Buffer
  /** The network's name of the dialogue, '' where there is none. */
  id: string
  step: number | undefined
  /** The end bit as it is meant (after inversion); false where there is none or it is ignored. */
  end: boolean
}

const NOTHING = Buffer.alloc(0)
const STEPS = 128

/** Value of the first optional parameter with that tag; empty where there is none. */
export function tlvOf(tlvs: readonly Tlv[], tag: number): Buffer {
  return tlvs.find((tlv) => tlv.tag === tag)?.value ?? NOTHING
}

/** Octets at a place; empty = absent. Texts are Latin-1 octets, but `short_message` and envelopes UTF-8. */
export function readPlace(place: DialectPlace, view: PduView): Buffer {
  const skip = place.skip ?? 0
  if (place.tlv !== undefined) return tlvOf(view.tlvs, place.tlv).subarray(skip)
  if (place.const !== undefined) return Buffer.from(place.const, 'latin1').subarray(skip)
  if (place.envelope !== undefined) {
    return Buffer.from(view.envelope?.params.get(String(place.envelope)) ?? '', 'utf8').subarray(skip)
  }
  if (place.field === 'short_message') return Buffer.from(view.text, 'utf8').subarray(skip)
  if (place.field === 'sequence_number') return Buffer.from(String(view.sequence), 'latin1').subarray(skip)
  const value = view.body[place.field as string]
  return Buffer.from(value === undefined ? '' : String(value), 'latin1').subarray(skip)
}

/** The text at a place, without NUL octets. */
export function readPlaceText(place: DialectPlace, view: PduView): string {
  const encoding = place.field === 'short_message' || place.envelope !== undefined ? 'utf8' : 'latin1'
  return readPlace(place, view).toString(encoding).replaceAll('\0', '').trim()
}

/** What a PDU says of its dialogue, by the profile. */
export function getSession(profile: DialectProfile, view: PduView): Carrier {
  const { session } = profile.inbound
  const raw = session.from.map((place) => readPlace(place, view)).find((octets) => octets.length > 0) ?? NOTHING
  const read = raw.length === 0 ? '' : sessionId(profile, raw)
  const id = session.zero === 'none' && /^0+$/.test(read) ? '' : read
  const dest = session.withDest && id !== '' ? `@${String(view.body.destination_addr ?? '')}` : ''
  return { raw, id: id + dest, step: stepOf(profile, raw), end: endBitOf(profile, view.tlvs) }
}

/** The turn counter in a carrier; undefined where the dialect has none. */
export function stepOf(profile: DialectProfile, raw: Uint8Array): number | undefined {
  return profile.inbound.session.step === 'octet2' && raw.length >= 2 ? (raw[1] as number) >> 1 : undefined
}

/** The end bit as it is meant. */
export function endBitOf(profile: DialectProfile, tlvs: readonly Tlv[]): boolean {
  const { use, tlv, octet, bit } = profile.inbound.endBit
  const value = tlvOf(tlvs, tlv)[octet]
  if (use === 'ignore' || value === undefined) return false
  const set = ((value >> bit) & 1) === 1
  return use === 'inverted' ? !set : set
}

/**
 * A carrier with the end bit as meant; the same octets where it has no such octet or the dialect ignores the
 * bit.
 */
export function withEndBit(profile: DialectProfile, raw: Uint8Array, end: boolean): Buffer {
  const { use, octet, bit } = profile.inbound.endBit
  const out = Buffer.from(raw)
  const value = out[octet]
  if (use === 'ignore' || value === undefined) return out
  const set = use === 'inverted' ? !end : end
  out[octet] = set ? value | (1 << bit) : value & ~(1 << bit)
  return out
}

/** Whether the number of the dialogue and the end bit are in one parameter. */
export function endBitInSession(profile: DialectProfile): boolean {
  return profile.inbound.session.from.some((place) => place.tlv === profile.inbound.endBit.tlv)
}

/** A carrier with its turn counter at `step` (0 to 127). */
export function withStep(raw: Uint8Array, step: number): Buffer {
  const out = Buffer.from(raw)
  if (out.length >= 2) out[1] = ((step % STEPS) << 1) | ((out[1] as number) & 1)
  return out
}

/** What a carrier is put into: a PDU that is being built. */
export interface PduTarget {
  body: PduBody
  tlvs: Tlv[]
  envelope: Map<string, string>
}

/** Puts raw octets where the profile reads the number of the dialogue from (its first place). */
export function putSession(profile: DialectProfile, target: PduTarget, raw: Uint8Array): void {
  const [place] = profile.inbound.session.from
  if (place === undefined || raw.length === 0) return
  const octets = Buffer.from(raw)
  if (place.tlv !== undefined) {
    const skipped = Buffer.alloc(place.skip ?? 0)
    target.tlvs.push({ tag: place.tlv, value: Buffer.concat([skipped, octets]) })
  } else if (place.envelope !== undefined) {
    target.envelope.set(String(place.envelope), octets.toString('utf8'))
  } else if (place.field === 'protocol_id') {
    // The one field of these that is a number: read as its decimal digits, and written as what they say.
    const digits = octets.toString('latin1')
    target.body.protocol_id = /^\d{1,3}$/.test(digits) ? Number(digits) & 0xff : (octets.at(-1) ?? 0)
  } else if (place.field !== undefined && place.field !== 'short_message' && place.field !== 'sequence_number') {
    target.body[place.field] = octets.toString('latin1')
  }
}

/**
 * Raw octets of a new dialogue with the network's number `n`: turn 0, no end bit. The simulator's side, and
 * push.
 */
export function mintSession(profile: DialectProfile, n: number): Buffer {
  const { session } = profile.inbound
  const number = Math.abs(Math.trunc(n))
  const swapped = (octets: Buffer) => (session.swap16 && octets.length === 2 ? octets.swap16() : octets)
  switch (session.decode) {
    case 'octet1':
      return withEndBit(profile, Buffer.from([number & 0xff, 0]), false)
    case 'opaque16':
      return swapped(u16((number << 1) & 0xffff & (session.mask ?? 0xffff)))
    case 'id15be':
      return swapped(u16((number & 0x7fff) << 1))
    case 'id15le':
      return Buffer.from([number & 0xff, ((number >> 8) & 0x7f) << 1])
    case 'dec':
      return Buffer.from(String(number), 'latin1')
    case 'ascii': {
      const digits = number.toString(16).toUpperCase().padStart(6, '0')
      return Buffer.from(digits + terminator(profile), 'latin1')
    }
    case 'uint':
    case 'hex':
      return swapped(unsigned(number, session.octets))
  }
}

/** Values in a C-string parameter carry their NUL. (SMPP v3.4 §5.3.2.12) */
function terminator(profile: DialectProfile): string {
  return profile.inbound.session.from[0]?.tlv === undefined ? '' : '\0'
}

/** The number of a dialogue, from its raw octets: without turn and end bit. */
export function sessionId(profile: DialectProfile, raw: Buffer): string {
  const { decode, mask, swap16 } = profile.inbound.session
  const octets = swap16 && raw.length === 2 ? Buffer.from(raw).swap16() : raw
  const low = octets[1] ?? 0
  switch (decode) {
    case 'octet1':
      return String(octets[0])
    case 'opaque16':
      return hexOf16(uint(octets.subarray(0, 2)) & BigInt(mask ?? 0xffff))
    case 'id15be':
      return String(uint(octets.subarray(0, 2)) >> 1n)
    case 'id15le':
      return String((octets[0] as number) | ((low >> 1) << 8))
    case 'uint':
      return String(uint(octets))
    case 'hex':
      return octets.toString('hex')
    case 'ascii':
      return octets.toString('latin1').replaceAll('\0', '').trim()
    case 'dec':
      return octets
        .toString('latin1')
        .replace(/\D/g, '')
        .replace(/^0+(?=\d)/, '')
        .slice(0, 20)
  }
}

/** A big-endian number of any width: senders use one, two, four or eight octets for the same parameter. */
export function uint(octets: Uint8Array): bigint {
  let value = 0n
  for (const octet of octets.subarray(0, 16)) value = (value << 8n) | BigInt(octet)
  return value
}

function unsigned(value: number, octets: number): Buffer {
  const out = Buffer.alloc(octets)
  let rest = BigInt(value)
  for (let at = octets - 1; at >= 0; at--, rest >>= 8n) out[at] = Number(rest & 0xffn)
  return out
}

function hexOf16(value: bigint): string {
  return value.toString(16).padStart(4, '0')
}

function u16(value: number): Buffer {
  const out = Buffer.alloc(2)
  out.writeUInt16BE(value & 0xffff)
  return out
}

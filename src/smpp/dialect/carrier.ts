/**
 * Where a dialect keeps the network's number of a dialogue, its turn counter and the end bit. Both ends use this file:
 * the daemon reads what the network sends and echoes it; the simulator creates the number and reads the echo.
 */
import type { DialectProfile, DialectPlace } from './schema.ts'
import type { Envelope } from './envelope.ts'
import type { PduBody, Tlv } from '../types.ts'

/** What a place is read from: a PDU of either direction, with its text decoded. */
export interface PduView {
  sequence: number
  body: PduBody
  tlvs: readonly Tlv[]
  /** The text after unwrapping: the payload of an envelope, not the envelope itself. */
  text: string
  envelope: Envelope | null
}

/** What a PDU says about its dialogue. */
export interface Carrier {
  /** Raw octets of the place; empty if the PDU has none. */
  raw: Buffer
  /** The network's name of the dialogue; '' if the PDU has none. */
  id: string
  step: number | undefined
  /** The end bit as the network means it (after inversion). False if there is none or the profile ignores it. */
  end: boolean
}

const NOTHING = Buffer.alloc(0)
const STEPS = 128

/** Value of the first optional parameter with this tag; empty if there is none. */
export function tlvOf(tlvs: readonly Tlv[], tag: number): Buffer {
  for (const tlv of tlvs) if (tlv.tag === tag) return tlv.value
  return NOTHING
}

/** Octets at a place; empty means absent. Fields are Latin-1, but `short_message` and envelope values are UTF-8. */
export function readPlace(place: DialectPlace, view: PduView): Buffer {
  return placeReader(place)(view)
}

/** `readPlace` for one place. */
export function placeReader(place: DialectPlace): (view: PduView) => Buffer {
  const { skip = 0 } = place
  const whole = wholeReader(place)
  return skip === 0 ? whole : (view) => whole(view).subarray(skip)
}

function wholeReader(place: DialectPlace): (view: PduView) => Buffer {
  const { tlv, field } = place
  if (tlv !== undefined) return (view) => tlvOf(view.tlvs, tlv)
  if (place.const !== undefined) {
    const octets = Buffer.from(place.const, 'latin1')
    return () => octets
  }
  const text = writtenAt(place)
  const encoding = field === 'short_message' || place.envelope !== undefined ? 'utf8' : 'latin1'
  return (view) => Buffer.from(text(view), encoding)
}

/** What is at a place that holds a string. */
function writtenAt({ field, envelope }: DialectPlace): (view: PduView) => string {
  if (envelope !== undefined) {
    const name = String(envelope)
    return (view) => view.envelope?.params.get(name) ?? ''
  }
  if (field === 'short_message') return (view) => view.text
  if (field === 'sequence_number') return (view) => String(view.sequence)
  return (view) => String(view.body[field as string] ?? '')
}

/** Reads the text at a place, without NUL octets. */
export function placeTextReader(place: DialectPlace): (view: PduView) => string {
  if (place.tlv === undefined && place.const === undefined && !place.skip) {
    const text = writtenAt(place)
    return (view) => tidy(text(view))
  }
  const encoding = place.field === 'short_message' || place.envelope !== undefined ? 'utf8' : 'latin1'
  const read = placeReader(place)
  return (view) => tidy(read(view).toString(encoding))
}

function tidy(text: string): string {
  return text.replaceAll('\0', '').trim()
}

/** `placeTextReader` for one view. */
export function readPlaceText(place: DialectPlace, view: PduView): string {
  return placeTextReader(place)(view)
}

/** `compileSession` for one view. */
export function getSession(profile: DialectProfile, view: PduView): Carrier {
  return compileSession(profile)(view)
}

const ZEROS = /^0+$/

/** Reads what a PDU says about its dialogue. */
export function compileSession(profile: DialectProfile): (view: PduView) => Carrier {
  const { from, zero, withDest } = profile.inbound.session
  const places = from.map(placeReader)
  const rawOf = (view: PduView) => {
    for (const read of places) {
      const octets = read(view)
      if (octets.length > 0) return octets
    }
    return NOTHING
  }
  const idOf = compileId(profile)
  const endOf = endBitReader(profile)
  return (view) => {
    const raw = rawOf(view)
    let id = raw.length === 0 ? '' : idOf(raw)
    if (zero === 'none' && ZEROS.test(id)) id = ''
    if (withDest && id !== '') id += `@${String(view.body.destination_addr ?? '')}`
    return { raw, id, step: stepOf(profile, raw), end: endOf(view.tlvs) }
  }
}

/** The turn counter in a carrier; undefined if the dialect has none. */
export function stepOf(profile: DialectProfile, raw: Uint8Array): number | undefined {
  return profile.inbound.session.step === 'octet2' && raw.length >= 2 ? (raw[1] as number) >> 1 : undefined
}

/** The end bit as the network means it. */
export function endBitOf(profile: DialectProfile, tlvs: readonly Tlv[]): boolean {
  return endBitReader(profile)(tlvs)
}

function endBitReader({ inbound }: DialectProfile): (tlvs: readonly Tlv[]) => boolean {
  const { use, tlv, octet, bit } = inbound.endBit
  if (use === 'ignore') return () => false
  const end = use === 'inverted' ? 0 : 1
  return (tlvs) => {
    const value = tlvOf(tlvs, tlv)[octet]
    return value !== undefined && ((value >> bit) & 1) === end
  }
}

/**
 * The carrier with the end bit set as meant. The octets stay the same if they hold no end bit or the dialect ignores
 * it.
 */
export function withEndBit(profile: DialectProfile, raw: Uint8Array, end: boolean): Buffer {
  const out = Buffer.from(raw)
  setEndBit(profile, out, end)
  return out
}

/** `withEndBit`, in these octets. */
export function setEndBit(profile: DialectProfile, raw: Buffer, end: boolean): void {
  const { use, octet, bit } = profile.inbound.endBit
  const value = raw[octet]
  if (use === 'ignore' || value === undefined) return
  const set = use === 'inverted' ? !end : end
  raw[octet] = set ? value | (1 << bit) : value & ~(1 << bit)
}

/** Whether one parameter holds both the number of the dialogue and the end bit. */
export function endBitInSession(profile: DialectProfile): boolean {
  return profile.inbound.session.from.some((place) => place.tlv === profile.inbound.endBit.tlv)
}

/** Sets the turn counter of these octets to `step` (0 to 127). */
export function setStep(raw: Buffer, step: number): void {
  if (raw.length >= 2) raw[1] = ((step % STEPS) << 1) | ((raw[1] as number) & 1)
}

/** What a carrier is written into: a PDU that is being built. */
export interface PduTarget {
  body: PduBody
  tlvs: Tlv[]
  /** Absent: the text has no envelope. */
  envelope?: Map<string, string>
}

/** Writes raw octets to the first place from which the profile reads the number of the dialogue. */
export function putSession(profile: DialectProfile, target: PduTarget, raw: Uint8Array): void {
  const [place] = profile.inbound.session.from
  if (place === undefined || raw.length === 0) return
  if (place.tlv !== undefined) {
    target.tlvs.push({ tag: place.tlv, value: skipped(place.skip ?? 0, raw) })
    return
  }
  const octets = Buffer.from(raw)
  if (place.envelope !== undefined) {
    target.envelope?.set(String(place.envelope), octets.toString('utf8'))
  } else if (place.field === 'protocol_id') {
    // The only numeric field among these: the octets are its decimal digits.
    const digits = octets.toString('latin1')
    target.body.protocol_id = /^\d{1,3}$/.test(digits) ? Number(digits) & 0xff : (octets.at(-1) ?? 0)
  } else if (place.field !== undefined && place.field !== 'short_message' && place.field !== 'sequence_number') {
    target.body[place.field] = octets.toString('latin1')
  }
}

/** The octets behind as many zeros as the place skips. */
function skipped(skip: number, raw: Uint8Array): Buffer {
  return skip === 0 && raw instanceof Buffer ? raw : Buffer.concat([Buffer.alloc(skip), raw])
}

/**
 * Raw octets of a new dialogue with the network's number `n`: turn 0, no end bit. Used by the simulator and by push.
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

/** Values in a C-string parameter end with a NUL. (SMPP v3.4 §5.3.2.12) */
function terminator(profile: DialectProfile): string {
  return profile.inbound.session.from[0]?.tlv === undefined ? '' : '\0'
}

/** The number of a dialogue from its raw octets, without turn counter and end bit. */
export function sessionId(profile: DialectProfile, raw: Buffer): string {
  return compileId(profile)(raw)
}

function compileId(profile: DialectProfile): (raw: Buffer) => string {
  const { swap16 } = profile.inbound.session
  const read = idReader(profile)
  return swap16 ? (raw) => read(raw.length === 2 ? Buffer.from(raw).swap16() : raw) : read
}

function idReader({ inbound }: DialectProfile): (octets: Buffer) => string {
  const { decode, mask = 0xffff } = inbound.session
  switch (decode) {
    case 'octet1':
      return (octets) => String(octets[0])
    case 'opaque16':
      return (octets) => hexOf16(u16At0(octets) & mask)
    case 'id15be':
      return (octets) => String(u16At0(octets) >> 1)
    case 'id15le':
      return (octets) => String((octets[0] as number) | (((octets[1] ?? 0) >> 1) << 8))
    case 'uint':
      return (octets) => String(uint(octets))
    case 'hex':
      return (octets) => octets.toString('hex')
    case 'ascii':
      return (octets) => tidy(octets.toString('latin1'))
    case 'dec':
      return (octets) =>
        octets
          .toString('latin1')
          .replace(/\D/g, '')
          .replace(/^0+(?=\d)/, '')
          .slice(0, 20)
  }
}

/** The first two octets as a number; the first, if there is no second. */
function u16At0(octets: Buffer): number {
  const high = octets[0] ?? 0
  const low = octets[1]
  return low === undefined ? high : (high << 8) | low
}

/** No number has more octets; what follows is ignored. */
export const UINT_OCTETS_MAX = 16

/** A big-endian number of any width. Senders use one, two, four or eight octets for the same parameter. */
export function uint(octets: Uint8Array): bigint {
  let value = 0n
  for (const octet of octets.subarray(0, UINT_OCTETS_MAX)) value = (value << 8n) | BigInt(octet)
  return value
}

function unsigned(value: number, octets: number): Buffer {
  const out = Buffer.alloc(octets)
  let rest = BigInt(value)
  for (let at = octets - 1; at >= 0; at--, rest >>= 8n) out[at] = Number(rest & 0xffn)
  return out
}

function hexOf16(value: number): string {
  return value.toString(16).padStart(4, '0')
}

function u16(value: number): Buffer {
  const out = Buffer.alloc(2)
  out.writeUInt16BE(value & 0xffff)
  return out
}

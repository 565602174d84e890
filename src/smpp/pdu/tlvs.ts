/** Optional parameters, and the user data header at the start of a short message: reads, checks and writes them. */
import type { Tlv } from '../types.ts'
import { TLVS_MAX, tlvLengthFits, type PduFault } from './commands.ts'
import { STATUS } from './status.ts'

const NONE: Tlv[] = []

/**
 * Reads the optional parameters from `offset` to the end of the frame. It keeps order, repeated tags (readers take the
 * first) and unknown tags, and uses the length that was sent. (SMPP v3.4 §3.2.4, §3.3) `isReceipt`: a known parameter
 * with an impossible length is counted as odd and tolerated.
 */
export function readTlvs(
  frame: Buffer,
  offset: number,
  isReceipt = false,
): { tlvs: Tlv[]; stray: number; odd: number; fault?: PduFault } {
  if (offset >= frame.length) return { tlvs: NONE.slice(), stray: 0, odd: 0 }
  const tlvs: Tlv[] = []
  let odd = 0
  let at = offset
  while (frame.length - at >= 4) {
    if (tlvs.length === TLVS_MAX) return { tlvs, stray: 0, odd, fault: streamFault('too-many-tlvs') }
    const tag = frame.readUInt16BE(at)
    const octets = frame.readUInt16BE(at + 2)
    at += 4
    if (at + octets > frame.length) return { tlvs, stray: 0, odd, fault: streamFault('tlv-past-end') }
    if (!tlvLengthFits(tag, octets)) {
      if (!isReceipt) return { tlvs, stray: 0, odd, fault: { status: STATUS.ESME_RINVPARLEN, why: 'tlv-length' } }
      odd++
    }
    tlvs.push({ tag, value: frame.subarray(at, at + octets) })
    at += octets
  }
  return { tlvs, stray: frame.length - at, odd }
}

function streamFault(why: string): PduFault {
  return { status: STATUS.ESME_RINVOPTPARSTREAM, why }
}

/** Octets that these parameters take on the wire, or why they cannot be written. */
export function tlvOctets(tlvs: readonly Tlv[]): number | { fault: string } {
  let octets = 0
  if (tlvs.length > TLVS_MAX) return { fault: `more than ${TLVS_MAX} optional parameters` }
  for (const { tag, value } of tlvs) {
    if (!Number.isInteger(tag) || tag < 0 || tag > 0xffff) return { fault: 'a tag is not an integer of 0..65535' }
    if (value.length > 0xffff) return { fault: `optional parameter 0x${tag.toString(16)} has more than 65535 octets` }
    octets += 4 + value.length
  }
  return octets
}

/** Writes the parameters in the order given. tlvOctets has computed the space. */
export function writeTlvs(tlvs: readonly Tlv[], octets: Buffer, offset: number): void {
  let at = offset
  for (const { tag, value } of tlvs) {
    octets.writeUInt16BE(tag, at)
    octets.writeUInt16BE(value.length, at + 2)
    value.copy(octets, at + 4)
    at += 4 + value.length
  }
}

/** National language shift tables: one data octet each. (3GPP TS 23.040 §9.2.3.24.15, .16) */
const NATIONAL = new Set([0x24, 0x25])

/** Why the user data header of this short message cannot be read; undefined if it can. (3GPP TS 23.040 §9.2.3.24) */
export function udhFault(text: Buffer): PduFault | undefined {
  const end = 1 + text.readUInt8(0)
  const bad = { status: STATUS.ESME_RINVMSGLEN, why: 'user-data-header' }
  if (end > text.length) return bad
  let at = 1
  while (at < end) {
    if (at + 2 > end) return bad
    const octets = text.readUInt8(at + 1)
    if (at + 2 + octets > end || (NATIONAL.has(text.readUInt8(at)) && octets !== 1)) return bad
    at += 2 + octets
  }
  return undefined
}

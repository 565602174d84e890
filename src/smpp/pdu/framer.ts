/** The framer: octets of a socket in, complete PDUs out. It never allocates a length only because a peer claimed it. */

/**
 * The longest PDU that we accept: message_payload may have 64 K (SMPP v3.4 §5.3.2.32), plus header, mandatory part and
 * other TLVs.
 */
export const PDU_OCTETS_MAX = 70_000

const HEADER_OCTETS = 16
/** Octets of command_length, the first field. */
const LENGTH_OCTETS = 4

/** command_length is impossible: framing is lost, so the connection must close. (SMPP v3.4 §4.3) */
export interface FramingFault {
  commandLength: number
  /** The protocol that the peer seems to speak. */
  speaks: Speaks
}

export type Speaks = 'smpp' | 'tls' | 'http' | 'proxy' | 'ssh' | 'text' | 'nothing-known'

export interface Framer {
  /** Takes octets; calls `onFrame` for every PDU that they complete. After a fault it takes nothing more. */
  push(chunk: Buffer): FramingFault | undefined
  /** Goes on where `mayGoOn` stopped it. */
  goOn(): FramingFault | undefined
  /** True after a no of `mayGoOn`, if there may be another whole PDU. */
  waiting(): boolean
  /** True while a PDU has begun but not ended. */
  partial(): boolean
  /** How many PDUs are complete so far. It distinguishes one half-sent PDU from the next. */
  completed(): number
}

/**
 * A frame is a view of its chunk if one chunk held the whole frame. `mayGoOn` is asked after each PDU; after a no the
 * rest of the chunk waits.
 */
export function framer(
  onFrame: (frame: Buffer) => void,
  octetsMax = PDU_OCTETS_MAX,
  mayGoOn: () => boolean = () => true,
): Framer {
  let held: Buffer[] = []
  let heldOctets = 0
  let wanted = LENGTH_OCTETS
  let done = 0
  let lost = false

  function whole(chunk: Buffer): FramingFault | undefined {
    let offset = 0
    while (chunk.length - offset >= wanted) {
      const length = chunk.readUInt32BE(offset)
      if (length < HEADER_OCTETS || length > octetsMax) {
        lost = true
        return { commandLength: length, speaks: whatSpeaks(chunk.subarray(offset), done === 0) }
      }
      wanted = length
      if (chunk.length - offset < length) break
      onFrame(chunk.subarray(offset, offset + length))
      done++
      offset += length
      wanted = LENGTH_OCTETS
      if (!mayGoOn()) break
    }
    held = [chunk.subarray(offset)]
    heldOctets = chunk.length - offset
    return undefined
  }

  return {
    push(chunk) {
      if (lost) return undefined
      if (!heldOctets) return whole(chunk)
      held.push(chunk)
      heldOctets += chunk.length
      if (heldOctets < wanted) return undefined
      return whole(Buffer.concat(held, heldOctets))
    },
    goOn: () => (lost ? undefined : whole(Buffer.concat(held, heldOctets))),
    waiting: () => !lost && heldOctets >= wanted,
    partial: () => heldOctets > 0,
    completed: () => done,
  }
}

/** After the first good PDU we know that the peer speaks SMPP. A later fault is a framing error, the peer's or ours. */
function whatSpeaks(octets: Buffer, first: boolean): Speaks {
  const start = octets.toString('latin1', 0, 8)
  if (/^[\x14-\x17]\x03[\x00-\x04]/.test(start)) return 'tls'
  if (/^(HTTP|GET |POST|HEAD|PUT |OPTI|DELE|CONN)/.test(start)) return 'http'
  if (/^PROXY|^\r\n\r\n\0\r\nQ/.test(start)) return 'proxy'
  if (start.startsWith('SSH-')) return 'ssh'
  if (!first) return 'smpp'
  return /^[\r\n\t\x20-\x7e]+$/.test(start) ? 'text' : 'nothing-known'
}

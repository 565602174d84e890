/** The framer: octets of a socket in, complete PDUs out. It never allocates a length that a peer merely claimed. */

/** Longest PDU taken: message_payload may be 64 K (SMPP v3.4 §5.3.2.32), plus header, mandatory part and other TLVs. */
export const PDU_OCTETS_MAX = 70_000

const HEADER_OCTETS = 16
/** Of command_length, the first field. */
const LENGTH_OCTETS = 4

/** command_length cannot be: framing is lost, and the connection with it. (SMPP v3.4 §4.3) */
export interface FramingFault {
  commandLength: number
  /** What the peer seems to speak. */
  speaks: Speaks
}

export type Speaks = 'smpp' | 'tls' | 'http' | 'proxy' | 'ssh' | 'text' | 'nothing-known'

export interface Framer {
  /** Takes octets; calls `onFrame` for every PDU they complete. After a fault nothing more is taken. */
  push(chunk: Buffer): FramingFault | undefined
  /** True while a PDU has begun and not ended. */
  partial(): boolean
  /** PDUs completed so far: tells one half-sent PDU from the next. */
  completed(): number
}

/** Frames are views of the chunks they came in, where one chunk held all of them. */
export function framer(onFrame: (frame: Buffer) => void, octetsMax = PDU_OCTETS_MAX): Framer {
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
    partial: () => heldOctets > 0,
    completed: () => done,
  }
}

/** After the first good PDU the peer speaks SMPP, and what follows is a slip of its framing or ours. */
function whatSpeaks(octets: Buffer, first: boolean): Speaks {
  const start = octets.toString('latin1', 0, 8)
  if (/^[\x14-\x17]\x03[\x00-\x04]/.test(start)) return 'tls'
  if (/^(HTTP|GET |POST|HEAD|PUT |OPTI|DELE|CONN)/.test(start)) return 'http'
  if (/^PROXY|^\r\n\r\n\0\r\nQ/.test(start)) return 'proxy'
  if (start.startsWith('SSH-')) return 'ssh'
  if (!first) return 'smpp'
  return /^[\r\n\t\x20-\x7e]+$/.test(start) ? 'text' : 'nothing-known'
}

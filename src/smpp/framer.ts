/** The framer: octets of a socket in, complete PDUs out. It never allocates a length that a peer merely claimed. */

/** Longest PDU taken: message_payload may be 64 K (SMPP v3.4 §5.3.2.32), plus header, mandatory part and other TLVs. */
export const PDU_OCTETS_MAX = 70_000

const HEADER_OCTETS = 16

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
  let wanted = 4
  let done = 0
  let first = true
  let lost = false

  function fault(commandLength: number, octets: Buffer): FramingFault {
    lost = true
    held = []
    return { commandLength, speaks: whatSpeaks(octets, first) }
  }

  function whole(chunk: Buffer): FramingFault | undefined {
    let offset = 0
    while (chunk.length - offset >= 4) {
      const length = chunk.readUInt32BE(offset)
      if (length < HEADER_OCTETS || length > octetsMax) return fault(length, chunk.subarray(offset))
      if (chunk.length - offset < length) {
        wanted = length
        break
      }
      onFrame(chunk.subarray(offset, offset + length))
      done++
      first = false
      offset += length
    }
    hold(chunk.subarray(offset))
    return undefined
  }

  function hold(rest: Buffer): void {
    held = rest.length ? [rest] : []
    heldOctets = rest.length
    if (rest.length < 4) wanted = 4
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

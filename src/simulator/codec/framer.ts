/** Cuts a stream of octets into whole PDUs by command_length. (SMPP v3.4 §3.2) */

/** If a peer claims a longer PDU, framing is lost: message_payload may have 64 K. */
const FRAME_OCTETS_MAX = 70_000

interface Framer {
  /**
   * Takes octets and passes each whole frame on. Returns false when framing is lost (a length under 16 or over the
   * limit); nothing is read after that.
   */
  push(octets: Buffer): boolean
  /** How many octets of an unfinished frame there are. */
  pending(): number
}

/** If one chunk holds a whole frame, the frame is a slice of it: keep a copy, not the frame. */
export function pduFramer(onFrame: (frame: Buffer) => void): Framer {
  let rest: Buffer[] = []
  let length = 0
  let lost = false

  function cut(buffer: Buffer): void {
    let at = 0
    while (!lost && buffer.length - at >= 4) {
      const size = buffer.readUInt32BE(at)
      if (size < 16 || size > FRAME_OCTETS_MAX) lost = true
      else if (buffer.length - at < size) break
      else {
        onFrame(buffer.subarray(at, at + size))
        at += size
      }
    }
    rest = at < buffer.length ? [buffer.subarray(at)] : []
    length = buffer.length - at
  }

  return {
    push(octets) {
      if (lost) return false
      rest.push(octets)
      length += octets.length
      // Chunks are joined only when the frame can be complete: many small chunks must not cost quadratic time.
      const first = rest[0]!
      const wanted = first.length >= 4 ? first.readUInt32BE(0) : 4
      if (length >= wanted || wanted > FRAME_OCTETS_MAX || wanted < 16)
        cut(rest.length === 1 ? first : Buffer.concat(rest, length))
      return !lost
    },
    pending: () => length,
  }
}

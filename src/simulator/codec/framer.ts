/** Cuts a stream of octets into whole PDUs by command_length. (SMPP v3.4 §3.2) */

/** Over this a claimed command_length is taken for lost framing: message_payload may hold 64 K. */
const FRAME_OCTETS_MAX = 70_000

export interface Framer {
  /**
   * Takes octets and hands each whole frame on. Answers false once the framing is lost (length under 16 or over the
   * limit); nothing is read after that.
   */
  push(octets: Buffer): boolean
  /** Octets of an unfinished frame. */
  pending(): number
}

/** Frames are slices of what came in wherever one chunk holds them whole: keep a copy, not the frame. */
export function framer(onFrame: (frame: Buffer) => void): Framer {
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
      // Joined only when the frame that is waited for can be whole: many small chunks must not cost quadratic time.
      const first = rest[0]!
      const wanted = first.length >= 4 ? first.readUInt32BE(0) : 4
      if (length >= wanted || wanted > FRAME_OCTETS_MAX || wanted < 16)
        cut(rest.length === 1 ? first : Buffer.concat(rest, length))
      return !lost
    },
    pending: () => length,
  }
}

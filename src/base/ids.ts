/** Ids that we create. */

/**
 * UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then random bits; sorts by time. `random` returns this many octets.
 */
export function uuidV7(nowMs: number, random: (octets: number) => Uint8Array): string {
  const octets = new Uint8Array(16)
  octets.set(random(10), 6)
  for (let i = 0, rest = nowMs; i < 6; i++, rest = Math.floor(rest / 256)) octets[5 - i] = rest % 256
  octets[6] = (octets[6]! & 0x0f) | 0x70
  octets[8] = (octets[8]! & 0x3f) | 0x80
  const hex = Buffer.from(octets).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** When the id was made, in milliseconds. Null: it is not a UUIDv7. */
export function uuidV7Ms(id: string): number | null {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(id) ? parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : null
}

/** How many words are cut from one block of chance. */
const WORDS_A_BLOCK = 256

/**
 * Words of so many random octets, in base64url: one call of the system and one text serve many. Three octets are four
 * characters, so no word has a part of another one.
 */
export function randomWords(random: (octets: number) => Uint8Array, octets: 3 | 6 | 9): () => string {
  const length = (octets / 3) * 4
  let block = ''
  let at = 0
  return () => {
    if (at === block.length) {
      block = Buffer.from(random(octets * WORDS_A_BLOCK)).toString('base64url')
      at = 0
    }
    at += length
    return block.slice(at - length, at)
  }
}

/** `random` in small pieces of large blocks: asking the system for ten octets costs as much as for a thousand. */
export function pooled(random: (octets: number) => Uint8Array, pool = 4_096): (octets: number) => Uint8Array {
  let rest = new Uint8Array(0)
  return (octets) => {
    if (rest.length < octets) rest = random(Math.max(pool, octets)) as typeof rest
    const taken = rest.subarray(0, octets)
    rest = rest.subarray(octets)
    return taken
  }
}

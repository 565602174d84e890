/** The idempotency key of a call as back ends want it. The same call has the same key, whichever daemon makes it. */
import { createHash } from 'node:crypto'

export interface IdempotencySettings {
  /** The header in which it is sent. Default: Idempotency-Key. */
  header?: string | undefined
  /** `plain`: `epoch:turn:call`. `uuid`: a UUID made of that. */
  form?: 'plain' | 'uuid' | undefined
}

export function keyOf(intention: string, { form }: IdempotencySettings): string {
  return form === 'uuid' ? uuidOf(intention) : intention
}

/** A UUID of version 8 (RFC 9562 §5.8): 122 bits of the SHA-256 of epoch, turn and call. */
function uuidOf(intention: string): string {
  const octets = createHash('sha256').update(intention).digest().subarray(0, 16)
  octets[6] = (octets[6]! & 0x0f) | 0x80
  octets[8] = (octets[8]! & 0x3f) | 0x80
  const hex = octets.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

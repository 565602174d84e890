/**
 * Names and buckets of dialogues in a store. The bucket count and the hash are part of the stored format: daemons of
 * different releases work on one Redis, so neither may ever change.
 */
import type { DialogueKey } from './types.ts'

/**
 * Dialogues are spread over this many buckets. A bucket is one hash tag: a record and the deadline index that it stands
 * in are in one Redis Cluster slot, so that one script may write both.
 */
export const BUCKETS = 64

/** `group:msisdn`: one name a dialogue, readable back by `keyOf`. */
export function nameOfKey(key: DialogueKey): string {
  // Through a Buffer, because encodeURIComponent throws on half a surrogate pair.
  return `${key.group}:${DIGITS.test(key.msisdn) ? key.msisdn : encodeURIComponent(Buffer.from(key.msisdn).toString())}`
}

/** The key of a name; the MSISDN follows the last colon. */
export function keyOfName(name: string): DialogueKey {
  const at = name.lastIndexOf(':')
  const msisdn = name.slice(at + 1)
  return { group: name.slice(0, at), msisdn: DIGITS.test(msisdn) ? msisdn : decodeURIComponent(msisdn) }
}

/** Stands before what hides a number in a name: two digits of the bucket, then a hash. No plain name has it there. */
export const HIDDEN = '='

/**
 * 0 … BUCKETS-1: FNV-1a over the UTF-16 units of a name, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/); a name
 * that hides its number says it.
 */
export function bucketOf(name: string): number {
  const at = name.lastIndexOf(':') + 1
  if (name.charAt(at) === HIDDEN) return Number(name.slice(at + 1, at + 3))
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % BUCKETS
}

const DIGITS = /^\d*$/

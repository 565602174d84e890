/**
 * Names and buckets of dialogues in a store. The number of buckets and the hash are part of the stored format: daemons
 * of different releases share one Redis, so neither may ever change.
 */
import type { DialogueKey } from './types.ts'

/**
 * Dialogues are spread over this many buckets. A bucket is one hash tag: a record and its deadline index are in one
 * Redis Cluster slot, so that one script can write both.
 */
export const BUCKETS = 64

/** `group:msisdn`: one name per dialogue, which `keyOf` reads back. */
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

/** Precedes a hidden number in a name: then two digits of the bucket and a hash follow. No plain name has it there. */
export const HIDDEN = '='

/** 0 … BUCKETS-1: by the hash of a name. A name that hides its number has the bucket in it. */
export function bucketOf(name: string): number {
  const at = name.lastIndexOf(':') + 1
  if (name.charAt(at) === HIDDEN) return Number(name.slice(at + 1, at + 3))
  return fnv1a(name) % BUCKETS
}

/** FNV-1a over the UTF-16 units, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/). */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

const DIGITS = /^\d*$/

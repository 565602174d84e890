/** Message ids of an SMSC: the response and the receipt may write the same id differently. */

/** How an SMSC writes its ids. 'as-is' makes no guess: `10` may be either. */
export type IdBase = 'as-is' | 'hex' | 'dec'

/** A line's habit: what its responses say, and what its receipts say. */
export interface IdBases {
  response: IdBase
  receipt: IdBase
}

export const AS_IS: IdBases = { response: 'as-is', receipt: 'as-is' }

/**
 * The common form of two writings of one id: no blanks, lower case, no leading zeros, and decimal if the profile of the
 * line says that one side is hexadecimal.
 */
export function messageKey(id: string, base: IdBase): string {
  const plain = id
    .trim()
    .toLowerCase()
    .replace(/^0+(?=.)/, '')
  const isHex = base === 'hex' && /^[0-9a-f]{1,64}$/.test(plain)
  return isHex ? BigInt(`0x${plain}`).toString() : plain
}

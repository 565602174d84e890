/** Message ids of an SMSC: the response and the receipt may write the same id differently. */

/** How an SMSC writes its ids. 'as-is' makes no guess: `10` may be either. */
export type IdBase = 'as-is' | 'hex' | 'dec'

/** How a line's SMSC writes ids in its responses and in its receipts. */
export interface IdBases {
  response: IdBase
  receipt: IdBase
}

export const AS_IS: IdBases = { response: 'as-is', receipt: 'as-is' }

/**
 * The common form of two ways to write one id: no blanks, lower case, no leading zeros; and decimal if the line's
 * profile says that one side is hexadecimal.
 */
export function messageKey(id: string, base: IdBase): string {
  const plain = id
    .trim()
    .toLowerCase()
    .replace(/^0+(?=.)/, '')
  const isHex = base === 'hex' && /^[0-9a-f]{1,64}$/.test(plain)
  return isHex ? BigInt(`0x${plain}`).toString() : plain
}

/**
 * How the id in a receipt differs from that in the response, as the daemon finds out itself where the profile says
 * nothing: hexadecimal in the one and decimal in the other.
 */
export const ID_FORMS = ['same', 'hex-to-dec', 'dec-to-hex'] as const
export type IdForm = (typeof ID_FORMS)[number]

/** 64 bits in either writing: longer ones are no numbers. */
const HEX = /^[0-9a-f]{1,16}$/
const DEC = /^\d{1,19}$/

/** The id of a receipt as its response wrote it. Undefined: it cannot be of this form. */
export function asAnswered(id: string, form: IdForm): string | undefined {
  const plain = messageKey(id, 'as-is')
  if (form === 'same') return plain
  if (form === 'hex-to-dec') return DEC.test(plain) ? BigInt(plain).toString(16) : undefined
  return HEX.test(plain) ? BigInt(`0x${plain}`).toString() : undefined
}

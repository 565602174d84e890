/** Removes personal data from a text: numbers become other numbers, and what was dialled behind a code is masked. */
import { createHmac } from 'node:crypto'
import { type CodeRoute, blankDialled, blankedCode, isServed } from '../../ussd/index.ts'
import type { SeenMessage } from './ring.ts'

export interface Personal {
  /** Other digits of the same length. With nine digits or more the first three stay: they are the country. */
  number(digits: string): string
  /** The text without what was dialled; numbers stay. */
  codes(text: string): string
  /** The text without either. */
  numbers(text: string): string
  /** The form in which a code may be shown. Null: it is not a code, or it may be an answer. */
  codeIn(seen: SeenMessage | undefined): (written: string) => string | null
}

/** Shorter numbers are services: 123, 13579. */
const NUMBER = /\d{7,}/g
const LONG = 9
const COUNTRY = 3

/** Without `routes` nobody knows whose code it is, so only the first part of each code is shown. */
export function personalIn(key: Buffer, routes?: readonly CodeRoute[]): Personal {
  function number(digits: string): string {
    const kept = digits.length >= LONG ? COUNTRY : 0
    const hash = createHmac('sha256', key).update('trace:').update(digits).digest()
    return (
      digits.slice(0, kept) + digits.slice(kept).replace(/\d/g, (_, at: number) => String(hash[at % hash.length]! % 10))
    )
  }
  const codes = (text: string): string => blankDialled(text, routes)
  return {
    number,
    codes,
    numbers: (text) => codes(text).replace(NUMBER, number),
    // `seen` undefined: a code of one of our services was dialled; any other may be an answer.
    codeIn: (seen) => (written) => {
      const isDial = seen === 'code' || (seen === undefined && (routes === undefined || isServed(written, routes)))
      return isDial ? blankedCode(written, routes) : null
    },
  }
}

/** What is personal in a text: numbers become others, what was dialled behind a code is blotted out. */
import { createHmac } from 'node:crypto'
import { type CodeRoute, blankDialled, blankedCode, isServed } from '../../ussd/index.ts'
import type { SeenMessage } from './ring.ts'

export interface Personal {
  /** Other digits, as many, the first three kept where there are nine or more: they say the country. */
  number(digits: string): string
  /** Without what was dialled; numbers stay. */
  codes(text: string): string
  /** Without either. */
  numbers(text: string): string
  /** How a code may be shown; null: it is none, or may be what somebody answered with. */
  codeIn(seen: SeenMessage | undefined): (written: string) => string | null
}

/** Shorter ones are services: 123, 13579. */
const NUMBER = /\d{7,}/g
const LONG = 9
const COUNTRY = 3

/** Without `routes` nobody knows whose code it is, and of each the first part is shown. */
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
    // `seen` undefined: a code of a service of ours was dialled; any other may be what somebody answered with.
    codeIn: (seen) => (written) => {
      const isDial = seen === 'code' || (seen === undefined && (routes === undefined || isServed(written, routes)))
      return isDial ? blankedCode(written, routes) : null
    },
  }
}

/** How large the value of an expression gets, as far as what it is worked out from is bounded. */
import { DECIMALS_MAX, WHOLE_DIGITS_MAX } from './decimal.ts'

export interface Size {
  /** Characters of a text. */
  chars?: number | undefined
  /** The greatest that a number gets, below zero too. */
  max?: number | undefined
  /** Decimals of a number. */
  decimals?: number | undefined
  /** Rows, and the characters of the field of theirs that is read. */
  rows?: number | undefined
  field?: number | undefined
}

/** The greatest number that can be worked out. */
export const NUMBER_MAX = 10 ** WHOLE_DIGITS_MAX - 1
/** Days between the first and the last day that can be written. */
export const DAYS_MAX = 3_652_059

/** Characters that it is shown with; undefined: nobody knows. */
export function charsOf({ chars, max, decimals }: Size): number | undefined {
  if (chars !== undefined || max === undefined) return chars
  const places = decimals ?? DECIMALS_MAX
  return String(Math.ceil(Math.min(max, NUMBER_MAX))).length + (places > 0 ? places + 1 : 0) + 1
}

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

/** The sum; undefined if one of them is. */
export function added(sizes: readonly (number | undefined)[]): number | undefined {
  return sizes.reduce((sum, size) => (sum === undefined || size === undefined ? undefined : sum + size), 0)
}

/** As large as the largest; undefined of what nobody knows of one. */
export function largest(sizes: readonly Size[]): Size {
  const most = (all: (number | undefined)[]) =>
    all.length === 0 || all.includes(undefined) ? undefined : Math.max(...(all as number[]))
  return {
    chars: most(sizes.map(charsOf)),
    max: most(sizes.map((size) => size.max)),
    decimals: most(sizes.map((size) => size.decimals)),
  }
}

/** Characters that it is shown with; undefined: nobody knows. */
export function charsOf({ chars, max, decimals }: Size): number | undefined {
  if (chars !== undefined || max === undefined) return chars
  const places = decimals ?? DECIMALS_MAX
  return String(Math.ceil(Math.min(max, NUMBER_MAX))).length + (places > 0 ? places + 1 : 0) + 1
}

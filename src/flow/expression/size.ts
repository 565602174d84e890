/** How large the value of an expression can be, if the values that it reads have bounds. */
import { DECIMALS_MAX, WHOLE_DIGITS_MAX } from './decimal.ts'

export interface Size {
  /** Characters of a text. */
  chars?: number | undefined
  /** The largest distance of a number from zero. */
  max?: number | undefined
  /** Decimals of a number. */
  decimals?: number | undefined
  /** How many rows, and the characters of the field that is read of them. */
  rows?: number | undefined
  field?: number | undefined
}

/** The largest number that can be computed. */
export const NUMBER_MAX = 10 ** WHOLE_DIGITS_MAX - 1
/** Days between the first and the last possible date. */
export const DAYS_MAX = 3_652_059

/** The sum; undefined if one of the sizes is. */
export function added(sizes: readonly (number | undefined)[]): number | undefined {
  return sizes.reduce((sum, size) => (sum === undefined || size === undefined ? undefined : sum + size), 0)
}

/** The largest of the sizes; a part is undefined if it is unknown for one of them. */
export function largest(sizes: readonly Size[]): Size {
  const most = (all: (number | undefined)[]) =>
    all.length === 0 || all.includes(undefined) ? undefined : Math.max(...(all as number[]))
  return {
    chars: most(sizes.map(charsOf)),
    max: most(sizes.map((size) => size.max)),
    decimals: most(sizes.map((size) => size.decimals)),
  }
}

/** How many characters the value is shown with; undefined: unknown. */
export function charsOf({ chars, max, decimals }: Size): number | undefined {
  if (chars !== undefined || max === undefined) return chars
  const places = decimals ?? DECIMALS_MAX
  return String(Math.ceil(Math.min(max, NUMBER_MAX))).length + (places > 0 ? places + 1 : 0) + 1
}

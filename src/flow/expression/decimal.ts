/** Exact decimals: whole numbers of 10⁻¹⁰. Sums of money are exact to the toea: 0.1 + 0.2 is 0.3. */

/** How many decimals are kept. Further decimals are rounded, half away from zero. */
export const DECIMALS_MAX = 10
/** Digits before the point: as many as an `input` accepts, and as many as a JSON number can hold exactly. */
export const WHOLE_DIGITS_MAX = 15

export type Decimal = bigint

const ONE = 10n ** BigInt(DECIMALS_MAX)
const LIMIT = ONE * 10n ** BigInt(WHOLE_DIGITS_MAX)
const WRITTEN = /^(-?)(\d+)(?:\.(\d+))?$/
/** The most characters of a number that comes as a text. */
const CHARS_MAX = 40

/** The decimal of a number, or of a text that is a number. Undefined: it is not a number, or has too many digits. */
export function readDecimal(value: unknown): Decimal | undefined {
  if (typeof value === 'number') return Math.abs(value) < 10 ** WHOLE_DIGITS_MAX ? read(written(value)) : undefined
  return typeof value === 'string' && value.length <= CHARS_MAX ? read(value.trim()) : undefined
}

function written(value: number): string {
  const shown = String(value)
  return shown.includes('e') ? value.toFixed(DECIMALS_MAX) : shown
}

function read(text: string): Decimal | undefined {
  const [, sign, whole = '', decimals = ''] = WRITTEN.exec(text) ?? []
  if (sign === undefined) return undefined
  const beyond = (decimals.charAt(DECIMALS_MAX) || '0') >= '5' ? 1n : 0n
  const units = BigInt(whole) * ONE + BigInt(decimals.slice(0, DECIMALS_MAX).padEnd(DECIMALS_MAX, '0')) + beyond
  return within(sign === '-' ? -units : units)
}

/** The nearest JSON number. */
export function asNumber(units: Decimal): number {
  const digits = String(units < 0n ? -units : units).padStart(DECIMALS_MAX + 1, '0')
  return Number(`${units < 0n ? '-' : ''}${digits.slice(0, -DECIMALS_MAX)}.${digits.slice(-DECIMALS_MAX)}`)
}

/** Undefined: too many digits, or a division by zero. */
export const ARITHMETIC = {
  '+': (one: Decimal, other: Decimal) => within(one + other),
  '-': (one: Decimal, other: Decimal) => within(one - other),
  '*': (one: Decimal, other: Decimal) => within(divided(one * other, ONE)),
  '/': (one: Decimal, other: Decimal) => (other === 0n ? undefined : within(divided(one * ONE, other))),
} as const

export type Arithmetic = keyof typeof ARITHMETIC

function within(units: Decimal): Decimal | undefined {
  return -LIMIT < units && units < LIMIT ? units : undefined
}

/** Rounds to the nearest; a tie goes away from zero. */
function divided(units: bigint, by: bigint): bigint {
  const [n, d] = by < 0n ? [-units, -by] : [units, by]
  return n < 0n ? -((-n * 2n + d) / (2n * d)) : (n * 2n + d) / (2n * d)
}

/** Rounds to this many decimals: to the nearest, down, or up. */
export function rounded(units: Decimal, places: number, how: 'nearest' | 'down' | 'up'): Decimal {
  const step = 10n ** BigInt(DECIMALS_MAX - places)
  if (how === 'nearest') return divided(units, step) * step
  const rest = ((units % step) + step) % step
  return rest === 0n ? units : how === 'down' ? units - rest : units - rest + step
}

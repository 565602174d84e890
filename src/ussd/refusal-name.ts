/** The names with which back ends refuse: as the back end says them, if a talk and a file can hold them. */

/**
 * 1 to 64 characters without quotes and control characters, no blank at either end: `INSUFFICIENT_FUNDS`, `E-102`, `Not
 * enough money`. `__proto__` would be no key of an object.
 */
// eslint-disable-next-line no-control-regex
export const REFUSAL_NAME = /^(?!__proto__$)(?=[^\s"])[^\x00-\x1f\x7f-\x9f"]{0,63}[^\s\x00-\x1f\x7f-\x9f"]$/

export function isRefusalName(given: unknown): given is string {
  return typeof given === 'string' && REFUSAL_NAME.test(given)
}

/** A name for a log: one with blanks may be a sentence about the subscriber. */
export function refusalInLog(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : '(a name that is not one word)'
}

/**
 * How a dialled code is shown wherever people or files get to see one: logs, traces, exports, tables. What the service
 * has of it stands there; what was dialled behind it may be a PIN, and is `*`. The digits themselves are in the
 * dialogue's record only.
 */
import { readCode, servedParts, type CodeRoute, type ServiceCode } from './service-code.ts'

/**
 * A first part that is nobody's service is shown up to here: operators want to know it, and a longer one is an account
 * or a number.
 */
const FIRST_DIGITS_MAX = 5

/** A code with something behind its first part, in any text. */
const IN_TEXT = /(?<![\w*#])[*#]{1,3}\d+(?:[*#]+\d+)+[*#]*/g

/** The same in octets, one a character, and in UCS-2; the first star may stand elsewhere. */
const IN_OCTETS = /(?<![\d*#])[*#]{0,3}\d+(?:[*#]+\d+)+[*#]*/g
const IN_UCS2 = /(?<!\0[\d*#])(?:\0[*#]){0,3}(?:\0\d)+(?:(?:\0[*#])+(?:\0\d)+)+(?:\0[*#])*/g

/**
 * `*150*1234#` as `*150*#` where the service is `*150#`; `*150#` as it is. What is no code, but looks like one: `*`.
 */
export function shownCode(written: string, routes: readonly CodeRoute[] = []): string {
  const code = readCode(written)
  if (!code) return /[*#]/.test(written) ? '*' : written
  const parts = shownParts(code, routes)
  if (parts === code.parts.length) return written
  return `${[code.lead + code.parts.slice(0, parts).join('*'), ''].join('*')}#`
}

/** The same in as many characters, for octets whose length must stay: `*150*****#` still reads as `*150#`. */
export function blankedCode(written: string, routes: readonly CodeRoute[] = []): string {
  const code = readCode(written)
  const parts = code ? shownParts(code, routes) : 0
  if (parts === code?.parts.length) return written
  let n = 0
  return written.replace(/\d+/g, (digits) => (n++ < parts ? digits : '*'.repeat(digits.length)))
}

/** Whether a service of its own, not one that takes every code, has it. */
export function isServed(written: string, routes: readonly CodeRoute[]): boolean {
  const code = readCode(written)
  return code !== null && servedParts(routes, code) > 0
}

/** A text in which every dialled code is shown as `shownCode` shows it. */
export function hideDialled(text: string, routes: readonly CodeRoute[] = []): string {
  return /[*#]\d/.test(text) ? text.replace(IN_TEXT, (code) => shownCode(code, routes)) : text
}

/**
 * Octets, as ISO 8859-1, in which of every dialled code only that stands that may be shown; as many, and their coding
 * stays.
 */
export function blankDialled(octets: string, routes: readonly CodeRoute[] = []): string {
  return octets
    .replace(IN_OCTETS, (code) => blankedCode(code, routes))
    .replace(IN_UCS2, (wide) => blankedCode(wide.replaceAll('\0', ''), routes).replace(/./g, '\0$&'))
}

function shownParts(code: ServiceCode, routes: readonly CodeRoute[]): number {
  return Math.max(servedParts(routes, code), code.parts[0]!.length <= FIRST_DIGITS_MAX ? 1 : 0)
}

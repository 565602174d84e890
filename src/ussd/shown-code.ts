/**
 * How a dialled code is shown to people or written to files: logs, traces, exports, tables. The service's own part is
 * shown; what was dialled behind it may be a PIN and becomes `*`. Only the dialogue's record has the digits themselves.
 */
import { readCode, servedParts, type CodeRoute, type ServiceCode } from './service-code.ts'

/**
 * How many digits are shown of a first part that belongs to no service. Operators need to see it; a longer one is an
 * account or a number.
 */
const FIRST_DIGITS_MAX = 5

/** A code with something behind its first part, within any text. */
const IN_TEXT = /(?<![\w*#])[*#]{1,3}\d+(?:[*#]+\d+)+[*#]*/g

/** The same in octets, one per character, and in UCS-2, where the first star may be missing. */
const IN_OCTETS = /(?<![\d*#])[*#]{0,3}\d+(?:[*#]+\d+)+[*#]*/g
const IN_UCS2 = /(?<!\0[\d*#])(?:\0[*#]){0,3}(?:\0\d)+(?:(?:\0[*#])+(?:\0\d)+)+(?:\0[*#])*/g

/**
 * `*150*1234#` becomes `*150*#` if the service is `*150#`; `*150#` stays. Something that only looks like a code becomes
 * `*`.
 */
export function shownCode(written: string, routes: readonly CodeRoute[] = []): string {
  const code = readCode(written)
  if (!code) return /[*#]/.test(written) ? '*' : written
  const parts = shownParts(code, routes)
  if (parts === code.parts.length) return written
  return `${[code.lead + code.parts.slice(0, parts).join('*'), ''].join('*')}#`
}

/** The same with the length kept, for octets: `*150*****#` still reads as `*150#`. */
export function blankedCode(written: string, routes: readonly CodeRoute[] = []): string {
  const code = readCode(written)
  const parts = code ? shownParts(code, routes) : 0
  if (parts === code?.parts.length) return written
  let n = 0
  return written.replace(/\d+/g, (digits) => (n++ < parts ? digits : '*'.repeat(digits.length)))
}

/** Whether it belongs to a service of its own, and not only to a service that takes every code. */
export function isServed(written: string, routes: readonly CodeRoute[]): boolean {
  const code = readCode(written)
  return code !== null && servedParts(routes, code) > 0
}

/** The text with every dialled code in the form of `shownCode`. */
export function hideDialled(text: string, routes: readonly CodeRoute[] = []): string {
  return /[*#]\d/.test(text) ? text.replace(IN_TEXT, (code) => shownCode(code, routes)) : text
}

/** ISO 8859-1 octets in which only those parts of dialled codes remain that may be shown. Length and coding stay. */
export function blankDialled(octets: string, routes: readonly CodeRoute[] = []): string {
  return octets
    .replace(IN_OCTETS, (code) => blankedCode(code, routes))
    .replace(IN_UCS2, (wide) => blankedCode(wide.replaceAll('\0', ''), routes).replace(/./g, '\0$&'))
}

function shownParts(code: ServiceCode, routes: readonly CodeRoute[]): number {
  return Math.max(servedParts(routes, code), code.parts[0]!.length <= FIRST_DIGITS_MAX ? 1 : 0)
}

/** Regular expressions that a profile may use: short ones, matched on a short text by src/base/regex/linear.ts. */
import { compileLinear, type Linear, readRegex, type Limits } from '../../base/regex/index.ts'

const REGEX_LENGTH_MAX = 100
/** `*`, `+` and ranges. */
const REGEX_REPEATS_MAX = 2
/** Only this many characters of a text are matched. A dialled code and a service type are shorter. */
const REGEX_TEXT_MAX = 256

const LIMITS: Limits = {
  lengthMax: REGEX_LENGTH_MAX,
  repeatMax: REGEX_TEXT_MAX,
  repeatsMax: REGEX_REPEATS_MAX,
  rangeWidth: 0,
  named: true,
}

/** What is wrong with the expression, or null. */
export function regexFault(source: string): string | null {
  const compiled = compiledOf(source)
  return typeof compiled === 'string' ? compiled : null
}

/**
 * A compiled expression that looks only at the first `REGEX_TEXT_MAX` units. Returns what its group matched, or the
 * whole match if it has no group.
 */
export function matcher(source: string): (text: string) => string | null {
  const compiled = compiledOf(source)
  if (typeof compiled === 'string') throw new Error(compiled)
  return (text) => {
    const match = compiled.find(text.slice(0, REGEX_TEXT_MAX))
    return match && (match[1] ?? match[0] ?? null)
  }
}

function compiledOf(source: string): Linear | string {
  const read = readRegex(source, LIMITS)
  return typeof read === 'string' ? read : compileLinear(read, 'anywhere')
}

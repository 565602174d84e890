/**
 * Patterns for typed answers: regular expressions that must match the whole answer. src/base/regex/linear.ts matches
 * them.
 */
import {
  compileLinear,
  type Linear,
  readRegex,
  type Expression,
  type Limits,
  type Part,
} from '../../base/regex/index.ts'

/** The same limit as in the schema. */
const PATTERN_LENGTH_MAX = 200

/** An answer has at most 160 characters. */
const LIMITS: Limits = { lengthMax: PATTERN_LENGTH_MAX, repeatMax: 160, repeatsMax: 2, rangeWidth: 10, named: false }

export type Pattern = Linear

/** The pattern, for matching a whole answer; or a sentence about what is wrong with it. */
export function compilePattern(source: string): Pattern | string {
  const read = readPattern(source)
  return typeof read === 'string' ? read : compileLinear(read, 'whole')
}

/** The parts of a pattern; or a sentence about what is wrong with it. */
export function readPattern(source: string): Expression | string {
  return readRegex(source, LIMITS)
}

/** The most characters of an answer that the pattern accepts; Infinity if it does not compile. */
export function longestOf(source: string): number {
  const read = readPattern(source)
  return typeof read === 'string' ? Infinity : longestBranch(read)
}

function longestBranch({ alternatives }: Expression): number {
  return Math.max(...alternatives.map(({ elements }) => elements.map(longestPart).reduce((sum, one) => sum + one, 0)))
}

function longestPart(part: Part): number {
  if (part.type === 'Assertion') return 0
  if ('alternatives' in part) return longestBranch(part)
  if (part.type !== 'Quantifier') return 1
  const one = longestPart(part.element)
  return one === 0 ? 0 : one * part.max
}

/**
 * Regular expressions that an operator wrote, read as ECMAScript with the flag `u`, in the same way on every release of
 * Node.js. Flows and dialects both use this reader. It refuses, with a remedy, what cannot be matched in bounded time.
 */
import { RegExpParser, type AST } from '@eslint-community/regexpp'

export type Part = AST.Element | AST.QuantifiableElement
/** Alternatives, one of which must match. */
export interface Expression {
  alternatives: readonly { elements: readonly Part[] }[]
}

/** What an expression may contain in each of the two kinds of files. */
export interface Limits {
  /** The most characters of the expression. */
  lengthMax: number
  /** The largest `{n}` or `{n,m}`. */
  repeatMax: number
  /** How many `*`, `+`, `{n,}` and ranges wider than `rangeWidth` there may be. */
  repeatsMax: number
  rangeWidth: number
  /** Whether capturing groups may have names. */
  named: boolean
}

const parser = new RegExpParser({ ecmaVersion: 2024 })

/** The expression, or a sentence about what is wrong with it and what to do. */
export function readRegex(source: string, limits: Limits): Expression | string {
  if (source.length > limits.lengthMax) return `is longer than ${limits.lengthMax} characters: shorten it`
  try {
    const expression = parser.parsePattern(source, 0, source.length, { unicode: true })
    return complaint(expression, limits) ?? expression
  } catch (error) {
    return `is not a valid pattern: ${(error as Error).message.replace(/^.*: /, '').toLowerCase()}`
  }
}

function complaint(expression: Expression, limits: Limits): string | undefined {
  const parts = [...partsOf(expression.alternatives)]
  const wrong = parts.map((part) => complaintOf(part, limits)).find((what) => what !== undefined)
  if (wrong !== undefined) return wrong
  const { repeatsMax, rangeWidth } = limits
  const wide = parts.filter((part) => part.type === 'Quantifier' && isWide(part, rangeWidth))
  return wide.length > repeatsMax
    ? `has more than ${repeatsMax} repeats without an upper limit: set one, as in \\d{4} or \\d{1,8}`
    : undefined
}

function complaintOf(part: Part, { repeatMax, named }: Limits): string | undefined {
  if (part.type === 'Backreference')
    return 'has a back reference, which can take too long: write out what may stand there'
  if (part.type === 'Assertion' && 'alternatives' in part) {
    return 'has a look-around (?=…), (?!…) or (?<…): write out what may stand there, or use a second check'
  }
  if (part.type === 'CapturingGroup' && part.name !== null && !named) return 'has a named group (?<name>…): write (?:…)'
  if (part.type !== 'Quantifier') return undefined
  if (isGroup(part.element) && !isOptional(part)) {
    return 'repeats a group: write the group out as often as it may come, or repeat one character or class'
  }
  const most = part.max === Infinity ? part.min : part.max
  return most > repeatMax ? `repeats more than ${repeatMax} times: use a smaller number` : undefined
}

function isGroup(part: Part): boolean {
  return part.type === 'Group' || part.type === 'CapturingGroup'
}

/** `?`, however lazy. */
export function isOptional(part: AST.Quantifier): boolean {
  return /^\?\??$/.test(part.raw.slice(part.element.raw.length))
}

function isWide(part: AST.Quantifier, width: number): boolean {
  return part.max === Infinity || (part.max - part.min > width && !isOptional(part))
}

/** All parts, each before the parts inside it. */
function* partsOf(alternatives: Expression['alternatives']): Iterable<Part> {
  for (const part of alternatives.flatMap(({ elements }) => elements)) {
    yield part
    const inner = part.type === 'Quantifier' ? part.element : part
    if (inner !== part) yield inner
    if ('alternatives' in inner) yield* partsOf(inner.alternatives)
  }
}

/**
 * Regular expressions that an operator wrote, read as ECMAScript reads them with the flag `u`, whatever release of
 * Node.js runs: the one reader for flows and dialects. What cannot be matched in a bounded time is refused here, with a
 * remedy.
 */
import { RegExpParser, type AST } from '@eslint-community/regexpp'

export type Part = AST.Element | AST.QuantifiableElement
/** Branches of parts, one of which matches. */
export interface Expression {
  alternatives: readonly { elements: readonly Part[] }[]
}

/** What the two kinds of files let an expression have. */
export interface Limits {
  /** Characters of the expression. */
  lengthMax: number
  /** The largest `{n}` or `{n,m}`. */
  repeatMax: number
  /** `*`, `+`, `{n,}` and ranges wider than `rangeWidth`. */
  repeatsMax: number
  rangeWidth: number
  /** Groups that keep what they matched may have names. */
  named: boolean
}

const parser = new RegExpParser({ ecmaVersion: 2024 })

/** The expression; or a sentence about what is wrong with it, and what to do. */
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

/** All parts, each before what is in it. */
function* partsOf(alternatives: Expression['alternatives']): Iterable<Part> {
  for (const part of alternatives.flatMap(({ elements }) => elements)) {
    yield part
    const inner = part.type === 'Quantifier' ? part.element : part
    if (inner !== part) yield inner
    if ('alternatives' in inner) yield* partsOf(inner.alternatives)
  }
}

/**
 * The only place where an operator's expression meets a text. It is matched by RE2's method, in steps bounded by the
 * size of its program times the length of the text. V8's own engine backtracks and may never end.
 */
import { RE2JS } from 're2js'
import { stretch } from '../index.ts'
import type { Expression } from './read.ts'
import { inRe2 } from './write.ts'

/**
 * The most instructions of one expression. Up to this number re2js marks what it has tried in one map per match, and
 * keeps nothing of the text afterwards. `\d{160}` has 163.
 */
export const PROGRAM_MAX = 500

/** Where a match may be. */
export type Where = 'whole' | 'anywhere'

export interface Linear {
  /** Whether it matches. */
  test(text: string): boolean
  /** What it matched, then what each group matched, like `RegExp.exec`. Null: no match. */
  find(text: string): readonly (string | undefined)[] | null
  /** Instructions: a match takes at most this many steps for each character. */
  size: number
}

/** The compiled expression, or a sentence about why it cannot be compiled. */
export function compileLinear(expression: Expression, where: Where): Linear | string {
  const body = inRe2(expression)
  const compiled = compiledOf(where === 'whole' ? `\\A(?:${body})\\z` : body)
  if (!compiled) return 'has an unknown \\p{…}: write a category such as \\p{Lu}, or a script such as \\p{Script=Latin}'
  const size = compiled.programSize()
  if (size > PROGRAM_MAX) return `is too large (${size} instructions, at most ${PROGRAM_MAX}): repeat less often`
  return {
    find: (text) => stretch('pattern', found, compiled, text),
    test: (text) => stretch('pattern', matches, compiled, text),
    size,
  }
}

function compiledOf(source: string): RE2JS | undefined {
  try {
    return RE2JS.compile(source)
  } catch {
    return undefined
  }
}

function matches(compiled: RE2JS, text: string): boolean {
  return compiled.matcher(text).find()
}

function found(compiled: RE2JS, text: string): (string | undefined)[] | null {
  const matcher = compiled.matcher(text)
  if (!matcher.find()) return null
  return Array.from({ length: compiled.groupCount() + 1 }, (_, i) => matcher.group(i) ?? undefined)
}

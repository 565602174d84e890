/**
 * The one place where an operator's expression meets a text: matched by RE2's method, in steps bounded by the size of
 * its program times the length of the text, whatever either says. V8's own engine goes back and tries again, and may
 * never end.
 */
import { RE2JS } from 're2js'
import type { Expression } from './read.ts'
import { inRe2 } from './write.ts'

/**
 * Instructions of one expression: up to here re2js marks what it has tried in one map for the match, and keeps nothing
 * of a text afterwards. `\d{160}` has 163.
 */
export const PROGRAM_MAX = 500

/** Where a match may lie. */
export type Where = 'whole' | 'anywhere'

export interface Linear {
  /** Whether it matches. */
  test(text: string): boolean
  /** What it matched and then what each group matched, as `RegExp.exec`; null: no match. */
  find(text: string): readonly (string | undefined)[] | null
  /** Instructions: a match takes at most so many steps for each character. */
  size: number
}

/** Compiled; or a sentence about why it cannot be. */
export function compileLinear(expression: Expression, where: Where): Linear | string {
  const body = inRe2(expression)
  const compiled = compiledOf(where === 'whole' ? `\\A(?:${body})\\z` : body)
  if (!compiled) return 'has an unknown \\p{…}: write a category such as \\p{Lu}, or a script such as \\p{Script=Latin}'
  const size = compiled.programSize()
  if (size > PROGRAM_MAX) return `is too large (${size} instructions, at most ${PROGRAM_MAX}): repeat less often`
  const find = (text: string) => found(compiled, text)
  return { find, test: (text) => compiled.matcher(text).find(), size }
}

function compiledOf(source: string): RE2JS | undefined {
  try {
    return RE2JS.compile(source)
  } catch {
    return undefined
  }
}

function found(compiled: RE2JS, text: string): (string | undefined)[] | null {
  const matcher = compiled.matcher(text)
  if (!matcher.find()) return null
  return Array.from({ length: compiled.groupCount() + 1 }, (_, i) => matcher.group(i) ?? undefined)
}

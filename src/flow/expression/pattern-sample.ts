/** An answer that a pattern accepts, so that a flow can be explored without a subscriber. */
import { compileLinear, isOptional, type Expression, type Part } from '../../base/regex/index.ts'
import { compilePattern, readPattern } from './pattern.ts'

/** An example; undefined if none was found that also has the right length. */
export function exampleOf(pattern: string, length?: { min: number; max: number }): string | undefined {
  const compiled = compilePattern(pattern)
  const read = readPattern(pattern)
  if (typeof compiled === 'string' || typeof read === 'string') return undefined
  const fits = (word: string) =>
    compiled.test(word) && (!length || (word.length >= length.min && word.length <= length.max))
  // A repeat without an upper bound starts at its minimum; longer repeats are tried until the length is right.
  for (let more = 0; more <= 40; more++) {
    const word = written(read, more)
    if (fits(word)) return word
  }
  return undefined
}

/** Takes the first of the alternatives. */
function written({ alternatives }: Expression, more: number): string {
  return alternatives[0]!.elements.map((part) => partly(part, more)).join('')
}

function partly(part: Part, more: number): string {
  if (part.type === 'Assertion' || part.type === 'Backreference') return ''
  if (part.type === 'Character') return String.fromCodePoint(part.value)
  if ('alternatives' in part) return written(part, more)
  if (part.type !== 'Quantifier') return oneOf(part)
  if (isOptional(part)) return ''
  return partly(part.element, more).repeat(Math.min(part.min + more, part.max))
}

/** Tries digits first for a class in brackets, otherwise letters first. */
function oneOf(part: Part): string {
  const one = compileLinear({ alternatives: [{ elements: [part] }] }, 'whole')
  if (typeof one === 'string') return ''
  const first = part.type === 'CharacterClass' ? '1a' : 'a1'
  return [...`${first}A -.`, ...ownOf(part), ...'023456789bcXYZ*#@'].find((sign) => one.test(sign)) ?? ''
}

function ownOf(part: Part): string[] {
  const [first] = part.type === 'CharacterClass' && !part.negate ? part.elements : []
  if (first?.type === 'Character') return [String.fromCodePoint(first.value)]
  return first?.type === 'CharacterClassRange' ? [String.fromCodePoint(first.min.value)] : []
}

/** What the first screen of a test dial has to show: a text in it, or an expression that matches in linear time. */
import { compileLinear, readRegex } from '../base/regex/index.ts'

const LIMITS = { lengthMax: 200, repeatMax: 182, repeatsMax: 4, rangeWidth: 0, named: true }
/** Screens are shorter. */
const TEXT_MAX = 1_000

type Expectation = { text?: string | undefined; regex?: string | undefined }

/** What is wrong with the expression. Null: nothing. */
export function expectedFault(regex: string): string | null {
  const compiled = compiledOf(regex)
  return typeof compiled === 'string' ? compiled : null
}

/** Undefined: any screen will do. */
export function expectedBy(expect: Expectation | undefined): ((text: string) => boolean) | undefined {
  if (expect?.text !== undefined) return (text) => text.includes(expect.text!)
  if (expect?.regex === undefined) return undefined
  const compiled = compiledOf(expect.regex)
  if (typeof compiled === 'string') throw new Error(compiled)
  return (text) => compiled.test(text.slice(0, TEXT_MAX))
}

function compiledOf(source: string) {
  const read = readRegex(source, LIMITS)
  return typeof read === 'string' ? read : compileLinear(read, 'anywhere')
}

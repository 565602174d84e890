/**
 * Mutants that do what the original does, so that no test can notice them: each reviewed, with the reason. They are not
 * tried. One that no longer exists, or names more than one mutant, or the list as more than 5 % of all, fails a test.
 */
import type { Mutant } from './mutants.ts'

export interface Equivalent {
  file: string
  /** The line that it changes. */
  text: string
  what: string
  why: string
}

export const EQUIVALENT: readonly Equivalent[] = [
]

export function isEquivalent({ file, text, what }: Mutant): boolean {
  return EQUIVALENT.some((one) => one.file === file && one.text === text && one.what === what)
}

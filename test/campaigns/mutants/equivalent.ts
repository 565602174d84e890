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
  {
    file: 'src/dialogue/turn.ts',
    text: 'return null',
    what: 'null → undefined as never',
    why: 'whoever asked takes any answer that is none for a call that goes on elsewhere',
  },
  {
    file: 'src/dialogue/turn.ts',
    text: 'if (keepsTexts) step.exact = { typed: typedIn(flow, record), isSecret: false }',
    what: 'false → true',
    why: 'known only when the turn was played, and written then by both who play one, before anybody reads it',
  },
  {
    file: 'src/dialogue/classify.ts',
    what: '> → >=',
    text: "const isKept = (at: number) => all[at] !== '' && all[at] !== begin.network && (all[at + 1] as number) > nowMs",
    why: 'a number that runs out in this millisecond is known to nobody any more, and as the oldest takes no place of another',
  },
]

export function isEquivalent({ file, text, what }: Mutant): boolean {
  return EQUIVALENT.some((one) => one.file === file && one.text === text && one.what === what)
}

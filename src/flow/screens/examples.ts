/** Examples: what a flow is explored with, made from what it reads and compares. Each kind of screen makes its own. */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import type { Json } from '../../ussd/index.ts'
import type { FlowEvent } from '../engine/index.ts'
import type { Against, RowsRead } from '../expression/index.ts'
import type { Slot } from '../text/index.ts'

/** What may come of a call. `told` is '' for the answer that is all well. */
export interface CallExample {
  event: FlowEvent
  told: string
}

/** What a subscriber or a back end may answer on a screen, besides the keys that its page prints. */
export interface Examples {
  /** What may come of the call. */
  outcomes?: () => readonly CallExample[]
  /** Back ends may answer at more length than is usual. */
  hasLongest?: boolean
  /** Answers that it takes; none if no example could be made. */
  answers?: () => readonly string[]
  /** Answers that it may refuse there, each for another reason. */
  wrongAnswers?: (context: DialogueContext) => readonly string[]
  isSecret?: boolean
  /** Wrong answers lead to a screen of the flow. */
  givesUp?: boolean
  /** Letters that a row is found by; undefined: no row has any. */
  letters?: (context: DialogueContext) => string | undefined
}

/** How long what back ends answer is: as is usual, or as long as the `max` of `expect` let it be. */
export type Lengths = 'likely' | 'longest'

/** What examples of a screen are made from. */
export interface ExampleDeps {
  /** Of the screen. */
  name: string
  zone: string
  reads: Reads
  lengths: Lengths
  /** The rows under that path, once each, with all that lists and branches read of them. */
  rowsUnder: (root: string) => RowFields[]
}

/** What a flow reads, how its texts show it and what it is compared with. */
export interface Reads {
  slots: readonly Slot[]
  against: readonly Against[]
  /** Paths that are only handed on. */
  handed: readonly string[]
  /** Rows that functions read. */
  rows: readonly RowsRead[]
}

/** Rows that a call answers with. */
export interface RowFields {
  from: string
  /** By the name of a field: the paths that it is read by. */
  fields: Map<string, string[]>
  /** A branch goes over them: which way it takes hangs on single rows. */
  routed: boolean
}

/** As what a field of all rows is known by: no path of a flow. */
export function fieldPath(from: string, field: string): string {
  return `${from}.*.${field}`
}

const FIRST_MS = Date.UTC(2025, 4, 10, 9)
/** From one row to the next: another day, and another hour. */
const STEP_MS = (24 * 60 + 61) * 60_000

/** A value that texts can show as they do; undefined if no text shows it. */
export function sampleAt(path: string, { slots }: Reads, n: number): Json | undefined {
  const shown = slots.filter((slot) => slot.path === path)
  const as = new Set(shown.map((slot) => slot.as))
  if (as.has('date') || as.has('time')) return new Date(FIRST_MS + (n - 1) * STEP_MS).toISOString().replace('.000', '')
  if (as.has('number')) return 120 * n
  if (as.has('choice')) return shown.flatMap((slot) => slot.among ?? [])[0] ?? ''
  return undefined
}

/** Values at which conditions and choices change over. */
export function valuesAt({ slots, against }: Reads, path: string): Json[] {
  const tests = against.filter((test) => test.path === path).map((test) => test.value)
  const numbers = tests.filter((value) => typeof value === 'number').flatMap((value) => [value - 1, value, value + 1])
  const others = tests.filter((value) => typeof value !== 'number')
  const among = slots.filter((slot) => slot.path === path).flatMap((slot) => slot.among ?? [])
  return [...new Set<Json>([...numbers, ...others, ...among])]
}

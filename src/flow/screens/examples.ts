/**
 * Examples with which a flow is explored. They are made from what the flow reads and compares. Each kind of screen
 * makes its own.
 */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import type { Json } from '../../ussd/index.ts'
import type { FlowEvent } from '../engine/index.ts'
import type { Against, RowsRead } from '../expression/index.ts'
import type { Slot } from '../text/index.ts'

/** An outcome of a call. `told` is '' for a normal answer. */
export interface CallExample {
  event: FlowEvent
  told: string
}

/** What a subscriber or a back end may answer on a screen, besides the keys that its page prints. */
export interface Examples {
  /** The possible outcomes of the call. */
  outcomes?: () => readonly CallExample[]
  /** How many outcomes are not among them, because there would be too many. */
  untried?: () => number
  /** Back ends may answer with longer texts than usual. */
  hasLongest?: boolean
  /** Answers that the screen accepts; empty if no example could be made. */
  answers?: () => readonly string[]
  /** Answers may be typed beside numbered lines; whether this could be one. */
  isTyped?: (answer: string) => boolean
  /** Answers that the screen may refuse, each for another reason. */
  wrongAnswers?: (context: DialogueContext) => readonly string[]
  isSecret?: boolean
  /** Too many wrong answers lead to a screen of the flow. */
  givesUp?: boolean
  /** Letters that find a row. Undefined: no row has letters. */
  letters?: (context: DialogueContext) => string | undefined
}

/** How long the answers of back ends are: as usual, or as long as the `max` of `expect` allows. */
export type Lengths = 'likely' | 'longest'

/** What the examples of a screen are made from. */
export interface ExampleDeps {
  /** The name of the screen. */
  name: string
  zone: string
  reads: Reads
  lengths: Lengths
  /** The rows under this path, each once, with everything that lists and branches read of them. */
  rowsUnder: (root: string) => RowFields[]
}

/** What a flow reads, how its texts show it, and with what it is compared. */
export interface Reads {
  slotsAt: (path: string) => readonly Slot[]
  againstAt: (path: string) => readonly Against[]
  /** All paths that begin with one of these roots, such as `row` or `data.slots`: each once, in the order of the file. */
  pathsUnder: (...roots: string[]) => readonly string[]
  /** Rows that functions read. */
  rows: readonly RowsRead[]
}

/** `handed`: paths that are only passed on. */
export function readsMade(
  slots: readonly Slot[],
  against: readonly Against[],
  handed: readonly string[],
  rows: readonly RowsRead[],
): Reads {
  const [shown, compared] = [byKey(slots, ({ path }) => [path]), byKey(against, ({ path }) => [path])]
  const paths = [...new Set([...shown.keys(), ...compared.keys(), ...handed])].map((path, i) => ({ path, i }))
  const rooted = byKey(paths, ({ path }) => {
    const [root = '', ...more] = path.split('.')
    return more.length === 0 ? [root] : [root, `${root}.${more[0]}`]
  })
  return {
    slotsAt: (path) => shown.get(path) ?? [],
    againstAt: (path) => compared.get(path) ?? [],
    pathsUnder: (...roots) => {
      const found = roots.flatMap((root) => rooted.get(root) ?? [])
      return found.toSorted((one, other) => one.i - other.i).map(({ path }) => path)
    },
    rows,
  }
}

function byKey<T>(all: readonly T[], keysOf: (one: T) => string[]): ReadonlyMap<string, T[]> {
  const found = new Map<string, T[]>()
  for (const one of all) {
    for (const key of keysOf(one)) {
      const known = found.get(key)
      if (known) known.push(one)
      else found.set(key, [one])
    }
  }
  return found
}

/** The rows in a call's answer. */
export interface RowFields {
  from: string
  /** Field name → the paths that read it. */
  fields: Map<string, string[]>
  /** Values for fields that stand for what may be typed: they pass its rules. */
  stands?: Map<string, readonly string[]>
  /** A branch goes over the rows: its way depends on single rows. */
  routed: boolean
}

/** A name for one field of all rows. No flow has such a path. */
export function fieldPath(from: string, field: string): string {
  return `${from}.*.${field}`
}

const FIRST_MS = Date.UTC(2025, 4, 10, 9)
/** The time between two rows: another day and another hour. */
const STEP_MS = (24 * 60 + 61) * 60_000

/** A moment; the next one is on another day, at another hour. */
export function momentAt(n: number): string {
  return new Date(FIRST_MS + (n - 1) * STEP_MS).toISOString().replace('.000', '')
}

/** A value that fits the way in which texts show it. Undefined if no text shows it. */
export function sampleAt(path: string, { slotsAt }: Reads, n: number): Json | undefined {
  const shown = slotsAt(path)
  const as = new Set(shown.map((slot) => slot.as))
  if (as.has('date') || as.has('time')) return momentAt(n)
  if (as.has('number')) return 120 * n
  if (as.has('choice')) return shown.flatMap((slot) => slot.among ?? [])[0] ?? ''
  return undefined
}

/** Values at which the result of a condition or of a choice changes. */
export function valuesAt({ slotsAt, againstAt }: Reads, path: string): Json[] {
  const tests = againstAt(path).map((test) => test.value)
  const numbers = tests.filter((value) => typeof value === 'number').flatMap((value) => [value - 1, value, value + 1])
  const others = tests.filter((value) => typeof value !== 'number')
  const among = slotsAt(path).flatMap((slot) => slot.among ?? [])
  return [...new Set<Json>([...numbers, ...others, ...among])]
}

/** What a flow reads, how its texts show it and what it is compared with: what made-up values are made from. */
import type { Json } from '../../ussd/index.ts'
import {
  compileCondition,
  Slip,
  type Against,
  type Reading,
  type RowsRead,
  pathsOf,
  readingOf,
} from '../expression/index.ts'
import { type FlowDefinition, usesOf } from '../language/index.ts'
import { type Slot, compileIn, wordsIn } from '../text/index.ts'

export interface Reads {
  slots: readonly Slot[]
  against: readonly Against[]
  /** Paths that are only handed on. */
  handed: readonly string[]
  /** Rows that functions read. */
  rows: readonly RowsRead[]
}

export function readsOf(definition: FlowDefinition): Reads {
  const { conditions, values } = usesOf(definition)
  const asked = conditions.flatMap(({ condition }) => {
    const compiled = compileCondition(condition)
    return compiled instanceof Slip ? [] : compiled.made
  })
  const readings = [...asked, ...values.flatMap(({ value }) => readingOf(value) ?? [])]
  const rows = readings.flatMap((reading) => reading.rows)
  return {
    slots: [...slotsOf(definition), ...readings.flatMap(slotsIn)],
    against: [
      ...readings.flatMap((reading) => reading.against),
      ...asked.flatMap(({ paths }) => againstAnswers(paths, definition)),
    ],
    handed: values.flatMap(({ value }) => pathsOf(value)).filter((path) => rows.every(({ from }) => from !== path)),
    rows,
  }
}

/** What an expression works out with must be made up as that. */
function slotsIn({ wanted, rows }: Reading): Slot[] {
  const fields = rows.flatMap(({ from, reads }) =>
    typeof reads === 'object' ? [{ path: fieldPath(from, reads.field), as: reads.as }] : [],
  )
  return [...wanted, ...fields]
}

/** As what a field of all rows is known by: no path of a flow. */
export function fieldPath(from: string, field: string): string {
  return `${from}.*.${field}`
}

/** What is compared with an answer of bounds changes over at the least of them. */
function againstAnswers(paths: readonly string[], { screens }: FlowDefinition): Against[] {
  const least = Object.entries(screens).flatMap(([name, screen]) => {
    const isAsked = 'number' in screen && paths.includes(`answers.${screen.as ?? name}`)
    return isAsked && screen.number?.min !== undefined ? [screen.number.min] : []
  })
  return paths.filter((path) => path.startsWith('data.')).flatMap((path) => least.map((value) => ({ path, value })))
}

/** All that its texts show, in all languages. */
export function slotsOf(definition: FlowDefinition): Slot[] {
  return usesOf(definition).texts.flatMap(({ text }) =>
    definition.languages.flatMap((language) => {
      const message = compileIn(definition, wordsIn(definition, text, language) ?? '', language)
      return typeof message === 'string' ? [] : [...message.slots]
    }),
  )
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

/** What a flow reads, and the examples with which its screens are explored. */
import { dayLater } from '../../base/index.ts'
import { WALKED_AT } from '../engine/index.ts'
import {
  type Against,
  compileCondition,
  isDay,
  knownDay,
  type Node,
  nodesOf,
  pathsOf,
  type Reading,
  readingOf,
  Slip,
} from '../expression/index.ts'
import { type FlowDefinition, kindOf, rowsFrom, type ScreenDefinition, usesOf } from '../language/index.ts'
import { type Examples, fieldPath, type Lengths, type Reads, type RowFields } from '../screens/index.ts'
import { type Slot, compileIn, wordsIn } from '../text/index.ts'

/** A flow is walked once for each language, with the same examples. */
const MADE = new WeakMap<FlowDefinition, Map<Lengths, (name: string) => Examples>>()

/** The examples of each screen, by its name. The definition must be valid. */
export function examplesIn(definition: FlowDefinition, lengths: Lengths): (name: string) => Examples {
  const made = MADE.get(definition) ?? new Map<Lengths, (name: string) => Examples>()
  MADE.set(definition, made)
  return remembered(made, lengths, () => examplesMade(definition, lengths))
}

function examplesMade(definition: FlowDefinition, lengths: Lengths): (name: string) => Examples {
  const { screens, zone } = definition
  const reads = readsOf(definition)
  const known = new Map<string, Examples>()
  const under = new Map<string, RowFields[]>()
  const deps = {
    zone,
    reads,
    lengths,
    rowsUnder: (root: string) => remembered(under, root, () => rowsUnder(root, definition, reads)),
  }
  return (name) =>
    remembered(known, name, () => {
      const screen = screens[name]
      const examples = (screen && kindOf(screen).examples?.(screen, { ...deps, name })) ?? {}
      const outcomes = examples.outcomes && once(examples.outcomes)
      return outcomes ? { ...examples, outcomes } : examples
    })
}

function remembered<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  const value = known.get(key) ?? make()
  known.set(key, value)
  return value
}

function once<V>(make: () => V): () => V {
  let value: V | undefined
  return () => (value ??= make())
}

function readsOf(definition: FlowDefinition): Reads {
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
      ...readings.flatMap(({ node }) => againstTimes(node, definition.zone)),
      ...asked.flatMap(({ paths }) => againstAnswers(paths, definition)),
    ],
    handed: values.flatMap(({ value }) => pathsOf(value)).filter((path) => rows.every(({ from }) => from !== path)),
    rows,
  }
}

/**
 * The days, or times of day, at which a comparison with a known one changes: `answers.born <= today - 18 years` on that
 * day, the day before and the day after, for a dial at the time of the walk.
 */
function againstTimes(root: Node, zone: string): Against[] {
  return nodesOf(root).flatMap((node) => {
    if (node.is !== 'compare') return []
    const [path, other] = node.left.is === 'path' ? [node.left, node.right] : [node.right, node.left]
    if (path.is !== 'path' || !isDay(other) || nodesOf(other).some(({ is }) => is === 'path')) return []
    const day = knownDay(other, zone, WALKED_AT)
    return [-1, 0, 1].flatMap((by) => {
      const value = day === undefined ? undefined : dayLater(day, by, 'day')
      return value === undefined ? [] : [{ path: path.path, value }]
    })
  })
}

/** The types that an expression needs: examples must have them. */
function slotsIn({ wanted, rows }: Reading): Slot[] {
  const fields = rows.flatMap(({ from, reads }) =>
    typeof reads === 'object' ? [{ path: fieldPath(from, reads.field), as: reads.as }] : [],
  )
  return [...wanted, ...fields]
}

/** A value of a call that is compared with a bounded answer: the outcome changes at the smallest bound. */
function againstAnswers(paths: readonly string[], { screens }: FlowDefinition): Against[] {
  const least = Object.entries(screens).flatMap(([name, screen]) => {
    const isAsked = 'number' in screen && paths.includes(`answers.${screen.as ?? name}`)
    return isAsked && screen.number?.min !== undefined ? [screen.number.min] : []
  })
  return paths.filter((path) => path.startsWith('data.')).flatMap((path) => least.map((value) => ({ path, value })))
}

/** Everything that the texts show, in all languages. */
export function slotsOf(definition: FlowDefinition): Slot[] {
  return usesOf(definition).texts.flatMap(({ text }) =>
    definition.languages.flatMap((language) => {
      const message = compileIn(definition, wordsIn(definition, text, language) ?? '', language)
      return typeof message === 'string' ? [] : [...message.slots]
    }),
  )
}

/** Whether what follows depends on single rows. */
function isRouted(screen: ScreenDefinition): boolean {
  const { does, rows } = kindOf(screen)
  return does === 'pass' || rows?.(screen)?.where !== undefined
}

/** The rows under this path, each once, with everything that lists and branches read of them. */
function rowsUnder(root: string, definition: FlowDefinition, reads: Reads): RowFields[] {
  const { slots, against, handed, rows } = reads
  const lists = new Map<string, RowFields>()
  for (const [name, screen] of Object.entries(definition.screens)) {
    const from = rowsFrom(screen)
    if (from === undefined || (from !== root && !from.startsWith(`${root}.`))) continue
    const list = lists.get(from) ?? { from, fields: new Map<string, string[]>(), routed: false }
    const stands = standingIn(name, definition, reads) ?? list.stands
    const routed = list.routed || isRouted(screen)
    lists.set(from, { ...list, routed, ...(stands ? { stands } : {}) })
    const note = (field: string | undefined, path: string) => {
      const known = list.fields.get(field ?? '') ?? []
      if (field !== undefined && !known.includes(path)) list.fields.set(field, [...known, path])
    }
    const chosen = `chosen.${('as' in screen ? screen.as : undefined) ?? name}`
    for (const path of [...slots.map((slot) => slot.path), ...against.map((test) => test.path), ...handed]) {
      if (path.startsWith('row.')) note(path.split('.')[1], path)
      if (path.startsWith(`${chosen}.`)) note(path.split('.')[2], path)
    }
    const { search = [], stands: standing, sort } = kindOf(screen).rows?.(screen) ?? {}
    for (const field of [...search, standing, sort]) note(field, `row.${field}`)
  }
  for (const { from, reads } of rows) {
    if (from !== root && !from.startsWith(`${root}.`)) continue
    const list = lists.get(from) ?? { from, fields: new Map<string, string[]>(), routed: false }
    lists.set(from, list)
    if (typeof reads === 'object')
      list.fields.set(reads.field, [...(list.fields.get(reads.field) ?? []), fieldPath(from, reads.field)])
  }
  return [...lists.values()]
}

/** What rows may have in the field that stands for what is typed. */
function standingIn(name: string, { screens, zone }: FlowDefinition, reads: Reads): RowFields['stands'] {
  const screen = screens[name]
  const field = screen && kindOf(screen).rows?.(screen)?.stands
  if (!screen || field === undefined) return undefined
  const deps = { name, zone, reads, lengths: 'likely' as const, rowsUnder: () => [] }
  return new Map([[field, kindOf(screen).examples?.(screen, deps).answers?.() ?? []]])
}

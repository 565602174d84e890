/** What a flow reads, and the examples with which its screens are explored. */
import { dayLater, oncePer } from '../../base/index.ts'
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
import {
  type ExampleDeps,
  type Examples,
  fieldPath,
  type Lengths,
  type Reads,
  readsMade,
  type RowFields,
} from '../screens/index.ts'
import { type Slot, compileIn, wordsIn } from '../text/index.ts'

/** The examples of each screen, by its name. The definition must be valid. */
export function examplesIn(definition: FlowDefinition, lengths: Lengths): (name: string) => Examples {
  return remembered(made(definition), lengths, () => examplesMade(definition, lengths))
}

/** A flow is walked once for each language, with the same examples. */
const made = oncePer((_definition: FlowDefinition) => new Map<Lengths, (name: string) => Examples>())

/** What examples of both lengths are made from. */
const sources = oncePer((definition: FlowDefinition): Pick<ExampleDeps, 'reads' | 'rowsUnder'> => {
  const reads = readsOf(definition)
  const known = new Map<string, RowFields[]>()
  const lists = listsIn(definition)
  return {
    reads,
    rowsUnder: (root) => remembered(known, root, () => rowsUnder(root, lists.get(root) ?? [], definition, reads)),
  }
})

function examplesMade(definition: FlowDefinition, lengths: Lengths): (name: string) => Examples {
  const { screens, zone } = definition
  const known = new Map<string, Examples>()
  const deps = { zone, lengths, ...sources(definition) }
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
  const against = [
    ...readings.flatMap((reading) => reading.against),
    ...readings.flatMap(({ node }) => againstTimes(node, definition.zone)),
    ...asked.flatMap(({ paths }) => againstAnswers(paths, definition)),
  ]
  const handed = values.flatMap(({ value }) => pathsOf(value)).filter((path) => rows.every(({ from }) => from !== path))
  return readsMade([...slotsOf(definition), ...readings.flatMap(slotsIn)], against, handed, rows)
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
export const slotsOf = oncePer((definition: FlowDefinition): readonly Slot[] =>
  usesOf(definition).texts.flatMap(({ text }) =>
    definition.languages.flatMap((language) => {
      const message = compileIn(definition, wordsIn(definition, text, language) ?? '', language)
      return typeof message === 'string' ? [] : [...message.slots]
    }),
  ),
)

/** Whether what follows depends on single rows. */
function isRouted(screen: ScreenDefinition): boolean {
  const { does, rows } = kindOf(screen)
  return does === 'pass' || rows?.(screen)?.where !== undefined
}

/** A screen that shows rows or goes over them. */
interface Listing {
  name: string
  screen: ScreenDefinition
  from: string
}

/** The screens with rows, by the answer that has the rows: `data.slots` for `data.slots.rows`. */
function listsIn({ screens }: FlowDefinition): ReadonlyMap<string, Listing[]> {
  const all = new Map<string, Listing[]>()
  for (const [name, screen] of Object.entries(screens)) {
    const from = rowsFrom(screen)
    if (from === undefined) continue
    const root = from.split('.').slice(0, 2).join('.')
    all.set(root, [...(all.get(root) ?? []), { name, screen, from }])
  }
  return all
}

/** The rows under this path, each once, with everything that lists and branches read of them. */
function rowsUnder(root: string, under: readonly Listing[], definition: FlowDefinition, reads: Reads): RowFields[] {
  const lists = new Map<string, RowFields>()
  for (const { name, screen, from } of under) {
    const list = lists.get(from) ?? { from, fields: new Map<string, string[]>(), routed: false }
    const stands = standingIn(name, definition, reads) ?? list.stands
    const routed = list.routed || isRouted(screen)
    lists.set(from, { ...list, routed, ...(stands ? { stands } : {}) })
    const note = (field: string | undefined, path: string) => {
      const known = list.fields.get(field ?? '') ?? []
      if (field !== undefined && !known.includes(path)) list.fields.set(field, [...known, path])
    }
    const chosen = `chosen.${('as' in screen ? screen.as : undefined) ?? name}`
    for (const path of reads.pathsUnder('row', chosen)) note(path.split('.')[path.startsWith('row.') ? 1 : 2], path)
    const { search = [], stands: standing, sort } = kindOf(screen).rows?.(screen) ?? {}
    for (const field of [...search, standing, sort]) note(field, `row.${field}`)
  }
  for (const { from, reads: read } of reads.rows) {
    if (from !== root && !from.startsWith(`${root}.`)) continue
    const list = lists.get(from) ?? { from, fields: new Map<string, string[]>(), routed: false }
    lists.set(from, list)
    if (typeof read === 'object')
      list.fields.set(read.field, [...(list.fields.get(read.field) ?? []), fieldPath(from, read.field)])
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

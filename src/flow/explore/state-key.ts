/** What distinguishes two states: only what can still be read from there on. */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { oncePer } from '../../base/index.ts'
import { liveKeys, setPathOf } from '../check/index.ts'
import { compileCondition, Slip, readPath, readRows } from '../expression/index.ts'
import { kindOf, rowsFrom, type FlowDefinition, usesOf } from '../language/index.ts'
import type { FlowSnapshot } from '../engine/index.ts'
import { slotsOf } from './examples.ts'

/**
 * The key has the screen and its page, but not the language. Of everything that is still read, it has: whether it
 * exists, the results of conditions on it, the words by which texts choose, and whether lists have no, few or many
 * rows.
 */
export const stateKeys = oncePer((definition: FlowDefinition): ((snapshot: FlowSnapshot) => string) => {
  const live = liveKeys(definition)
  const none: ReadonlySet<string> = new Set()
  const asked = usesOf(definition).conditions.flatMap(({ screen, condition, inRow }) => {
    const compiled = compileCondition(condition, definition.zone)
    return compiled instanceof Slip ? [] : [{ ...compiled, screen, inRow, keys: keysIn(compiled.paths) }]
  })
  const conditions = asked.filter(({ inRow }) => !inRow)
  const choices = [...new Set(slotsOf(definition).flatMap(({ as, path }) => (as === 'choice' ? [path] : [])))]
  const lists = Object.values(definition.screens).flatMap((screen) => rowsFrom(screen) ?? [])
  const overRows = Object.entries(definition.screens).flatMap(([name, screen]) => {
    const [from, passed] = [rowsFrom(screen), kindOf(screen).passed]
    if (from === undefined || !passed) return []
    const inRow = asked.filter((condition) => condition.inRow && condition.screen === name)
    return [{ keys: [...keysIn([from]), ...inRow.flatMap(({ keys }) => keys)], way: passed(screen, definition.zone) }]
  })
  const picked = Object.entries(definition.screens).flatMap(([name, screen]) => {
    const [rows, pick] = [kindOf(screen).rows?.(screen), kindOf(screen).picks?.(screen, definition.zone)]
    if (!rows || !pick || rows.where === undefined) return []
    const inRow = asked.filter((condition) => condition.inRow && condition.screen === name)
    const keys = [...keysIn([rows.from]), ...inRow.flatMap((condition) => condition.keys)]
    return [{ keys, way: (context: DialogueContext) => String(Math.min(pick(context).length, 4)) }]
  })
  const parts = new Map<string, Part>()
  const partOf = (root: Root, keys: readonly string[], from: readonly string[], holds: typeof conditions): Part => {
    const id = [root, ...keys, '', ...from, '', ...holds.map((one) => conditions.indexOf(one))].join(' ')
    const part = parts.get(id) ?? {
      root,
      keys,
      lists: from,
      holds: holds.map((one) => one.holds),
      known: new WeakMap(),
    }
    parts.set(id, part)
    return part
  }
  const byScreen = new Map<string, Telling>()
  const tellingOf = (screen: string): Telling => {
    const keys = live.get(screen) ?? none
    const isLive = (path: string) => keys.has(setPathOf(path) ?? '')
    const told = conditions.filter((condition) => condition.keys.some((key) => keys.has(key)))
    return {
      parts: ROOTS.map((root) => {
        const within = (path: string) => path.startsWith(`${root}.`)
        const own = told.filter(({ paths }) => paths.every(within))
        return partOf(root, [...keys].filter(within), lists.filter(isLive).filter(within), own)
      }).filter((part) => part.keys.length + part.lists.length + part.holds.length > 0),
      holds: told.filter(({ paths }) => !ROOTS.some((root) => paths.every((path) => path.startsWith(`${root}.`)))),
      choices: choices.filter(isLive),
      ways: [...overRows, ...picked].filter((one) => one.keys.some((key) => keys.has(key))).map(({ way }) => way),
    }
  }
  return (snapshot) => {
    const screen = snapshot.value
    const telling = byScreen.get(screen) ?? tellingOf(screen)
    byScreen.set(screen, telling)
    return keyOf(screen, contextOf(snapshot), telling)
  }
})

function keyOf(screen: string, context: DialogueContext, { parts, holds, choices, ways }: Telling): string {
  const { shown, trail, homed, find } = context
  let key = `${screen} ${shown?.at.length ?? 0} ${trail?.at(-2)?.screen ?? ''}${homed ? '+' : ''} ${find ? 'found' : ''}`
  for (const part of parts) key += ` ${partKey(part, context)}`
  if (holds.length + ways.length + choices.length === 0) return key
  const scope = { context }
  for (const one of holds) key += one.holds(scope) ? ' 1' : ' 0'
  for (const way of ways) key += ` ${way(context)}`
  for (const path of choices) key += ` ${String(readPath(scope, path))}`
  return key
}

/** Most ways of a walk change nothing under most roots: what is told of them is computed once. */
function partKey({ root, keys, lists, holds, known }: Part, context: DialogueContext): string {
  const values = context[root]
  // A secret counts as an answer, and is somewhere else.
  const before = context.secrets ? undefined : known.get(values)
  if (before !== undefined) return before
  const scope = { context }
  let key = ''
  for (const path of keys) key += readPath(scope, path) === undefined ? '0' : '1'
  key += ' '
  for (const condition of holds) key += condition(scope) ? '1' : '0'
  key += ' '
  for (const path of lists) key += Math.min(readRows(scope, path).length, 4)
  if (!context.secrets) known.set(values, key)
  return key
}

/** Where a flow keeps what it learns. */
const ROOTS = ['data', 'answers', 'chosen', 'vars'] as const
type Root = (typeof ROOTS)[number]
type Holds = (scope: { context: DialogueContext }) => boolean

/** A condition, with all that it reads. */
interface Asked {
  holds: Holds
  paths: readonly string[]
}

/** What tells states of one screen apart. */
interface Telling {
  parts: readonly Part[]
  /** Conditions that read more than one root. */
  holds: readonly Asked[]
  choices: readonly string[]
  ways: readonly ((context: DialogueContext) => string)[]
}

/** What is told of all values under one root. Screens with the same share it. */
interface Part {
  root: Root
  keys: readonly string[]
  holds: readonly Holds[]
  lists: readonly string[]
  /** What was told of these values before. */
  known: WeakMap<object, string>
}

const keysIn = (paths: readonly string[]) => paths.flatMap((path) => setPathOf(path) ?? [])

export function contextOf(snapshot: FlowSnapshot): DialogueContext {
  return snapshot.context as unknown as DialogueContext
}

/** What tells two states apart: only what may still be read from there on. */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { setPathOf, readsByScreen, setOn } from '../check/index.ts'
import { compileCondition, Slip, type Condition, readPath, readRows } from '../expression/index.ts'
import { isRouter, rowsFrom, targetsOf, type FlowDefinition, usesOf } from '../language/index.ts'
import { armOver } from '../screens/index.ts'
import type { FlowSnapshot } from '../engine/index.ts'
import { slotsOf } from './examples.ts'

/**
 * The screen, its page, the language, and of what is still read: whether it is there, how each condition on it stands,
 * what texts choose by, and whether lists have no, few or many rows.
 */
export function stateKeys(definition: FlowDefinition): (snapshot: FlowSnapshot) => string {
  const live = liveKeys(definition)
  const none: ReadonlySet<string> = new Set()
  const conditions = usesOf(definition).conditions.flatMap(({ condition, inRow }) => {
    const compiled = compileCondition(condition, definition.zone)
    if (inRow || compiled instanceof Slip) return []
    return [{ ...compiled, keys: compiled.paths.flatMap((path) => setPathOf(path) ?? []) }]
  })
  const choices = [...new Set(slotsOf(definition).flatMap(({ as, path }) => (as === 'choice' ? [path] : [])))]
  const lists = Object.values(definition.screens).flatMap((screen) => rowsFrom(screen) ?? [])
  const routers = Object.values(definition.screens)
    .filter(isRouter)
    .map((screen) => {
      const compiled = screen.branch.map((arm) => compileCondition(arm.if, definition.zone))
      const arms = compiled.filter((arm): arm is Condition => !(arm instanceof Slip))
      const keys = [screen.over, ...arms.flatMap((arm) => arm.paths)].flatMap((path) => setPathOf(path) ?? [])
      return { keys, arm: (context: DialogueContext) => armOver(screen, arms, context)?.arm ?? 'x' }
    })
  return (snapshot) => {
    const context = contextOf(snapshot)
    const keys = live.get(snapshot.value) ?? none
    const there = [...keys].map((key) => (readPath({ context }, key) === undefined ? '0' : '1')).join('')
    const held = conditions
      .filter((condition) => condition.keys.some((key) => keys.has(key)))
      .map(({ holds }) => (holds({ context }) ? '1' : '0'))
      .join('')
    const rows = lists
      .filter((from) => keys.has(setPathOf(from) ?? ''))
      .map((from) => Math.min(readRows({ context }, from).length, 4))
      .join('')
    const chosen = choices
      .filter((path) => keys.has(setPathOf(path) ?? ''))
      .map((path) => String(readPath({ context }, path)))
    const arms = routers
      .filter((router) => router.keys.some((key) => keys.has(key)))
      .map(({ arm }) => arm(context))
      .join('')
    const page = context.shown?.at.length ?? 0
    const before = context.trail?.at(-2)?.screen ?? ''
    const found = context.find ? 'found' : ''
    return [snapshot.value, page, before, found, context.language, there, held, rows, arms, ...chosen].join(' ')
  }
}

/** For each screen: the keys that are read there, or later before they are set again. */
function liveKeys(definition: FlowDefinition): Map<string, Set<string>> {
  const live = new Map(Object.keys(definition.screens).map((name) => [name, new Set<string>()]))
  for (const { screen, path } of readsByScreen(definition)) {
    const key = setPathOf(path)
    if (key !== undefined) live.get(screen)?.add(key)
  }
  for (let grown = true; grown;) {
    grown = false
    for (const [name, screen] of Object.entries(definition.screens)) {
      const here = live.get(name) as Set<string>
      const before = here.size
      for (const { to, path } of targetsOf(screen)) {
        const set = new Set(setOn(name, screen, path))
        for (const key of live.get(to) ?? []) if (!set.has(key)) here.add(key)
      }
      grown ||= here.size > before
    }
  }
  return live
}

export function contextOf(snapshot: FlowSnapshot): DialogueContext {
  return snapshot.context as unknown as DialogueContext
}

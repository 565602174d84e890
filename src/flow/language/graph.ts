/** What follows from a flow's screens without playing the flow. */
import { KEEP_LANGUAGE, kindOf, type ScreenDefinition } from '../screens/index.ts'
import { asks, isSeen, targetsOf, type FlowDefinition } from './definition.ts'
import { keysOn } from './keys.ts'

/** Where a list without rows leads: it asks nothing and is not shown. */
const skipOf = (screen: ScreenDefinition): string | undefined => kindOf(screen).skips?.(screen)

/** The screens that the start leads to without a question: a dialogue opens with one of them. */
export function firstScreens(definition: FlowDefinition): Set<string> {
  return firstFrom(definition, definition.start)
}

/** The screens with which `home` begins: the key for Home leads to them, and is on none of them. */
export function homeScreens(definition: FlowDefinition): Set<string> {
  return definition.home === undefined ? new Set() : firstFrom(definition, definition.home)
}

function firstFrom(definition: FlowDefinition, start: string): Set<string> {
  const passed = new Set<string>()
  const first = new Set<string>()
  const look = (name: string) => {
    const screen = definition.screens[name]
    if (!screen || passed.has(name)) return
    passed.add(name)
    const skip = skipOf(screen)
    if (asks(screen)) first.add(name)
    if (skip !== undefined) return look(skip)
    if (!asks(screen)) for (const { to } of targetsOf(screen)) look(to)
  }
  look(start)
  return first
}

/**
 * Screens where one answer may change something: they lead to a `once` call with no question between. A dialled answer
 * is not played on them, and no dialogue resumes into one.
 */
export function guardedScreens(definition: FlowDefinition): Set<string> {
  const changes = changing(definition)
  const guarded = Object.entries(definition.screens).filter(
    ([, screen]) => asks(screen) && targetsOf(screen).some(({ to }) => changes(to)),
  )
  return new Set(guarded.map(([name]) => name))
}

/** Screens whose answer is remembered for later dialogues: a dialled answer is not played on them either. */
export function rememberingScreens({ screens }: FlowDefinition): Set<string> {
  const keeps = (to: string) => {
    const screen = screens[to]
    return screen !== undefined && 'call' in screen && screen.call === KEEP_LANGUAGE
  }
  const found = Object.entries(screens).filter(
    ([, screen]) => asks(screen) && targetsOf(screen).some(({ to }) => keeps(to)),
  )
  return new Set(found.map(([name]) => name))
}

/** Whether a path from this screen leads to a call that changes something before the next question. */
export function unaskedChange(definition: FlowDefinition, name: string): boolean {
  return changing(definition)(name)
}

function changing(definition: FlowDefinition): (name: string) => boolean {
  const found = new Map<string, boolean>()
  const changes = (name: string): boolean => {
    const known = found.get(name)
    if (known !== undefined) return known
    const screen = definition.screens[name]
    if (!screen || asks(screen)) return false
    found.set(name, false)
    const does = (kindOf(screen).changes?.(screen) ?? false) || targetsOf(screen).some(({ to }) => changes(to))
    found.set(name, does)
    return does
  }
  return changes
}

/** Every screen that can be reached from the start. */
export function reachable(definition: Pick<FlowDefinition, 'screens' | 'start'>): Set<string> {
  const seen = new Set<string>()
  const next = [definition.start]
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    const screen = definition.screens[name]
    if (!screen || seen.has(name)) continue
    seen.add(name)
    for (const { to } of targetsOf(screen)) next.push(to)
  }
  return seen
}

/** Screens from which an end can be reached. */
export function leavable(definition: FlowDefinition): Set<string> {
  const from = new Map<string, string[]>()
  const good = new Set<string>()
  const next: string[] = []
  for (const [name, screen] of Object.entries(definition.screens)) {
    for (const { to } of targetsOf(screen)) from.set(to, [...(from.get(to) ?? []), name])
    if (asks(screen) && keysOn(definition, screen).home !== undefined)
      for (const to of [definition.start, ...(definition.home === undefined ? [] : [definition.home])])
        from.set(to, [...(from.get(to) ?? []), name])
    if (kindOf(screen).does === 'end') next.push(name)
  }
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    if (good.has(name)) continue
    good.add(name)
    next.push(...(from.get(name) ?? []))
  }
  return good
}

/** A circle of screens without a question, if there is one. A list without rows asks nothing. */
export function circle(definition: FlowDefinition): string[] | undefined {
  const done = new Set<string>()
  const walk = (name: string, trail: string[]): string[] | undefined => {
    const screen = definition.screens[name]
    if (!screen || done.has(name)) return undefined
    const skipped = skipOf(screen)
    if (isSeen(screen) && skipped === undefined) return undefined
    const at = trail.indexOf(name)
    if (at >= 0) return [...trail.slice(at), name]
    for (const { to } of skipped === undefined ? targetsOf(screen) : [{ to: skipped }]) {
      const found = walk(to, [...trail, name])
      if (found) return found
    }
    done.add(name)
    return undefined
  }
  for (const name of Object.keys(definition.screens)) {
    const found = walk(name, [])
    if (found) return found
  }
  return undefined
}

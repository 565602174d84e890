/**
 * Answers of back ends that a resting dialogue can still read. The others are dropped: a list of rows is needed until
 * something else is asked, and is written with each turn.
 */
import type { DialogueContext, Rested } from '../../../machines/dialogue.ts'
import { liveKeys } from '../check/index.ts'
import {
  asks,
  callOf,
  kindOf,
  guardedScreens,
  keysOn,
  rowsFrom,
  targetsOf,
  type FlowDefinition,
  type ScreenDefinition,
} from '../language/index.ts'

const DATA = 'data.'

/** Without answers that no way from this screen reads before they are asked for again. */
export function needing(definition: FlowDefinition): (rested: Rested) => Rested {
  const needed = new Map(
    [...liveKeys(definition, unwrittenWays(definition))].map(([screen, keys]) => [
      screen,
      new Set([...keys].flatMap((key) => (key.startsWith(DATA) ? [key.slice(DATA.length)] : []))),
    ]),
  )
  return (rested) => {
    const names = needed.get(rested.value)
    // A screen of ours, such as the offer to resume: it has read nothing.
    if (!names) return rested
    const { data } = rested.context
    for (const name in data) if (!names.has(name)) return { ...rested, context: without(rested.context, names) }
    return rested
  }
}

function without(context: DialogueContext, names: ReadonlySet<string>): DialogueContext {
  const data: DialogueContext['data'] = {}
  for (const name in context.data) if (names.has(name)) data[name] = context.data[name]!
  return { ...context, data }
}

/**
 * Ways that no screen names: the keys for Back and Home, and a dialogue that is lost and resumed. That is at the screen
 * itself; on a confirmation, where the dialogue was before, however it came from there; a list, at the call that gives
 * its rows; behind a secret, where that is asked for.
 */
function unwrittenWays(definition: FlowDefinition): (screen: string) => Iterable<string> {
  const { screens, start, home } = definition
  const names = Object.keys(screens)
  const asking = names.filter((name) => asks(screens[name]!))
  const withKey = (key: 'back' | 'home') =>
    asking.filter((name) => keysOn(definition, screens[name]!)[key] !== undefined)
  const [backs, homing] = [withKey('back'), withKey('home')]
  const homes = [start, ...(home === undefined ? [] : [home])]
  const gates = names.filter((name) => isGate(screens[name]!))
  const ways = new Map(names.map((name) => [name, new Set(gates)]))
  const before = new Map(names.map((name) => [name, new Set<string>()]))
  for (const name of names) {
    const isAsking = asks(screens[name]!)
    for (const shown of shownNext(definition, name)) {
      if (isAsking) before.get(shown)!.add(name)
      else if (rowsFrom(screens[shown]!) !== undefined) ways.get(shown)!.add(name)
    }
  }
  const lead = (from: string, to: string) => ways.get(from)!.add(to)
  const guarded = guardedScreens(definition)
  for (const name of guarded) for (const earlier of before.get(name)!) lead(name, earlier)
  for (const name of backs)
    for (const earlier of before.get(name)!) {
      lead(name, earlier)
      if (guarded.has(earlier)) lead(earlier, name)
    }
  const atHome = new Set(
    homes.flatMap((name) => [...shownNext(definition, name), ...(asks(screens[name]!) ? [name] : [])]),
  )
  for (const name of homing) {
    for (const to of homes) lead(name, to)
    for (const shown of atHome) if (guarded.has(shown)) lead(shown, name)
  }
  return (name) => ways.get(name)!
}

function isGate(screen: ScreenDefinition): boolean {
  return 'secret' in screen && screen.secret === true
}

/** The screens that ask, to which this one may lead without a question; a call: without another call. */
function shownNext({ screens }: FlowDefinition, from: string): Set<string> {
  const isCall = callOf(screens[from]!) !== undefined
  const shown = new Set<string>()
  const passed = new Set<string>()
  const next = targetsOf(screens[from]!).map(({ to }) => to)
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    const screen = screens[name]
    if (!screen || passed.has(name)) continue
    passed.add(name)
    if (!asks(screen)) {
      if (!isCall || !callOf(screen)) next.push(...targetsOf(screen).map(({ to }) => to))
      continue
    }
    shown.add(name)
    // A list without rows leads on, and nobody sees it.
    const skip = kindOf(screen).skips?.(screen)
    if (skip !== undefined) next.push(skip)
  }
  return shown
}

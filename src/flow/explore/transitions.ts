/** Every coverage item and every transition of a flow that a test has to take, and which of them an event takes. */
import type { DialogueContext, DialogueInput, Rested } from '../../../machines/dialogue.ts'
import { begunBy, passedBy } from '../../../machines/passed.ts'
import { trimAnswer } from '../../ussd/index.ts'
import type { FlowEvent, FlowInput, FlowSnapshot } from '../engine/index.ts'
import { openingOf, type Compilation } from '../load/index.ts'
import {
  asks,
  firstScreens,
  homeScreens,
  type FlowDefinition,
  keysOn,
  kindOf,
  type ScreenDefinition,
  takesLabels,
} from '../language/index.ts'
import { BACK } from '../plan/index.ts'
import type { Outcome } from '../screens/index.ts'
import { compiledTexts } from '../text/index.ts'
import { contextOf } from './state-key.ts'

export interface Transition {
  name: string
  screen: string
  /** A condition of this transition that synthetic data may not meet. */
  only: string
}

export interface Transitions {
  /** In the order of the file. */
  all: readonly Transition[]
  begun(input: FlowInput): string[]
  taken(from: FlowSnapshot, event: FlowEvent): string[]
}

export function transitionsOf({ definition, machine }: Compilation): Transitions {
  const screens = Object.entries(definition.screens)
  const passing = new Map(
    screens.flatMap(([name, screen]) => {
      const passed = kindOf(screen).passed?.(screen, definition.zone)
      return passed ? [[name, passed]] : []
    }),
  )
  const done = itemsDone(definition)
  const through = (states: readonly Rested[]) =>
    states.flatMap((state, i) => [
      screenItem(state.value),
      ...silentWays(definition, state, states[i + 1]?.value, passing.get(state.value)),
    ])
  return {
    all: screens.flatMap(([name, screen]) => waysOf(definition, name, screen)),
    begun: (input) => through(begunBy(machine, openingOf(input, definition.languages) as DialogueInput)),
    taken: (from, event) => {
      const screen = definition.screens[from.value]
      const states = passedBy(machine, from as unknown as Rested, event)
      if (!screen || states.length === 0) return []
      const own = done(from, event)
      const others = own === undefined || isWords(event) ? pressedOn(definition, screen, from, event, states[0]!) : []
      const answered = others.length ? [] : answeredOn(screen, from, event, states[0]!)
      return [...(own === undefined ? [] : [own]), ...others, ...answered, ...through(states)]
    },
  }
}

/** Words never begin with the characters with which numbers and keys begin. */
const isWords = (event: FlowEvent) => event.type === 'ANSWER' && !/^[\d*#+]/.test(trimAnswer(event.text))

const UNLED = 'no synthetic data lead there'

function waysOf(definition: FlowDefinition, name: string, screen: ScreenDefinition): Transition[] {
  const way = (what: string, only: string): Transition => ({ name: itemOf(name, what), screen: name, only })
  const { does, items, outcomes } = kindOf(screen)
  const all = (found: Outcome[] | undefined) => found?.map(({ what, only = UNLED }) => way(what, only)) ?? []
  const { back, home } = asks(screen) ? keysOn(definition, screen) : {}
  const nothing = 'no earlier screen to go back to'
  return [
    { name: screenItem(name), screen: name, only: UNLED },
    ...(does === 'pass' ? [] : all(items?.(screen))),
    ...(back === undefined ? [] : [way('key Back', nothing)]),
    ...(home === undefined || isHome(definition, name) ? [] : [way('key Home', nothing)]),
    ...(takesLabels(definition, screen) ? [way('a choice by its words', 'no label can be typed by its words')] : []),
    ...all(outcomes?.(screen)),
  ]
}

/** Whether the key for Home leads nowhere from this screen. */
function isHome(definition: FlowDefinition, name: string): boolean {
  return firstScreens(definition).has(name) || homeScreens(definition).has(name)
}

/** The transitions of a branch, or of a list without rows, that a step passed through. */
function silentWays(
  definition: FlowDefinition,
  { value, context }: Rested,
  next: string | undefined,
  passed: ((context: DialogueContext) => string) | undefined,
): string[] {
  if (passed) return [itemOf(value, passed(context))]
  const screen = definition.screens[value]
  const skip = screen && kindOf(screen).skips?.(screen)
  const isUnseen = next !== undefined && !context.shown?.n
  return isUnseen && next === skip ? [itemOf(value, 'no rows')] : []
}

/** A key, or words, on a page. */
function pressedOn(
  definition: FlowDefinition,
  screen: ScreenDefinition,
  from: FlowSnapshot,
  event: FlowEvent,
  next: Rested,
): string[] {
  if (event.type !== 'ANSWER' || !asks(screen)) return []
  const { back, home } = keysOn(definition, screen)
  const answer = trimAnswer(event.text)
  if (answer === back && next.value === BACK) return [itemOf(from.value, 'key Back')]
  if (answer === home && next.value !== from.value) return [itemOf(from.value, 'key Home')]
  if (next.value === from.value) return []
  return takesLabels(definition, screen) ? [itemOf(from.value, 'a choice by its words')] : []
}

/** The outcome of an answer, or of a call. */
function answeredOn(screen: ScreenDefinition, from: FlowSnapshot, event: FlowEvent, next: Rested): string[] {
  const name = from.value
  const found = kindOf(screen).answered?.(screen, { name, context: contextOf(from), event, next })
  return found === undefined ? [] : [itemOf(name, found)]
}

export const screenItem = (name: string) => `screen '${name}'`
const itemOf = (screen: string, what: string) => `${screenItem(screen)}, ${what}`

/** The coverage items of a screen. Branches and sets have none: no dialogue rests there. */
export function coverageItems(name: string, screen: ScreenDefinition): string[] {
  const { does, items } = kindOf(screen)
  if (does === 'pass') return []
  return [screenItem(name), ...(items?.(screen) ?? []).map(({ what }) => itemOf(name, what))]
}

/** The item of its screen that an event covers. */
type ItemDone = (snapshot: FlowSnapshot, event: FlowEvent) => string | undefined

export function itemsDone(definition: FlowDefinition): ItemDone {
  const { text } = compiledTexts(definition)
  return (snapshot, event) => {
    const screen = definition.screens[snapshot.value]
    const what =
      screen &&
      kindOf(screen).covered?.(screen, {
        context: contextOf(snapshot),
        event,
        zone: definition.zone,
        keyed: asks(screen) && keysOn(definition, screen).back !== undefined,
        labels: takesLabels(definition, screen),
        say: text,
      })
    return what === undefined ? undefined : itemOf(snapshot.value, what)
  }
}

/** Every way on from every screen: what a test of a flow has to take, and which of them an event takes. */
import type { DialogueContext, DialogueInput, Rested } from '../../../machines/dialogue.ts'
import { begunBy, passedBy } from '../../../machines/passed.ts'
import { trimAnswer } from '../../ussd/index.ts'
import { openingOf, type Compilation } from '../load/index.ts'
import {
  asks,
  kindOf,
  type FlowDefinition,
  type ScreenDefinition,
  firstScreens,
  keysOn,
  takesLabels,
} from '../language/index.ts'
import { BACK, type Outcome } from '../screens/index.ts'
import { screenItem, itemDone } from './coverage-items.ts'
import { contextOf } from './walk.ts'
import type { FlowEvent, FlowInput, FlowSnapshot } from '../engine/index.ts'

export interface Transition {
  name: string
  screen: string
  /** What it depends on that made-up data may not bring about. */
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
      const own = itemDone(definition, screen, from, event)
      const others = own === undefined || isWords(event) ? pressedOn(definition, screen, from, event, states[0]!) : []
      const answered = others.length ? [] : answeredOn(screen, from, event, states[0]!)
      return [...(own === undefined ? [] : [own]), ...others, ...answered, ...through(states)]
    },
  }
}

/** Numbers and keys begin with what words never do. */
const isWords = (event: FlowEvent) => event.type === 'ANSWER' && !/^[\d*#+]/.test(trimAnswer(event.text))

const wayThing = (screen: string, what: string) => `${screenItem(screen)}, ${what}`
const UNLED = 'no synthetic data lead there'

function waysOf(definition: FlowDefinition, name: string, screen: ScreenDefinition): Transition[] {
  const way = (what: string, only: string): Transition => ({ name: wayThing(name, what), screen: name, only })
  const { does, items, outcomes } = kindOf(screen)
  const all = (found: Outcome[] | undefined) => found?.map(({ what, only = UNLED }) => way(what, only)) ?? []
  const { back, home } = asks(screen) ? keysOn(definition, screen) : {}
  const nothing = 'no earlier screen to go back to'
  return [
    { name: screenItem(name), screen: name, only: UNLED },
    ...(does === 'pass' ? [] : all(items?.(screen))),
    ...(back === undefined ? [] : [way('key Back', nothing)]),
    ...(home === undefined || firstScreens(definition).has(name) ? [] : [way('key Home', nothing)]),
    ...typedWays(name, screen, takesLabels(definition, screen)),
    ...all(outcomes?.(screen)),
  ]
}

/** In a list with a search, letters look for rows. */
function typedWays(name: string, screen: ScreenDefinition, labels: boolean): Transition[] {
  if ('search' in screen && screen.search)
    return [{ name: wayThing(name, 'letters'), screen: name, only: 'no row has letters' }]
  return labels
    ? [{ name: wayThing(name, 'a choice by its words'), screen: name, only: 'no label can be typed by its words' }]
    : []
}

/** What a branch or a list without rows came to, where a step went through it. */
function silentWays(
  definition: FlowDefinition,
  { value, context }: Rested,
  next: string | undefined,
  passed: ((context: DialogueContext) => string) | undefined,
): string[] {
  if (passed) return [wayThing(value, passed(context))]
  const screen = definition.screens[value]
  const skip = screen && kindOf(screen).skips?.(screen)
  const isUnseen = next !== undefined && !context.shown?.n
  return isUnseen && next === skip ? [wayThing(value, 'no rows')] : []
}

/** A key, words or letters on a page. */
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
  if (answer === back && next.value === BACK) return [wayThing(from.value, 'key Back')]
  if (answer === home && next.value !== from.value) return [wayThing(from.value, 'key Home')]
  if (next.value === from.value) return next.context.find && !from.context.find ? [wayThing(from.value, 'letters')] : []
  return takesLabels(definition, screen) ? [wayThing(from.value, 'a choice by its words')] : []
}

/** What came of an answer to an input, or of a call. */
function answeredOn(screen: ScreenDefinition, from: FlowSnapshot, event: FlowEvent, next: Rested): string[] {
  const name = from.value
  const found = kindOf(screen).answered?.(screen, { name, context: contextOf(from), event, next })
  return found === undefined ? [] : [wayThing(name, found)]
}

/** Every item and every way of a flow that a test has to take, and which of them an event takes. */
import type { DialogueContext, DialogueInput, Rested } from '../../../machines/dialogue.ts'
import { begunBy, passedBy } from '../../../machines/passed.ts'
import { type Json, trimAnswer } from '../../ussd/index.ts'
import { compileCondition, labelNamed, Slip } from '../expression/index.ts'
import { type FlowEvent, type FlowInput, type FlowSnapshot, lookUp } from '../engine/index.ts'
import { openingOf, type Compilation } from '../load/index.ts'
import {
  asks,
  firstScreens,
  type FlowDefinition,
  keysOn,
  kindOf,
  type ListScreen,
  type MenuScreen,
  type ScreenDefinition,
  takesLabels,
} from '../language/index.ts'
import { BACK, choiceItem, type Outcome, rowsShown } from '../screens/index.ts'
import { compiledTexts } from '../text/index.ts'
import { contextOf } from './state-key.ts'

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

export const screenItem = (name: string) => `screen '${name}'`

/** Whatever of a screen can be walked. Branches and sets are not seen: no dialogue rests there. */
export function coverageItems(name: string, screen: ScreenDefinition): string[] {
  const { does, items } = kindOf(screen)
  if (does === 'pass') return []
  return [screenItem(name), ...(items?.(screen) ?? []).map(({ what }) => `${screenItem(name)}, ${what}`)]
}

/** The item that the event covers. */
export function itemDone(
  definition: FlowDefinition,
  screen: ScreenDefinition,
  snapshot: FlowSnapshot,
  event: FlowEvent,
): string | undefined {
  const here = screenItem(snapshot.value)
  if (event.type === 'REFUSED') return `${here}, refused: ${event.refusal}`
  const context = contextOf(snapshot)
  if (event.type !== 'ANSWER' || !context.shown || !('choices' in screen)) return undefined
  const key = lookUp(
    context.shown,
    screen.back !== undefined,
    trimAnswer(event.text),
    keysOn(definition, screen).back !== undefined,
  )
  if (key === 'back') return context.shown.at.length > 1 ? undefined : `${here}, Back`
  if (key === 'more') return undefined
  const rows = 'row' in screen ? rowsShown(screen, context) : []
  const shown = screen.choices.flatMap((choice, i) => {
    const condition = choice.when === undefined ? undefined : compileCondition(choice.when, definition.zone)
    return condition !== undefined && !(condition instanceof Slip) && !condition.holds({ context }) ? [] : [i]
  })
  const option = key?.option ?? optionNamed(event.text, { definition, screen, context, rows, shown })
  if (option === undefined) return undefined
  if (option < rows.length) return `${here}, a row`
  const chosen = shown[option - rows.length - (context.find ? 1 : 0)]
  return chosen === undefined ? undefined : `${here}, ${choiceItem(screen, chosen)}`
}

interface Offered {
  definition: FlowDefinition
  screen: MenuScreen | ListScreen
  context: ReturnType<typeof contextOf>
  rows: readonly Json[]
  /** The choices whose condition holds. */
  shown: readonly number[]
}

/** The row or choice whose words were typed, where they may be. */
function optionNamed(typed: string, { definition, screen, context, rows, shown }: Offered): number | undefined {
  if (!takesLabels(definition, screen)) return undefined
  const { text } = compiledTexts(definition)
  const ofRows = 'row' in screen ? rows.map((row) => text(screen.row)({ context, row })) : []
  const ofChoices = shown.map((i) => text(screen.choices[i]?.label ?? '')({ context }))
  return labelNamed([...ofRows, ...ofChoices], typed)
}

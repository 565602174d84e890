/** Every way on from every screen: what a test of a flow has to take, and which of them an event takes. */
import type { DialogueContext, DialogueInput, Rested } from '../../../machines/dialogue.ts'
import { begunBy, passedBy } from '../../../machines/passed.ts'
import { trimAnswer } from '../../ussd/index.ts'
import { openingOf, type Compilation } from '../load/index.ts'
import { compileCondition, Slip, type Condition, readRows } from '../expression/index.ts'
import {
  asks,
  isRouter,
  type BranchScreen,
  type FlowDefinition,
  type InputScreen,
  type ScreenDefinition,
  firstScreens,
  keysOn,
  takesLabels,
  RULES,
} from '../language/index.ts'
import { expected, BACK, armOver } from '../screens/index.ts'
import { screenItem, itemDone, coverageItems } from './coverage-items.ts'
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
  const arms = new Map(
    screens.flatMap(([name, screen]) => (screen.kind === 'branch' ? [[name, armsOf(screen, definition.zone)]] : [])),
  )
  const through = (states: readonly Rested[]) =>
    states.flatMap((state, i) => [
      screenItem(state.value),
      ...silentWays(definition, state, states[i + 1]?.value, arms.get(state.value) ?? []),
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
const armThing = (name: string, i: number) => wayThing(name, `condition ${i + 1}`)
const checkThing = (name: string, { checks = [] }: InputScreen, i: number) =>
  wayThing(name, `check ${i + 1} (${RULES.find((rule) => checks[i]?.[rule] !== undefined)}) broken`)

function waysOf(definition: FlowDefinition, name: string, screen: ScreenDefinition): Transition[] {
  const way = (what: string, only: string): Transition => ({ name: wayThing(name, what), screen: name, only })
  const seen = coverageItems(name, screen).map((thing, i): Transition => ({
    name: thing,
    screen: name,
    only: onlyOf(screen, i),
  }))
  const { back, home } = asks(screen) ? keysOn(definition, screen) : {}
  const nothing = 'there is nothing to go back to'
  return [
    ...(seen.length ? seen : [{ name: screenItem(name), screen: name, only: 'no made-up data lead there' }]),
    ...(back === undefined ? [] : [way('key Back', nothing)]),
    ...(home === undefined || firstScreens(definition).has(name) ? [] : [way('key Home', nothing)]),
    ...typedWays(name, screen, takesLabels(definition, screen)),
    ...(screen.kind === 'list' && screen.empty !== undefined ? [way('no rows', 'rows are never missing')] : []),
    ...(screen.kind === 'call' ? [way('answered', ''), way('no answer', '')] : []),
    ...(screen.kind === 'branch' ? branchWays(name, screen) : []),
    ...(screen.kind === 'input' ? inputWays(name, screen) : []),
  ]
}

/** In a list with a search, letters look for rows. */
function typedWays(name: string, screen: ScreenDefinition, labels: boolean): Transition[] {
  if (screen.kind === 'list' && screen.search)
    return [{ name: wayThing(name, 'letters'), screen: name, only: 'no row has letters' }]
  return labels
    ? [{ name: wayThing(name, 'a choice by its words'), screen: name, only: 'no label is found by its words' }]
    : []
}

function onlyOf(screen: ScreenDefinition, i: number): string {
  const choice = 'choices' in screen ? screen.choices[i - (screen.kind === 'list' ? 2 : 1)] : undefined
  return choice?.when === undefined ? 'no made-up data lead there' : `on show only if ${JSON.stringify(choice.when)}`
}

function branchWays(name: string, screen: BranchScreen): Transition[] {
  const way = (what: string, only: string): Transition => ({ name: what, screen: name, only })
  return [
    ...screen.branch.map((arm, i) => way(armThing(name, i), `no made-up data make ${JSON.stringify(arm.if)} hold`)),
    ...(screen.empty === undefined ? [] : [way(wayThing(name, 'no rows'), 'rows are never missing')]),
    way(wayThing(name, 'else'), 'one of its conditions always holds'),
  ]
}

function inputWays(name: string, screen: InputScreen): Transition[] {
  const way = (what: string, only: string): Transition => ({ name: what, screen: name, only })
  return [
    way(wayThing(name, 'answered'), 'no made-up answer is taken'),
    way(wayThing(name, 'wrong answer'), ''),
    ...(screen.checks ?? []).map((_check, i) =>
      way(checkThing(name, screen, i), 'no made-up answer breaks it and none before it'),
    ),
    ...(screen.giveUp === undefined ? [] : [way(wayThing(name, 'too many wrong answers'), '')]),
  ]
}

const armsOf = (screen: BranchScreen, zone: string) =>
  screen.branch.map((arm) => compileCondition(arm.if, zone)).filter((arm): arm is Condition => !(arm instanceof Slip))

/** What a branch or a list without rows came to, where a step went through it. */
function silentWays(
  definition: FlowDefinition,
  { value, context }: Rested,
  next: string | undefined,
  arms: readonly Condition[],
): string[] {
  const screen = definition.screens[value]
  const isUnseen = next !== undefined && !context.shown?.n
  if (screen?.kind === 'list') return isUnseen && next === screen.empty ? [wayThing(value, 'no rows')] : []
  if (screen?.kind !== 'branch') return []
  const at = isRouter(screen) ? armOver(screen, arms, context)?.arm : arms.findIndex((arm) => arm.holds({ context }))
  if (at !== undefined && at >= 0) return [armThing(value, at)]
  const isEmpty = isRouter(screen) && screen.empty !== undefined && readRows({ context }, screen.over).length === 0
  return [wayThing(value, isEmpty ? 'no rows' : 'else')]
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
  if (screen.kind === 'call' && event.type === 'REFUSED' && screen.refused?.[event.refusal]) return []
  const isUsable = screen.kind === 'call' && event.type === 'RESULT' && expected(event.data, screen.expect)
  if (screen.kind === 'call') return [wayThing(name, isUsable ? 'answered' : 'no answer')]
  if (screen.kind !== 'input' || event.type !== 'ANSWER') return []
  const { wrong, broken } = next.context as DialogueContext
  if (next.value === name && wrong > 0)
    return [broken === undefined ? wayThing(name, 'wrong answer') : checkThing(name, screen, broken)]
  const isOut = Number(from.context.wrong) + 1 >= (screen.attempts ?? Infinity) || next.value !== screen.to
  if (next.value === screen.giveUp && isOut) return [wayThing(name, 'too many wrong answers')]
  return next.value === screen.to ? [wayThing(name, 'answered')] : []
}

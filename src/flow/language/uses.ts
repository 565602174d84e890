/** Where a flow says or reads something: every text, condition and value, with its place in the file. */
import type { ConditionSource } from '../expression/index.ts'
import type { Choice, Kind, Route, Scalar, Text, WrittenScreen } from './definition.ts'

export type FlowPlace = (string | number)[]

/** What a text is for: it decides how long it may be. */
export type TextRole = 'title' | 'label' | 'row' | 'prompt' | 'wrong' | 'notice' | 'closing' | 'notify' | 'sms'

export interface TextUse {
  screen: string
  place: FlowPlace
  text: Text
  role: TextRole
}

export interface ConditionUse {
  screen: string
  place: FlowPlace
  condition: ConditionSource
  /** It is about one row of many: `row` means something there. */
  inRow?: boolean
}

export interface ValueUse {
  screen: string
  place: FlowPlace
  value: Scalar
}

export interface Uses {
  texts: TextUse[]
  conditions: ConditionUse[]
  values: ValueUse[]
}

/** What sets each of `vars`, on all screens. */
export function setIn(definition: { screens: Record<string, WrittenScreen> }): Map<string, Scalar[]> {
  const set = new Map<string, Scalar[]>()
  const note = (values: Record<string, Scalar> | undefined) => {
    for (const [name, value] of Object.entries(values ?? {})) set.set(name, [...(set.get(name) ?? []), value])
  }
  for (const screen of Object.values(definition.screens)) {
    if (screen.kind === 'set') note(screen.set)
    if (screen.kind === 'menu' || screen.kind === 'list') for (const choice of screen.choices) note(choice.set)
  }
  return set
}

export function usesOf(definition: { screens: Record<string, WrittenScreen> }): Uses {
  const uses: Uses = { texts: [], conditions: [], values: [] }
  for (const [name, screen] of Object.entries(definition.screens)) collect(name, screen, uses)
  return uses
}

const ROLES: Partial<Record<Kind, TextRole>> = {
  menu: 'title',
  list: 'title',
  input: 'prompt',
  notify: 'notify',
  end: 'closing',
}

function collect(name: string, screen: WrittenScreen, uses: Uses): void {
  const at = (...place: FlowPlace): FlowPlace => ['screens', name, ...place]
  const say = (role: TextRole, text: Text | undefined, place: FlowPlace) => {
    if (text !== undefined) uses.texts.push({ screen: name, place, text, role })
  }
  const values = (block: Record<string, Scalar> | undefined, place: FlowPlace) => {
    for (const [key, value] of Object.entries(block ?? {}))
      uses.values.push({ screen: name, place: [...place, key], value })
  }
  const route = (to: Route | undefined, place: FlowPlace) => {
    if (typeof to === 'object') say('notice', to.notice, [...place, 'notice'])
  }
  const choices = (written: readonly Choice[]) =>
    written.forEach((choice, i) => {
      say('label', choice.label, at('choices', i, 'label'))
      if (choice.when !== undefined)
        uses.conditions.push({ screen: name, place: at('choices', i, 'when'), condition: choice.when })
      values(choice.set, at('choices', i, 'set'))
    })
  const role = ROLES[screen.kind]
  if (role) say(role, (screen as unknown as Record<string, Text>)[screen.kind], at(screen.kind))
  if (screen.kind === 'menu' || screen.kind === 'list') choices(screen.choices)
  if (screen.kind === 'list') say('row', screen.row, at('row'))
  if (screen.kind === 'input') {
    say('wrong', screen.wrong, at('wrong'))
    screen.checks?.forEach((check, i) => {
      say('wrong', check.wrong, at('checks', i, 'wrong'))
      if (check.if !== undefined)
        uses.conditions.push({ screen: name, place: at('checks', i, 'if'), condition: check.if })
    })
  }
  if (screen.kind === 'set') {
    values(screen.set, at('set'))
    say('notice', screen.notice, at('notice'))
    route(screen.failed, at('failed'))
  }
  if (screen.kind === 'flow') values(screen.with, at('with'))
  if (screen.kind === 'return') values(screen.give, at('give'))
  if (screen.kind === 'branch') {
    screen.branch.forEach((arm, i) =>
      uses.conditions.push({
        screen: name,
        place: at('branch', i, 'if'),
        condition: arm.if,
        inRow: screen.over !== undefined,
      }),
    )
  }
  if (screen.kind === 'call') {
    say('sms', screen.sms, at('sms'))
    values(screen.with, at('with'))
    for (const [refusal, to] of Object.entries(screen.refused ?? {})) route(to, at('refused', refusal))
    route(screen.failed, at('failed'))
  }
}

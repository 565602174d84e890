/** What of a flow is walked one by one: screens, choices, refusals. */
import { type Json, trimAnswer } from '../../ussd/index.ts'
import { compileCondition, Slip, labelNamed } from '../expression/index.ts'
import {
  type FlowDefinition,
  type ListScreen,
  type MenuScreen,
  type ScreenDefinition,
  keysOn,
  kindOf,
  takesLabels,
} from '../language/index.ts'
import { lookUp, type FlowEvent, type FlowSnapshot } from '../engine/index.ts'
import { choiceItem, rowsShown } from '../screens/index.ts'
import { compiledTexts } from '../text/index.ts'
import { contextOf } from './walk.ts'

export const screenItem = (name: string) => `screen '${name}'`

/** Whatever of a screen can be walked. Branches and sets are not seen: no dialogue rests there. */
export function coverageItems(name: string, screen: ScreenDefinition): string[] {
  const { does, items } = kindOf(screen)
  if (does === 'pass') return []
  return [screenItem(name), ...(items?.(screen) ?? []).map(({ what }) => `${screenItem(name)}, ${what}`)]
}

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

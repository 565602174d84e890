/** What of a flow is walked one by one: screens, choices, refusals. */
import { type Json, trimAnswer } from '../../ussd/index.ts'
import { compileCondition, Slip, labelNamed } from '../expression/index.ts'
import { type FlowDefinition, type ScreenDefinition, keysOn, takesLabels } from '../language/index.ts'
import { lookUp, type FlowEvent, type FlowSnapshot } from '../engine/index.ts'
import { rowsShown } from '../screens/index.ts'
import { compiledTexts } from '../text/index.ts'
import { contextOf } from './walk.ts'

export const screenItem = (name: string) => `screen '${name}'`

/** Whatever of a screen can be walked. Branches and sets are not seen: no dialogue rests there. */
export function coverageItems(name: string, screen: ScreenDefinition): string[] {
  if (screen.kind === 'branch' || screen.kind === 'set') return []
  const own = [screenItem(name)]
  if (screen.kind === 'menu' || screen.kind === 'list') {
    if (screen.kind === 'list') own.push(`${screenItem(name)}, a row`)
    screen.choices.forEach((_choice, i) => own.push(choiceThing(name, screen, i)))
    if (screen.back !== undefined) own.push(`${screenItem(name)}, Back`)
  }
  if (screen.kind === 'call')
    for (const refusal of Object.keys(screen.refused ?? {})) own.push(`${screenItem(name)}, refused: ${refusal}`)
  return own
}

function choiceThing(name: string, screen: ScreenDefinition & { kind: 'menu' | 'list' }, i: number): string {
  const label = screen.choices[i]?.label ?? ''
  return `${screenItem(name)}, choice ${i + 1} "${typeof label === 'string' ? label : Object.values(label)[0]}"`
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
  if (event.type !== 'ANSWER' || !context.shown || (screen.kind !== 'menu' && screen.kind !== 'list')) return undefined
  const key = lookUp(
    context.shown,
    screen.back !== undefined,
    trimAnswer(event.text),
    keysOn(definition, screen).back !== undefined,
  )
  if (key === 'back') return context.shown.at.length > 1 ? undefined : `${here}, Back`
  if (key === 'more') return undefined
  const rows = screen.kind === 'list' ? rowsShown(screen, context) : []
  const shown = screen.choices.flatMap((choice, i) => {
    const condition = choice.when === undefined ? undefined : compileCondition(choice.when, definition.zone)
    return condition !== undefined && !(condition instanceof Slip) && !condition.holds({ context }) ? [] : [i]
  })
  const option = key?.option ?? optionNamed(event.text, { definition, screen, context, rows, shown })
  if (option === undefined) return undefined
  if (option < rows.length) return `${here}, a row`
  const chosen = shown[option - rows.length - (context.find ? 1 : 0)]
  return chosen === undefined ? undefined : choiceThing(snapshot.value, screen, chosen)
}

interface Offered {
  definition: FlowDefinition
  screen: ScreenDefinition & { kind: 'menu' | 'list' }
  context: ReturnType<typeof contextOf>
  rows: readonly Json[]
  /** The choices whose condition holds. */
  shown: readonly number[]
}

/** The row or choice whose words were typed, where they may be. */
function optionNamed(typed: string, { definition, screen, context, rows, shown }: Offered): number | undefined {
  if (!takesLabels(definition, screen)) return undefined
  const { text } = compiledTexts(definition)
  const ofRows = screen.kind === 'list' ? rows.map((row) => text(screen.row)({ context, row })) : []
  const ofChoices = shown.map((i) => text(screen.choices[i]?.label ?? '')({ context }))
  return labelNamed([...ofRows, ...ofChoices], typed)
}

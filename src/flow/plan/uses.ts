/** Where a screen shows or reads something: every text, condition and value, with its place in the file. */
import type { ConditionSource, Scalar } from '../expression/index.ts'
import type { Text } from '../terms/index.ts'
import type { Route } from './routes.ts'

export type FlowPlace = (string | number)[]

/** The purpose of a text. It decides how long the text may be. */
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
  /** It is about one row of a list: `row` has a meaning there. */
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

/** How a kind reports its uses, each with its place in the screen. Absent keys are no uses. */
export interface TellUses {
  text(role: TextRole, text: Text | undefined, ...place: FlowPlace): void
  condition(condition: ConditionSource | undefined, place: FlowPlace, inRow?: boolean): void
  values(block: Record<string, Scalar> | undefined, ...place: FlowPlace): void
  /** The notice on a way. */
  route(to: Route | undefined, ...place: FlowPlace): void
}

/** Records the uses of this screen. */
export function tellUses(screen: string, uses: Uses): TellUses {
  const at = (place: FlowPlace): FlowPlace => ['screens', screen, ...place]
  const say: TellUses['text'] = (role, text, ...place) => {
    if (text !== undefined) uses.texts.push({ screen, place: at(place), text, role })
  }
  return {
    text: say,
    condition: (condition, place, inRow) => {
      if (condition === undefined) return
      uses.conditions.push({ screen, place: at(place), condition, ...(inRow === undefined ? {} : { inRow }) })
    },
    values: (block, ...place) => {
      for (const [key, value] of Object.entries(block ?? {}))
        uses.values.push({ screen, place: [...at(place), key], value })
    },
    route: (to, ...place) => {
      if (typeof to === 'object') say('notice', to.notice, ...place, 'notice')
    },
  }
}

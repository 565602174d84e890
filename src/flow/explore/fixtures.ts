/** Back ends and subscribers that are made up from what a flow reads: the data that it is walked with. */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import type { Json, JsonObject } from '../../ussd/index.ts'
import { compileCondition, Slip, readPath } from '../expression/index.ts'
import { type FlowDefinition, type InputScreen, takesLabels } from '../language/index.ts'
import { answersOf, wrongAnswersOf } from './synthetic-answers.ts'
import { outcomesOf, type SyntheticOutcome } from './synthetic-calls.ts'
import { readsOf, valuesAt } from './reads.ts'
import type { Lengths } from './synthetic-rows.ts'
import { rowsShown } from '../screens/index.ts'

export interface SyntheticWorld {
  outcomes: (screen: string) => readonly SyntheticOutcome[]
  /** Answers that an input takes; none if no example could be made. */
  answers: (screen: string) => readonly string[]
  /** Answers that an input may refuse there, each for another reason. */
  wrongAnswers: (screen: string, context: DialogueContext) => readonly string[]
  /** Whether choices may be typed by their words. */
  takesWords: (screen: string) => boolean
  isSecret: (screen: string) => boolean
  /** Whether wrong answers lead an input to a screen of the flow. */
  givesUp: (screen: string) => boolean
  /** Letters that a list with a search finds a row by; undefined of others, and of one without rows. */
  searched: (screen: string, context: DialogueContext) => string | undefined
}

/** For a definition that has been checked. Nothing in it is beyond a `max` of `expect`. */
export function syntheticWorld(definition: FlowDefinition, lengths: Lengths): SyntheticWorld {
  const reads = readsOf(definition)
  const known = new Map<string, readonly SyntheticOutcome[]>()
  return {
    outcomes: (name) => {
      const screen = definition.screens[name]
      if (screen?.kind !== 'call') return []
      const found = known.get(name) ?? outcomesOf(name, screen, { definition, reads, lengths })
      known.set(name, found)
      return found
    },
    wrongAnswers: (name, context) => {
      const screen = definition.screens[name]
      if (screen?.kind !== 'input') return []
      return wrongAnswersOf(
        screen,
        [...valuesAt(reads, `answers.${screen.as ?? name}`), ...comparedOn(screen, context)],
        definition.zone,
      )
    },
    takesWords: (name) => takesLabels(definition, definition.screens[name]),
    isSecret: (name) => {
      const screen = definition.screens[name]
      return screen !== undefined && 'secret' in screen && screen.secret === true
    },
    givesUp: (name) => {
      const screen = definition.screens[name]
      return screen !== undefined && 'giveUp' in screen && screen.giveUp !== undefined
    },
    searched: (name, context) => {
      const screen = definition.screens[name]
      if (screen?.kind !== 'list' || !screen.search) return undefined
      const [row] = rowsShown(screen, context) as (JsonObject | undefined)[]
      const texts = screen.search.map((field) => String(row?.[field] ?? ''))
      return texts.flatMap((text) => /\p{L}+/u.exec(text)?.[0] ?? [])[0]
    },
    answers: (name) => {
      const screen = definition.screens[name]
      return screen?.kind === 'input'
        ? answersOf(screen, valuesAt(reads, `answers.${screen.as ?? name}`), definition.zone)
        : []
    },
  }
}

/** What conditions of an input compare the answer with, there. */
function comparedOn({ checks = [] }: InputScreen, context: DialogueContext): Json[] {
  return checks.flatMap(({ if: condition }) => {
    const compiled = condition === undefined ? undefined : compileCondition(condition)
    return compiled === undefined || compiled instanceof Slip
      ? []
      : compiled.paths.flatMap((path) => readPath({ context }, path) ?? [])
  })
}

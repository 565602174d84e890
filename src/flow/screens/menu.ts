/** `menu`: a title and written choices. */
import { z } from 'zod'
import { abandoned, usesOfAbandoned } from './abandoned.ts'
import { name, text } from '../terms/index.ts'
import {
  back,
  choices,
  choicesOf,
  coveredChoice,
  itemsOfChoices,
  keys,
  keysUnder,
  labels,
  LINES_AFTER,
  mayBeBare,
  numbered,
  overfullKeys,
  pressedFor,
  slipsOfKeys,
  slipsOfNumbers,
  targetsOfChoices,
  usesOfChoices,
  varsOfChoices,
  WORDS_OF_CHOICES,
} from './choices.ts'
import type { DialogueContext } from '../../../machines/dialogue.ts'
import type { ScreenKind } from './kind.ts'
import { fitsPage, offering, type Offer, arrived, GOODBYE, type Env, type Plan, target } from '../plan/index.ts'
import type { InputScreen } from './input.ts'
import {
  typedAnswer,
  clashesOfTyped,
  keepsValue,
  showsValue,
  slipsOfTyped,
  slipsOfValues,
  takesKey,
  TYPED,
  typedInMenu,
  typedExamples,
  typedInput,
  typedOffer,
  typedOutcomes,
  typedStep,
  usesOfTyped,
} from './typed.ts'
import { linesOf, pickTextRows, rows, rowsOfText, usesOfRows } from './text-rows.ts'

const schema = z
  .strictObject({
    menu: text.describe('The text above the choices.'),
    rows,
    choices,
    as: name.optional().describe('Beside `typed`: keeps the answer as `answers.<as>`.'),
    typed: typedInMenu,
    back,
    keys,
    labels,
    abandoned,
  })
  .describe('A text with numbered choices.')

export type MenuScreen = z.infer<typeof schema> & { kind: 'menu' }

export const menuKind = {
  schema,
  does: 'ask',
  targets: (screen) => [...targetsOfChoices(screen), ...target(screen.typed?.to, 'typed', 'to')],
  clashes: (screen) => clashesOfTyped(screen),
  uses(screen, tell) {
    tell.text('title', screen.menu, 'menu')
    usesOfRows(screen.rows, 'title', tell)
    usesOfChoices(screen, tell)
    usesOfTyped(screen, tell)
    usesOfAbandoned(screen, tell)
  },
  keeps: ({ typed }) => (typed ? 'answers' : undefined),
  keepsOn: ({ typed, choices: all }, [key, which]) =>
    key === 'typed' || (typed !== undefined && key === 'choices' && all[which as number]?.value !== undefined),
  input: inputOfMenu,
  ...typedAnswer(inputOfMenu),
  vars: (screen, path) => varsOfChoices(screen, path),
  rows: (screen) => rowsOfText(screen.rows, screen.menu),
  picks: (screen, zone) => pickTextRows(screen.rows, zone),
  caption: (screen, first) => first(screen.menu),
  label: ({ choices: written }, [key, which], first) =>
    key === 'choices' ? first(written[which as number]?.label ?? '') : key === 'typed' ? TYPED.what : undefined,
  pressed: (screen, [key, which], name) =>
    key === 'typed'
      ? `(an answer to '${name}')`
      : key === 'back'
        ? String(numbered(screen).length + 1)
        : pressedFor(screen, Number(which)),
  slips: (screen, zone) => [
    ...slipsOfTyped(screen, inputOfMenu(screen), zone),
    ...slipsOfValues(screen.choices, inputOfMenu(screen)),
    ...slipsOfKeys(screen),
    ...slipsOfNumbers(screen, numbered(screen).length + LINES_AFTER),
  ],
  items: (screen) => itemsOfChoices(screen),
  covered: (screen, step) => coveredChoice(screen, step, undefined, showsValue(screen, inputOfMenu(screen), step.zone)),
  outcomes: (screen) => typedOutcomes(inputOfMenu(screen)),
  answered: (screen, step) => typedStep(inputOfMenu(screen), step, screen.choices),
  examples: (screen, deps) => typedExamples(inputOfMenu(screen), deps),
  deadEnd(screen) {
    if (!mayBeBare(screen) || screen.typed) return undefined
    return screen.choices.length === 0
      ? { severity: 'error', what: ' gives the subscriber no key to press' }
      : { severity: 'warning', what: ' gives the subscriber no key to press if no condition holds' }
  },
  overfull(screen, { say, word, under }) {
    const lines = [
      ...numbered(screen).map((choice) => choice.label),
      ...(screen.back === undefined ? [] : [word('back')]),
    ]
    const whole = (values: 'none' | 'likely') =>
      [say(screen.menu, values), ...lines.map((line, i) => `${i + 1}. ${say(line, values)}`)].join('\n') +
      keysUnder(screen, (label) => say(label, values)) +
      under
    const keysOver = overfullKeys(screen, (label) => say(label, 'none'))
    if (keysOver.length > 0 || fitsPage(whole('likely'))) return keysOver
    const long = fitsPage(whole('none')) ? ' when its values are long' : ''
    return [{ severity: 'warning', what: ` takes more than one page${long}` }]
  },
  words: ({ typed }) => [...WORDS_OF_CHOICES, ...(typed ? ['wrong' as const] : [])],
  takes: (screen, key) => takesKey(inputOfMenu(screen), key),
  plan: menuPlan,
} satisfies ScreenKind<MenuScreen>

function inputOfMenu(screen: MenuScreen): InputScreen | undefined {
  return typedInput(screen, screen.menu, screen.typed?.to ?? '')
}

function menuPlan(screen: MenuScreen, env: Env): Plan {
  const title = env.text(screen.menu)
  const input = inputOfMenu(screen)
  const options = choicesOf(screen.choices, env, keepsValue(screen, input, env))
  const typing = typedOffer(input, env)
  const lines = linesOf(screen.rows, env)
  const offer = (context: DialogueContext): Offer => {
    const written = options(context)
    return {
      title: (valueMax) => title({ context, rows: lines?.(context, { valueMax }) }, { valueMax }),
      lines: lines !== undefined,
      options: written.options,
      fixed: written.fixed,
      typed: typing.typed,
      back: screen.back,
    }
  }
  const reads = options.reads && [...title.reads, ...options.reads, ...(lines?.reads ?? [])]
  return {
    targets: [
      ...screen.choices.map((choice) => choice.to),
      ...(screen.back === undefined ? [] : [screen.back]),
      ...(input ? [input.to] : []),
      GOODBYE,
    ],
    ...offering(env, offer, (context) => arrived(context, env, 'a choice'), reads),
  }
}

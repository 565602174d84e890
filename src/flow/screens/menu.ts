/** `menu`: a title and written choices. */
import { z } from 'zod'
import { text } from '../terms/index.ts'
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
import { fitsPage } from './measure.ts'
import { constantOffer, offering, type Offer } from './offer.ts'
import { arrived, GOODBYE, type Env, type Plan } from './plan.ts'

const schema = z
  .strictObject({ menu: text.describe('The text above the choices.'), choices, back, keys, labels })
  .describe('A text with numbered choices.')

export type MenuScreen = z.infer<typeof schema> & { kind: 'menu' }

export const menuKind = {
  schema,
  does: 'ask',
  targets: (screen) => targetsOfChoices(screen),
  uses(screen, tell) {
    tell.text('title', screen.menu, 'menu')
    usesOfChoices(screen, tell)
  },
  vars: (screen, path) => varsOfChoices(screen, path),
  caption: (screen, first) => first(screen.menu),
  label: ({ choices: written }, [key, which], first) =>
    key === 'choices' ? first(written[which as number]?.label ?? '') : undefined,
  pressed: (screen, [key, which]) =>
    key === 'back' ? String(numbered(screen).length + 1) : pressedFor(screen, Number(which)),
  slips: (screen) => [...slipsOfKeys(screen), ...slipsOfNumbers(screen, numbered(screen).length + LINES_AFTER)],
  items: (screen) => itemsOfChoices(screen),
  covered: (screen, step) => coveredChoice(screen, step),
  deadEnd(screen) {
    if (!mayBeBare(screen)) return undefined
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
  words: () => WORDS_OF_CHOICES,
  plan: menuPlan,
} satisfies ScreenKind<MenuScreen>

function menuPlan(screen: MenuScreen, env: Env): Plan {
  const title = env.text(screen.menu)
  const options = choicesOf(screen.choices, env)
  const offer = (context: DialogueContext): Offer => ({
    title: (valueMax) => title({ context }, { valueMax }),
    ...options(context),
    back: screen.back,
  })
  return {
    targets: [
      ...screen.choices.map((choice) => choice.to),
      ...(screen.back === undefined ? [] : [screen.back]),
      GOODBYE,
    ],
    ...offering(env, title.isConstant && options.isConstant ? constantOffer(offer) : offer, (context) =>
      arrived(context, env, 'menu'),
    ),
  }
}

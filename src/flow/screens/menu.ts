/** `menu`: a title and written choices. */
import { z } from 'zod'
import { text } from '../terms/index.ts'
import {
  back,
  choices,
  choicesOf,
  itemsOfChoices,
  keys,
  labels,
  targetsOfChoices,
  usesOfChoices,
  varsOfChoices,
} from './choices.ts'
import type { ScreenKind } from './kind.ts'
import { offering } from './offer.ts'
import { arrived, GOODBYE, type Env, type Plan } from './plan.ts'

const schema = z
  .strictObject({ menu: text.describe('What stands above the choices.'), choices, back, keys, labels })
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
  pressed: (screen, [key, which]) => String(key === 'back' ? screen.choices.length + 1 : Number(which) + 1),
  items: (screen) => itemsOfChoices(screen),
  plan: menuPlan,
} satisfies ScreenKind<MenuScreen>

function menuPlan(screen: MenuScreen, env: Env): Plan {
  const title = env.text(screen.menu)
  const options = choicesOf(screen.choices, env)
  return {
    targets: [
      ...screen.choices.map((choice) => choice.to),
      ...(screen.back === undefined ? [] : [screen.back]),
      GOODBYE,
    ],
    ...offering(
      env,
      (context) => ({
        title: (valueMax) => title({ context }, { valueMax }),
        options: options(context),
        back: screen.back,
      }),
      (context) => arrived(context, env, 'menu'),
    ),
  }
}

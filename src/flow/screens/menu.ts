/** `menu`: a title and written choices. */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import type { Json } from '../../ussd/index.ts'
import type { Choice, MenuScreen } from '../language/index.ts'
import { compileValues } from '../expression/index.ts'
import { offering, type Option } from './offer.ts'
import { arrived, GOODBYE, type Env, type Plan } from './plan.ts'

export function menuPlan(screen: MenuScreen, env: Env): Plan {
  const title = env.text(screen.menu)
  const choices = choicesOf(screen.choices, env)
  return {
    kind: 'menu',
    targets: [
      ...screen.choices.map((choice) => choice.to),
      ...(screen.back === undefined ? [] : [screen.back]),
      GOODBYE,
    ],
    ...offering(
      env,
      (context) => ({
        title: (valueMax) => title({ context }, { valueMax }),
        options: choices(context),
        back: screen.back,
      }),
      (context) => arrived(context, env, 'menu'),
    ),
  }
}

/** The written choices that are on show. */
export function choicesOf(choices: readonly Choice[], env: Env): (context: DialogueContext) => Option[] {
  const compiled = choices.map((choice) => ({
    choice,
    label: env.text(choice.label),
    holds: choice.when === undefined ? undefined : env.condition(choice.when).holds,
    values: choice.set && compileValues(choice.set, env),
  }))
  return (context) =>
    compiled
      .filter(({ holds }) => holds === undefined || holds({ context }))
      .map(({ choice, label, values }) => ({
        label: (valueMax) => label({ context }, { valueMax }),
        to: choice.to,
        choose: (chosen) => (values ? assigned(chosen, values({ context: chosen }), env.languages) : chosen),
      }))
}

/**
 * The context with these set. `language` is the dialogue's own; one that the flow does not speak changes nothing.
 * `into`: where they are put.
 */
export function assigned(
  context: DialogueContext,
  values: readonly [string, Json][],
  languages: readonly string[],
  into: DialogueContext = context,
): DialogueContext {
  const vars = { ...into.vars }
  let { language } = context
  for (const [name, value] of values) {
    if (name !== 'language') vars[name] = value
    else if (typeof value === 'string' && languages.includes(value)) language = value
  }
  return { ...into, vars, language }
}

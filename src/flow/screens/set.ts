/** `set`: shows nothing; stores values. */
import { z } from 'zod'
import type { DialogueContext } from '../../../machines/dialogue.ts'
import type { JsonObject } from '../../ussd/index.ts'
import { compileValues, Unfit } from '../expression/index.ts'
import { values } from '../terms/index.ts'
import { assigned } from './choices.ts'
import type { ScreenKind } from './kind.ts'
import { restless, type Env, type Plan, led, notice, routeSchema, target, to, wayOf, type Way } from '../plan/index.ts'

const schema = z
  .strictObject({
    set: values.describe(
      'Sets these in `vars`; `= answers.amount * 0.02` is computed. `language` changes the language of the dialogue.',
    ),
    to,
    notice,
    failed: routeSchema
      .optional()
      .describe('Where it leads, with nothing set, if a value cannot be computed. Default: `busy` ends the dialogue.'),
  })
  .describe('Shows nothing; keeps values.')

export type SetScreen = z.infer<typeof schema> & {
  kind: 'set'
  /** Before setting, deletes everything that is kept under names with this prefix: a part starts afresh. */
  clears?: string
}

export const setKind = {
  schema,
  does: 'pass',
  targets: (screen) => [...target(screen.failed, 'failed'), ...target(screen.to, 'to')],
  uses(screen, tell) {
    tell.values(screen.set, 'set')
    tell.text('notice', screen.notice, 'notice')
    tell.route(screen.failed, 'failed')
  },
  vars: (screen, path) => (path === undefined || path[0] === 'to' ? [screen.set] : []),
  caption: (screen) => `set ${Object.keys(screen.set).join(', ')}`,
  pressed: () => '',
  plan: setPlan,
} satisfies ScreenKind<SetScreen>

function setPlan(screen: SetScreen, env: Env): Plan {
  const said = screen.notice === undefined ? undefined : env.text(screen.notice)
  const worth = compileValues(screen.set, env)
  const failed = screen.failed === undefined ? undefined : wayOf(screen.failed, env)
  return {
    targets: [screen.to, ...(failed ? [failed.to] : [])],
    pass: (context) => {
      const found = worked(() => worth({ context }), failed)
      if (!found) return led(context, failed as Way)
      const into = screen.clears === undefined ? context : cleared(context, screen.clears)
      const set = assigned(context, found, env.languages, into)
      return { to: screen.to, context: said ? { ...set, notice: said({ context: set }) } : set }
    },
    want: () => restless(env),
  }
}

/** Undefined: it cannot be computed, and the flow says where that leads. */
function worked<T>(work: () => T, failed: Way | undefined): T | undefined {
  try {
    return work()
  } catch (error) {
    if (failed && error instanceof Unfit) return undefined
    throw error
  }
}

/** Deletes everything of an earlier run of a part, including the way back into it. */
function cleared(context: DialogueContext, prefix: string): DialogueContext {
  const without = (block: JsonObject) =>
    Object.fromEntries(Object.entries(block).filter(([name]) => !name.startsWith(prefix)))
  const { answers, chosen, data, vars, trail } = context
  return {
    ...context,
    answers: without(answers),
    chosen: without(chosen),
    data: without(data),
    vars: without(vars),
    ...(trail ? { trail: trail.filter(({ screen }) => !screen.startsWith(prefix)) } : {}),
  }
}

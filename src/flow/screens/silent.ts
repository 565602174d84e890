/** Screens that show nothing: `branch` and `set`. */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import type { BranchScreen, SetScreen } from '../definition.ts'
import type { JsonObject } from '../../ussd/types.ts'
import { assigned } from './menu.ts'
import type { Env, Plan } from './plan.ts'

export function branchPlan(screen: BranchScreen, env: Env): Plan {
  const arms = screen.branch.map((arm) => ({ holds: env.condition(arm.if).holds, to: arm.to }))
  const to = (context: DialogueContext) => arms.find((arm) => arm.holds({ context }))?.to ?? screen.else
  return {
    kind: 'branch',
    targets: [...arms.map((arm) => arm.to), screen.else],
    pass: (context) => ({ to: to(context), context }),
    want: () => restless(env),
  }
}

export function setPlan(screen: SetScreen, env: Env): Plan {
  const notice = screen.notice === undefined ? undefined : env.text(screen.notice)
  return {
    kind: 'set',
    targets: [screen.to],
    pass: (context) => {
      const into = screen.clears === undefined ? context : cleared(context, screen.clears)
      const set = assigned(context, screen.set, env.languages, into)
      return { to: screen.to, context: notice ? { ...set, notice: notice({ context: set }) } : set }
    },
    want: () => restless(env),
  }
}

/** Nothing of an earlier run of a part is there any more, nor a way back into it. */
function cleared(context: DialogueContext, prefix: string): DialogueContext {
  const without = (block: JsonObject) => Object.fromEntries(Object.entries(block).filter(([name]) => !name.startsWith(prefix)))
  const { answers, chosen, data, vars, trail } = context
  return {
    ...context,
    answers: without(answers), chosen: without(chosen), data: without(data), vars: without(vars),
    ...(trail ? { trail: trail.filter(({ screen }) => !screen.startsWith(prefix)) } : {}),
  }
}

/** What a screen wants that no dialogue rests on. */
export function restless(env: Env): never {
  throw new Error(`a dialogue cannot rest on '${env.name}'`)
}

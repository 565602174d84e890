/** Screens that show nothing: `branch` and `set`. */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import type { BranchScreen, SetScreen } from '../definition.ts'
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
      const set = assigned(context, screen.set, env.languages)
      return { to: screen.to, context: notice ? { ...set, notice: notice({ context: set }) } : set }
    },
    want: () => restless(env),
  }
}

/** What a screen wants that no dialogue rests on. */
export function restless(env: Env): never {
  throw new Error(`a dialogue cannot rest on '${env.name}'`)
}

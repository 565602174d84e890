/** Screens that show nothing: `branch` and `set`. */
import type { DialogueContext, Move } from '../../../machines/dialogue.ts'
import { type Condition, readRows, LIST_ROWS_KEPT_MAX, compileValues, Unfit } from '../expression/index.ts'
import { isRouter, type BranchScreen, type RouterScreen, type SetScreen } from '../language/index.ts'
import type { Json, JsonObject } from '../../ussd/index.ts'
import { withRow } from './list.ts'
import { led, wayOf, type Way } from './call.ts'
import { assigned } from './menu.ts'
import type { Env, Plan } from './plan.ts'

export function branchPlan(screen: BranchScreen, env: Env): Plan {
  const arms = screen.branch.map((arm) => ({ ...env.condition(arm.if), to: arm.to }))
  const plain = (context: DialogueContext) => ({
    to: arms.find((arm) => arm.holds({ context }))?.to ?? screen.else,
    context,
  })
  return {
    kind: 'branch',
    targets: [...arms.map((arm) => arm.to), ...(screen.empty === undefined ? [] : [screen.empty]), screen.else],
    pass: isRouter(screen) ? (context) => routed(screen, arms, context, env) : plain,
    want: () => restless(env),
  }
}

/** Where a branch over rows leads, with the row that it is because of. */
function routed(screen: RouterScreen, arms: readonly Condition[], context: DialogueContext, env: Env): Move {
  const found = armOver(screen, arms, context)
  if (found) {
    const to = screen.branch[found.arm]?.to as string
    return { to, context: withRow(context, screen.as ?? env.name, found.row, screen.keep) }
  }
  const none = readRows({ context }, screen.over).length === 0
  return { to: none ? (screen.empty ?? screen.else) : screen.else, context }
}

/** The first condition that holds for some row, and the first such row. */
export function armOver(
  { over }: RouterScreen,
  arms: readonly Condition[],
  context: DialogueContext,
): { arm: number; row: Json } | undefined {
  const rows = readRows({ context }, over).slice(0, LIST_ROWS_KEPT_MAX)
  for (const [arm, { holds }] of arms.entries()) {
    const at = rows.findIndex((row) => holds({ context, row }))
    if (at >= 0) return { arm, row: rows[at] as Json }
  }
  return undefined
}

export function setPlan(screen: SetScreen, env: Env): Plan {
  const notice = screen.notice === undefined ? undefined : env.text(screen.notice)
  const values = compileValues(screen.set, env)
  const failed = screen.failed === undefined ? undefined : wayOf(screen.failed, env)
  return {
    kind: 'set',
    targets: [screen.to, ...(failed ? [failed.to] : [])],
    pass: (context) => {
      const found = worked(() => values({ context }), failed)
      if (!found) return led(context, failed as Way)
      const into = screen.clears === undefined ? context : cleared(context, screen.clears)
      const set = assigned(context, found, env.languages, into)
      return { to: screen.to, context: notice ? { ...set, notice: notice({ context: set }) } : set }
    },
    want: () => restless(env),
  }
}

/** Undefined: it cannot be worked out, and the flow says where that leads. */
function worked<T>(work: () => T, failed: Way | undefined): T | undefined {
  try {
    return work()
  } catch (error) {
    if (failed && error instanceof Unfit) return undefined
    throw error
  }
}

/** Nothing of an earlier run of a part is there any more, nor a way back into it. */
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

/** What a screen wants that no dialogue rests on. */
export function restless(env: Env): never {
  throw new Error(`a dialogue cannot rest on '${env.name}'`)
}

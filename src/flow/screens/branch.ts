/** `branch`: shows nothing; leads on by conditions on known values, or on the rows of a list. */
import { z } from 'zod'
import type { DialogueContext, Move } from '../../../machines/dialogue.ts'
import type { Json } from '../../ussd/index.ts'
import {
  compileCondition,
  type Condition,
  conditionWords,
  Slip,
  readRows,
  LIST_ROWS_KEPT_MAX,
} from '../expression/index.ts'
import { condition, name, path } from '../terms/index.ts'
import type { Outcome, ScreenKind } from './kind.ts'
import { restless, type Env, type Plan, target, to, NO_ROWS, withRow } from '../plan/index.ts'

const arm = z.strictObject({ if: condition, to }).meta({ title: '`{ if, to }`' })

const schema = z
  .strictObject({
    branch: z
      .array(arm)
      .min(1)
      .describe('Takes the first way whose condition holds; with `over`, the first that holds for any row.'),
    else: name.describe('The screen that comes next when no condition holds.'),
    over: path.optional().describe('The rows to test: the conditions read the fields of a row as `row.…`.'),
    as: name
      .optional()
      .describe("With `over`: keeps the first row that matches as `chosen.<as>`. Default: the screen's name."),
    keep: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('With `over`: the fields of the row to keep. Default: all.'),
    empty: name
      .optional()
      .describe('With `over`: the screen that comes next if there are no rows. Default: that of `else`.'),
  })
  .describe('Shows nothing; chooses the next screen by conditions.')

/** Keys that only work together with `over`. */
const OF_ROWS = ['as', 'keep', 'empty'] as const

export type BranchScreen = z.infer<typeof schema> & { kind: 'branch' }

export const branchKind = {
  schema,
  does: 'pass',
  targets: (screen) => [
    ...screen.branch.flatMap((item, i) => target(item.to, 'branch', i, 'to')),
    ...target(screen.empty, 'empty'),
    ...target(screen.else, 'else'),
  ],
  uses: (screen, tell) =>
    screen.branch.forEach((item, i) => tell.condition(item.if, ['branch', i, 'if'], screen.over !== undefined)),
  keeps: ({ over }) => (over === undefined ? undefined : 'chosen'),
  keepsOn: ({ over }, [key]) => key === 'branch' && over !== undefined,
  rows: ({ over, keep }) => (over === undefined ? undefined : { from: over, key: 'over', keep }),
  outcomes: outcomesOf,
  passed: passedOn,
  guard(screen, [key, which]) {
    const { over } = screen
    if (key === 'empty') return { if: `not ${over}` }
    if (key !== 'branch') return undefined
    return { if: screen.branch[which as number]?.if, ...(over === undefined ? {} : { over }) }
  },
  caption: ({ over }) => (over === undefined ? 'branch' : `branch over ${over}`),
  label: (screen, way) => (way[0] === 'branch' ? wordsOf(screen, way) : undefined),
  pressed(screen, way) {
    if (way[0] === 'empty') return '(no rows)'
    return way[0] === 'branch' ? `(${wordsOf(screen, way)})` : ''
  },
  slips: (screen) =>
    OF_ROWS.filter((key) => screen.over === undefined && screen[key] !== undefined).map((key) => ({
      path: [key],
      what: `: '${key}' works only in a branch with over`,
      remedy: 'over: data.…',
    })),
  plan: branchPlan,
} satisfies ScreenKind<BranchScreen>

const wordsOf = (screen: BranchScreen, [, which]: (string | number)[]) => {
  const written = screen.branch[which as number]?.if
  return written === undefined ? '' : conditionWords(written)
}

const armOutcome = (i: number) => `condition ${i + 1}`

function outcomesOf(screen: BranchScreen): Outcome[] {
  return [
    ...screen.branch.map((written, i) => ({
      what: armOutcome(i),
      only: `no synthetic data make ${JSON.stringify(written.if)} true`,
    })),
    ...(screen.empty === undefined ? [] : [NO_ROWS]),
    { what: 'else', only: 'one of its conditions is always true' },
  ]
}

function passedOn(screen: BranchScreen, zone: string): (context: DialogueContext) => string {
  const compiled = screen.branch.map((written) => compileCondition(written.if, zone))
  const arms = compiled.filter((one): one is Condition => !(one instanceof Slip))
  return (context) => {
    const at = isRouter(screen) ? armOver(screen, arms, context)?.arm : arms.findIndex((one) => one.holds({ context }))
    if (at !== undefined && at >= 0) return armOutcome(at)
    const isEmpty = isRouter(screen) && screen.empty !== undefined && readRows({ context }, screen.over).length === 0
    return isEmpty ? NO_ROWS.what : 'else'
  }
}

/** A branch that goes over rows and puts the row that it finds into `chosen`. */
type RouterScreen = BranchScreen & { over: string }

function isRouter(screen: { kind: string }): screen is RouterScreen {
  return screen.kind === 'branch' && (screen as BranchScreen).over !== undefined
}

function branchPlan(screen: BranchScreen, env: Env): Plan {
  const arms = screen.branch.map((arm) => ({ ...env.condition(arm.if), to: arm.to }))
  const plain = (context: DialogueContext) => ({
    to: arms.find((arm) => arm.holds({ context }))?.to ?? screen.else,
    context,
  })
  return {
    targets: [...arms.map((arm) => arm.to), ...(screen.empty === undefined ? [] : [screen.empty]), screen.else],
    pass: isRouter(screen) ? (context) => routed(screen, arms, context, env) : plain,
    want: () => restless(env),
  }
}

/** Where a branch over rows leads, and the row that decided it. */
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
function armOver(
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

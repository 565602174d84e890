/** `list`: rows that a back end gave, one option each, and written choices after them. */
import type { DialogueContext, Move } from '../../../machines/dialogue.ts'
import type { Json, JsonObject } from '../../ussd/types.ts'
import { ROWS_MAX } from '../kept.ts'
import { readRows } from '../path.ts'
import type { ListScreen } from '../definition.ts'
import { choicesOf } from './menu.ts'
import { offering, type Offer } from './offer.ts'
import { arrived, GOODBYE, type Env, type Plan } from './plan.ts'

export function listPlan(screen: ListScreen, env: Env): Plan {
  const title = env.text(screen.list)
  const row = env.text(screen.row)
  const choices = choicesOf(screen.choices, env)
  const rowsOf = (context: DialogueContext) => readRows({ context }, screen.from).slice(0, ROWS_MAX)
  const offer = (context: DialogueContext): Offer => ({
    title: (valueMax) => title({ context }, { valueMax }),
    options: [
      ...rowsOf(context).map((item) => ({
        label: (valueMax?: number) => row({ context, row: item }, { valueMax }),
        to: screen.to,
        choose: (chosen: DialogueContext) => keeping(chosen, screen.as ?? env.name, item, screen.keep),
      })),
      ...choices(context),
    ],
    back: screen.back,
  })
  const empty = (context: DialogueContext) => screen.empty !== undefined && rowsOf(context).length === 0
  const offered = offering(env, offer, (context) => arrived(context, env, 'list'))
  const names = [screen.to, screen.back, screen.empty, ...screen.choices.map((choice) => choice.to), GOODBYE]
  return {
    kind: 'list',
    targets: names.filter((name) => name !== undefined),
    ...offered,
    arrive: (context) => (empty(context) ? context : offered.arrive(context)),
    pass: (context): Move | undefined =>
      empty(context) ? { to: screen.empty as string, context } : offered.pass(context),
  }
}

/** The context with what the flow keeps of the row chosen. The other rows stay: the way back may show them again. */
function keeping(
  context: DialogueContext,
  name: string,
  row: Json,
  keep: readonly string[] | undefined,
): DialogueContext {
  return { ...context, chosen: { ...context.chosen, [name]: kept(row, keep) } }
}

function kept(row: Json, keep: readonly string[] | undefined): Json {
  if (keep === undefined || row === null || typeof row !== 'object' || Array.isArray(row)) return row
  const out: JsonObject = {}
  for (const field of keep) if (Object.hasOwn(row, field)) out[field] = row[field] as Json
  return out
}

/** `list`: rows that a back end gave, one option each, and written choices after them. */
import type { DialogueContext, Move } from '../../../machines/dialogue.ts'
import type { Json, JsonObject } from '../../ussd/index.ts'
import { folded, readRows, LIST_ROWS_KEPT_MAX, SEARCH_ROWS_MAX } from '../expression/index.ts'
import { type ListScreen, ANSWER_CHARS_MAX } from '../language/index.ts'
import { choicesOf } from './menu.ts'
import { offering, type Offer, type Option } from './offer.ts'
import { arrived, GOODBYE, left, type Env, type Plan } from './plan.ts'

export function listPlan(screen: ListScreen, env: Env): Plan {
  const title = env.text(screen.list)
  const row = env.text(screen.row)
  const choices = choicesOf(screen.choices, env)
  const rowsOf = (context: DialogueContext) => rowsShown(screen, context)
  const allOf = (context: DialogueContext): Option => ({
    label: () => env.word('show-all', context),
    to: env.name,
    stays: true,
    choose: (chosen) => left(chosen),
  })
  const offer = (context: DialogueContext): Offer => ({
    title: (valueMax) => title({ context }, { valueMax }),
    options: [
      ...rowsOf(context).map((item) => ({
        label: (valueMax?: number) => row({ context, row: item }, { valueMax }),
        to: screen.to,
        choose: (chosen: DialogueContext) => withRow(chosen, screen.as ?? env.name, item, screen.keep),
      })),
      ...(!context.find ? [] : [allOf(context)]),
      ...choices(context),
    ],
    back: screen.back,
    search: screen.search && ((searching, typed) => found(screen, searching, typed)),
  })
  const empty = (context: DialogueContext) =>
    screen.empty !== undefined && readRows({ context }, screen.from).length === 0
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

/** The rows on show: all that are kept, or those that what was typed is found in. */
export function rowsShown(screen: ListScreen, context: DialogueContext): Json[] {
  const rows = readRows({ context }, screen.from).slice(0, screen.search ? SEARCH_ROWS_MAX : LIST_ROWS_KEPT_MAX)
  const words = !context.find || !screen.search ? [] : folded(context.find).split(' ')
  return words.length === 0 ? rows : rows.filter((row) => words.every((word) => searchText(screen, row).includes(word)))
}

/** The context narrowed by these words; undefined if no row has them all. What was typed before is forgotten. */
function found(screen: ListScreen, context: DialogueContext, typed: string): DialogueContext | undefined {
  const narrowed = { ...context, find: typed.slice(0, ANSWER_CHARS_MAX) }
  return folded(typed) !== '' && rowsShown(screen, narrowed).length > 0
    ? { ...left(context), find: narrowed.find }
    : undefined
}

/**
 * Units of a row's fields that words are looked for in: of a thousand rows, so much is folded in a few milliseconds.
 */
const SEARCHED_UNITS = 100
/** A turn asks several times for the same rows. */
const SEARCHED = new WeakMap<JsonObject, [string, string]>()

function searchText(screen: ListScreen, row: Json): string {
  if (row === null || typeof row !== 'object' || Array.isArray(row)) return ''
  const written = (screen.search ?? []).map((field) => String(row[field] ?? '').slice(0, SEARCHED_UNITS)).join(' ')
  const [before, known] = SEARCHED.get(row) ?? []
  if (known !== undefined && before === written) return known
  const text = folded(written)
  SEARCHED.set(row, [written, text])
  return text
}

/** The context with what the flow keeps of the row chosen. The other rows stay: the way back may show them again. */
export function withRow(
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

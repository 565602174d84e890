/** `list`: rows from a back end, one option each, followed by written choices. */
import { z } from 'zod'
import { abandoned, usesOfAbandoned } from './abandoned.ts'
import type { DialogueContext, Move } from '../../../machines/dialogue.ts'
import type { Json, JsonObject } from '../../ussd/index.ts'
import { remembered } from '../../base/index.ts'
import { folded, LIST_ROWS_KEPT_MAX, SEARCH_ROWS_MAX } from '../expression/index.ts'
import { ANSWER_CHARS_MAX, name, path, text, type TextKey } from '../terms/index.ts'
import {
  A_ROW,
  back,
  choices,
  choicesOf,
  coveredChoice,
  itemsOfChoices,
  keys,
  keysUnder,
  labelOf,
  labels,
  LINES_AFTER,
  mayBeBare,
  numbered,
  numberKey,
  overfullKeys,
  slipsOfKeys,
  slipsOfNumbers,
  targetsOfChoices,
  usesOfChoices,
  varsOfChoices,
  WORDS_OF_CHOICES,
} from './choices.ts'
import type { KeySlip, Outcome, ScreenKind } from './kind.ts'
import {
  fitsPage,
  offering,
  type Offer,
  type Option,
  isPicked,
  pickerOf,
  pickingKeys,
  pickReads,
  type PickRows,
  sortedBy,
  arrived,
  GOODBYE,
  left,
  type Env,
  type Plan,
  target,
  NO_ROWS,
  withRow,
} from '../plan/index.ts'
import type { InputScreen } from './input.ts'
import {
  typedAnswer,
  clashesOfTyped,
  keepsValue,
  showsValue,
  slipsOfTyped,
  slipsOfValues,
  standsFor,
  takesKey,
  typedInList,
  TYPED_ROWS_MAX,
  typedExamples,
  typedInput,
  typedOffer,
  typedOutcomes,
  typedStep,
  usesOfTyped,
} from './typed.ts'

const schema = z
  .strictObject({
    list: text.describe('The text above the rows.'),
    from: path.describe('Where the rows are, such as `data.slots.rows`. If there is no list, there are no rows.'),
    row: text.describe('The text of one row. Its fields are `row.…`.'),
    ...pickingKeys,
    max: z.int().min(1).max(SEARCH_ROWS_MAX).optional().describe('The most rows that are shown. Default: all.'),
    to: name.describe('The screen that comes after a row is chosen.'),
    as: name
      .optional()
      .describe(
        "Keeps the chosen row as `chosen.<as>`; with `typed`, the answer as `answers.<as>`. Default: the screen's name.",
      ),
    keep: z.array(z.string().min(1)).min(1).optional().describe('The fields of the row to keep. Default: all.'),
    choices: choices.describe('Choices after the rows; their numbers go on after the last row.'),
    search: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('The fields to search: letters that the subscriber types narrow the list. Needs `keep`.'),
    typed: typedInList,
    empty: name.optional().describe('The screen to show instead if there are no rows.'),
    back,
    keys,
    labels,
    abandoned,
  })
  .describe('One numbered line for each row that a back end answers. Further rows go on further pages.')

const LETTERS: Outcome = { what: 'letters', only: 'no row has letters' }
const SEARCH_WORDS: TextKey[] = ['no-match', 'no-number', 'show-all']

export type ListScreen = z.infer<typeof schema> & { kind: 'list' }

export const listKind = {
  schema,
  does: 'ask',
  clashes: (screen) => clashesOfTyped(screen),
  targets: (screen) => [...targetsOfChoices(screen), ...target(screen.empty, 'empty'), ...target(screen.to, 'to')],
  uses(screen, tell) {
    tell.text('title', screen.list, 'list')
    usesOfChoices(screen, tell)
    usesOfTyped(screen, tell)
    tell.condition(screen.where, ['where'], true)
    tell.text('row', screen.row, 'row')
    usesOfAbandoned(screen, tell)
  },
  vars: (screen, path) => varsOfChoices(screen, path),
  keeps: ({ typed: own }) => (own ? 'answers' : 'chosen'),
  keepsOn: ({ typed: own, choices: all }, [key, which]) =>
    own !== undefined && key === 'choices' && all[which as number]?.value !== undefined,
  input: inputOfList,
  ...typedAnswer(inputOfList),
  rows: (screen) => ({
    from: screen.from,
    key: 'from',
    keep: screen.keep ?? (screen.typed && [screen.typed.value]),
    search: screen.search,
    stands: screen.typed?.value,
    most: mostRows(screen),
    where: screen.where,
    sort: screen.sort && sortedBy(screen.sort),
    many: keepsMany(screen),
    max: screen.max,
  }),
  picks: (screen, zone) => picked(screen, zone),
  skips: ({ empty }) => empty,
  caption: (screen, first) => first(screen.list),
  label({ choices: written }, [key, which], first) {
    if (key === 'choices') return first(written[which as number]?.label ?? '')
    return key === 'to' ? A_ROW.what : undefined
  },
  pressed(screen, [key, which]) {
    // The rows come first, and their number is not known here.
    if (key === 'choices') return screen.choices[which as number]?.key ?? `"${labelOf(screen, which as number)}"`
    return key === 'back' ? 'Back' : key === 'empty' ? '(no rows)' : '1'
  },
  items: (screen) => [A_ROW, ...itemsOfChoices(screen)],
  covered: (screen, step) => {
    const above = { rows: rowsShown(screen, step.context, step.zone), row: screen.row }
    return coveredChoice(screen, step, above, showsValue(screen, inputOfList(screen), step.zone))
  },
  outcomes: (screen) => [
    ...(screen.search ? [LETTERS] : []),
    ...(screen.empty === undefined ? [] : [NO_ROWS]),
    ...typedOutcomes(inputOfList(screen)),
  ],
  answered(screen, step) {
    const { name: here, context, next } = step
    if (next.value === here && next.context.find && !context.find) return LETTERS.what
    return typedStep(inputOfList(screen), step, screen.choices)
  },
  slips: listSlips,
  deadEnd: (screen) =>
    screen.empty === undefined && mayBeBare(screen) && !screen.typed
      ? { severity: 'error', what: ' gives the subscriber no key to press if there are no rows' }
      : undefined,
  overfull(screen, { say, word, under }) {
    const tail = `2. ${word('more')}\n3. ${word('back')}`
    const keysOver = overfullKeys(screen, (label) => say(label, 'none'))
    const own = keysUnder(screen, (label) => say(label, 'likely'))
    const page = `${say(screen.list, 'likely')}\n1. ${say(screen.row, 'likely')}\n${tail}${own}${under}`
    if (keysOver.length > 0 || fitsPage(page)) return keysOver
    return [{ severity: 'warning', what: ': if its values are long, not even one row fits on a page' }]
  },
  words: ({ search, typed: own }) => [
    ...WORDS_OF_CHOICES,
    ...(search ? SEARCH_WORDS : []),
    ...(own ? ['wrong' as const] : []),
  ],
  takes: (screen, key) => takesKey(inputOfList(screen), key),
  examples: (screen, deps) => ({
    letters: (context) => lettersFor(screen, context, deps.zone),
    ...typedExamples(inputOfList(screen), deps),
  }),
  plan: listPlan,
} satisfies ScreenKind<ListScreen>

function inputOfList(screen: ListScreen): InputScreen | undefined {
  return typedInput(screen, screen.list, screen.to)
}

function listSlips(screen: ListScreen, zone: string): KeySlip[] {
  const { search, keep } = screen
  const unkept: KeySlip = {
    path: ['search'],
    what: ' has search but no keep: list the fields to keep',
    remedy: `keep: [${search?.join(', ')}]`,
  }
  return [
    ...(search && !keep ? [unkept] : []),
    ...slipsOfTyped(screen, inputOfList(screen), zone),
    ...slipsOfValues(screen.choices, inputOfList(screen)),
    ...slipsOfKeys(screen),
    ...(mostRows(screen) > 0 ? [] : slipsOfNumbers(screen, Infinity)),
  ]
}

/** Of many rows, only the fields that the flow needs can be kept. */
function keepsMany(screen: ListScreen): boolean {
  return screen.search !== undefined || (isPicked(screen) && screen.keep !== undefined)
}

function picked(screen: ListScreen, zone: string): PickRows {
  return pickerOf(screen, keepsMany(screen), zone)
}

/** How many rows are kept; and with a key that is also a number, how many can have smaller ones. */
function mostRows(screen: ListScreen): number {
  const kept = screen.typed ? TYPED_ROWS_MAX : keepsMany(screen) ? SEARCH_ROWS_MAX : LIST_ROWS_KEPT_MAX
  const others = numbered(screen).length + (screen.search ? 1 : 0) + LINES_AFTER
  return Math.min(kept, (numberKey(screen) ?? Infinity) - 1 - others)
}

function listPlan(screen: ListScreen, env: Env): Plan {
  const title = env.text(screen.list)
  const row = env.text(screen.row)
  const input = inputOfList(screen)
  const keeps = keepsValue(screen, input, env)
  const written = choicesOf(screen.choices, env, keeps)
  const typing = typedOffer(input, env)
  const rowsOf = (context: DialogueContext) => rowsShown(screen, context, env.zone)
  const keepRow = (context: DialogueContext, row: Json) =>
    keeps
      ? (keeps(context, valueIn(screen, row) ?? '') ?? context)
      : withRow(context, screen.as ?? env.name, row, screen.keep)
  const allOf = (context: DialogueContext): Option => ({
    label: () => env.word('show-all', context),
    to: env.name,
    stays: true,
    choose: (chosen) => left(chosen),
  })
  const ofRow = (context: DialogueContext, item: Json): Option => ({
    label: (valueMax) => row({ context, row: item }, { valueMax }),
    to: screen.to,
    choose: (chosen) => keepRow(chosen, item),
  })
  const offer = (context: DialogueContext): Offer => {
    const { fixed, options } = written(context)
    const rows = rowsOf(context)
    const others = context.find ? [allOf(context), ...options] : options
    return {
      title: (valueMax) => title({ context }, { valueMax }),
      fixed,
      options: {
        length: rows.length + others.length,
        at: (i) => (i < rows.length ? ofRow(context, rows[i]!) : others[i - rows.length]),
      },
      back: screen.back,
      search: screen.search && ((searching, letters) => found(screen, searching, letters, env.zone)),
      ...typing,
    }
  }
  const empty = (context: DialogueContext) =>
    screen.empty !== undefined && picked(screen, env.zone)(context).length === 0
  const reads = written.reads && [...title.reads, ...row.reads, ...written.reads, ...pickReads(screen)]
  const offered = offering(env, offer, (context) => arrived(context, env, 'a row of an answer'), reads)
  const names = [screen.to, screen.back, screen.empty, ...screen.choices.map((choice) => choice.to), GOODBYE]
  return {
    targets: names.filter((name) => name !== undefined),
    ...offered,
    arrive: (context) => (empty(context) ? context : offered.arrive(context)),
    pass: (context): Move | undefined =>
      empty(context) ? { to: screen.empty as string, context } : offered.pass(context),
  }
}

/** What a row stands for where one may type. */
function valueIn({ typed: own }: ListScreen, row: Json): string | number | undefined {
  const value = own && row !== null && typeof row === 'object' && !Array.isArray(row) ? row[own.value] : undefined
  return typeof value === 'string' || typeof value === 'number' ? value : undefined
}

/** The rows that are shown: all that are kept, or those that match the search, or that one could type. */
function rowsShown(screen: ListScreen, context: DialogueContext, zone: string): readonly Json[] {
  const input = inputOfList(screen)
  const all = picked(screen, zone)(context)
  const isGood = (row: Json) =>
    !input || standsFor(screen, input, valueIn(screen, row), { context, zone }) !== undefined
  const rows = (input ? all.filter(isGood) : all).slice(0, mostRows(screen))
  const words = !context.find || !screen.search ? [] : folded(context.find).split(' ')
  return words.length === 0 ? rows : rows.filter((row) => words.every((word) => searchText(screen, row).includes(word)))
}

/**
 * The context narrowed to the rows with all these words. Undefined if there is none. An earlier search is forgotten.
 */
function found(
  screen: ListScreen,
  context: DialogueContext,
  letters: string,
  zone: string,
): DialogueContext | undefined {
  const narrowed = { ...context, find: letters.slice(0, ANSWER_CHARS_MAX) }
  return folded(letters) !== '' && rowsShown(screen, narrowed, zone).length > 0
    ? { ...left(context), find: narrowed.find }
    : undefined
}

/** The first word in the first row that the search looks at. */
function lettersFor(screen: ListScreen, context: DialogueContext, zone: string): string | undefined {
  const [row] = rowsShown(screen, context, zone) as (JsonObject | undefined)[]
  const texts = (screen.search ?? []).map((field) => String(row?.[field] ?? ''))
  return texts.flatMap((text) => /\p{L}+/u.exec(text)?.[0] ?? [])[0]
}

/** How much of a row's fields is searched: a thousand rows then take a few milliseconds. */
const SEARCHED_UNITS = 100
/** A turn asks for the same rows several times, and turns often for the same. */
const foldedOnce = remembered<string>(2 * SEARCH_ROWS_MAX)

function searchText(screen: ListScreen, row: Json): string {
  if (row === null || typeof row !== 'object' || Array.isArray(row)) return ''
  const written = (screen.search ?? []).map((field) => String(row[field] ?? '').slice(0, SEARCHED_UNITS)).join(' ')
  return foldedOnce(written, folded)
}

/**
 * Checks of what a flow computes and compares: conditions that are always or never true, divisors that may be zero,
 * moments that are compared with a time of day (`moments.ts`), fields that rows do not have, rows that are never shown.
 */
import { didYouMean } from '../../base/index.ts'
import {
  compileCondition,
  LIST_ROWS_KEPT_MAX,
  type Made,
  type Node,
  nodesOf,
  readingOf,
  type RowsRead,
  SEARCH_ROWS_MAX,
  Slip,
} from '../expression/index.ts'
import {
  callOf,
  type ExpectedType,
  expectsOf,
  type FlowDefinition,
  type FlowPlace,
  inputOf,
  keptAt,
  kindOf,
  pointing,
  rowsFrom,
  TYPE_WORDS,
  usesOf,
} from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'
import { wordsIn } from '../text/index.ts'
import { rowFieldsAt } from './bounds.ts'
import type { Complain } from './check.ts'
import { checkMoments } from './moments.ts'
import { readsByScreen, setBefore, setPathOf } from './paths.ts'
import { comparing, rangesOf } from './ranges.ts'
import type { RowsUsed } from '../screens/index.ts'

export function checkSound(read: ReadFlow, complain: Complain): void {
  const asked = conditionsIn(read.definition)
  checkOutcomes(asked, read, complain)
  checkMoments(read, complain)
  checkDivisors(asked, read, complain)
  checkColumns(read, complain)
  checkRowsKept(read, complain)
  checkKinds(read, complain)
  checkPrompts(read, complain)
}

interface Asked extends Made {
  screen: string
  place: FlowPlace
}

function conditionsIn(definition: FlowDefinition): Asked[] {
  return usesOf(definition).conditions.flatMap(({ screen, place, condition }) => {
    const compiled = compileCondition(condition)
    return compiled instanceof Slip
      ? []
      : compiled.made.map((made) => ({ ...made, screen, place: [...place, ...made.within] }))
  })
}

type Compare = Node & { is: 'compare' }

const comparesIn = (node: Node) => nodesOf(node).filter((inner): inner is Compare => inner.is === 'compare')

/** Comparisons that come out the same for all numbers within the declared bounds. */
function checkOutcomes(asked: readonly Asked[], { definition, at }: ReadFlow, complain: Complain): void {
  const ranges = rangesOf(definition)
  // A check of an input narrows the answer: it cannot be held against what it does itself.
  const unchecked = rangesOf(definition, { isNarrowed: false })
  const before = setBefore(definition)
  for (const { node, source, screen, place } of asked) {
    const { ofNode } = place[2] === 'checks' ? unchecked : ranges
    for (const compare of comparesIn(node)) {
      const [left, right] = [ofNode(compare.left, screen), ofNode(compare.right, screen)]
      const outcome = left && right && comparing(compare.op, left, right)
      if (!outcome) continue
      // A comparison of a value that some ways do not set is a test of whether it is there.
      const isSet = ({ path }: { path: string }) => before.get(screen)?.has(setPathOf(path) ?? '') ?? false
      if (outcome === 'always' && !nodesOf(compare).every((inner) => inner.is !== 'path' || isSet(inner))) continue
      complain('warning', {
        rule: `${outcome}-true`,
        ...pointing(at, place, source, compare.at),
        what: `screen '${screen}': '${source.slice(compare.at, compare.end)}' is ${outcome} true by the bounds of inputs and expect`,
        remedy: 'correct the condition or the bounds, or remove it',
      })
    }
  }
}

/** Divisors that may be zero by their bounds, where no condition of the flow looks at them and nothing catches it. */
function checkDivisors(asked: readonly Asked[], { definition, at }: ReadFlow, complain: Complain): void {
  const { ofNode } = rangesOf(definition)
  const tested = new Set(asked.flatMap(({ paths }) => paths))
  const skipped = new Set(
    Object.values(definition.screens).flatMap((screen) =>
      kindOf(screen).skips?.(screen) === undefined ? [] : [`${rowsFrom(screen)}.count`],
    ),
  )
  for (const { screen, place, value } of usesOf(definition).values) {
    const reading = readingOf(value)
    const holder = definition.screens[screen]
    if (!reading || (holder && 'set' in holder && 'failed' in holder && holder.failed !== undefined)) continue
    const source = value as string
    for (const node of nodesOf(reading.node)) {
      if (node.is !== 'arithmetic' || node.op !== '/' || node.right.is === 'literal') continue
      const { right } = node
      const range = ofNode(right, screen)
      const paths = nodesOf(right).flatMap((inner) => (inner.is === 'path' ? [inner.path] : []))
      if (range && (range.min > 0 || range.max < 0)) continue
      if (paths.some((path) => tested.has(path) || skipped.has(path))) continue
      complain('warning', {
        rule: 'zero-divisor',
        ...pointing(at, place, source, right.at),
        what: `screen '${screen}': '${source.slice(right.at, right.end)}' may be zero, and is divided by`,
        remedy: 'test it before, give it a lower bound (expect, number), or write failed: in the set',
      })
    }
  }
}

/** Fields that functions read of rows, and that the rows hardly have. */
function checkColumns({ definition, at }: ReadFlow, complain: Complain): void {
  const { values } = usesOf(definition)
  for (const { screen, place, value } of values) {
    const reading = readingOf(value)
    for (const { from, reads } of reading?.rows ?? []) {
      const field = fieldOf(reads)
      if (field === undefined) continue
      const known = columnsOf(from, definition)
      const near = known.includes(field) ? undefined : didYouMean(field, known)
      if (near === undefined) continue
      const source = value as string
      complain('warning', {
        rule: 'misspelt-field',
        ...pointing(at, place, source, Math.max(source.lastIndexOf(field), 0)),
        what: `screen '${screen}': '${from}' has no field '${field}'`,
        remedy: near,
      })
    }
  }
}

const fieldOf = (reads: RowsRead['reads']) => (typeof reads === 'object' ? reads.field : undefined)

/** The fields of these rows: those with a bound, and those that lists show, keep or search. */
function columnsOf(from: string, definition: FlowDefinition): string[] {
  const screens = Object.entries(definition.screens).filter(([, screen]) => rowsFrom(screen) === from)
  const shown = readsByScreen(definition).flatMap(({ screen, path }) =>
    path.startsWith('row.') && screens.some(([name]) => name === screen) ? [path.split('.')[1] as string] : [],
  )
  const used = screens.flatMap(([, screen]) => {
    const { keep = [], search = [] } = kindOf(screen).rows?.(screen) ?? {}
    return [...keep, ...search]
  })
  return [...new Set([...rowFieldsAt(from, definition).map(([name]) => name), ...shown, ...used])]
}

/** Rows that a back end may answer, and of which nothing is kept. */
function checkRowsKept({ definition, at }: ReadFlow, complain: Complain): void {
  const screens = Object.entries(definition.screens)
  const many = new Set(
    screens.flatMap(([, screen]) => (kindOf(screen).rows?.(screen)?.many ? [rowsFrom(screen)?.split('.')[1]] : [])),
  )
  for (const [name, screen] of screens) {
    const rows = kindOf(screen).rows?.(screen)
    const most = rows && rangesOf(definition).ofPath(`${rows.from}.count`, name)?.max
    const kept = many.has(rows?.from.split('.')[1]) ? SEARCH_ROWS_MAX : LIST_ROWS_KEPT_MAX
    if (!rows || most === undefined) continue
    checkNumbered({ name, rows, most }, at, complain)
    const isPicked = rows.where !== undefined || rows.sort !== undefined
    // A flow that shows so many rows, in the order of the back end, means the first ones.
    if (most === Infinity || most <= kept || (rows.max !== undefined && !isPicked)) continue
    complain('warning', {
      rule: 'rows-lost',
      where: at(['screens', name, rows.key]),
      what: `screen '${name}': of up to ${most} rows only the first ${kept} are kept, and nobody sees the others`,
      remedy:
        kept === SEARCH_ROWS_MAX
          ? 'ask for a part of the name first, and let the back end search'
          : isPicked
            ? `list the fields to keep, keep: […]: up to ${SEARCH_ROWS_MAX} rows are kept then`
            : `let the back end answer fewer, or add search: (up to ${SEARCH_ROWS_MAX} rows)`,
    })
  }
}

/** Rows whose numbers would be those of a choice's own key, or of what may be typed. */
function checkNumbered(
  { name, rows, most }: { name: string; rows: RowsUsed; most: number },
  at: ReadFlow['at'],
  complain: Complain,
): void {
  const shown = rows.most ?? Infinity
  if (Math.min(most, rows.max ?? Infinity) <= shown || shown >= LIST_ROWS_KEPT_MAX) return
  const many = most === Infinity ? 'the rows have no bound' : `of up to ${most} rows`
  const [why, remedy] =
    rows.stands === undefined
      ? ['a choice has the key of a larger number', 'give the choice a key that begins with 0, or bound the rows: max']
      : ['an answer may be typed, too', `say so: max: ${shown}`]
  const what = `screen '${name}': ${many}, and only ${shown} are shown, because ${why}`
  complain('warning', { rule: 'rows-lost', where: at(['screens', name, rows.key]), what, remedy })
}

/** One name for answers in which a field is sometimes a number and sometimes a text. */
function checkKinds({ definition, at }: ReadFlow, complain: Complain): void {
  const seen = new Map<string, { is: ExpectedType; screen: string }>()
  for (const [name, screen] of Object.entries(definition.screens)) {
    const call = callOf(screen)
    if (!call) continue
    for (const [field, wanted] of expectsOf(call).flatMap((expect) => Object.entries(expect))) {
      const is = typeof wanted === 'string' ? wanted : wanted.is
      const path = `${keptAt(name, screen)}.${field}`
      if (is === 'any') continue
      const before = seen.get(path)
      if (!before) seen.set(path, { is, screen: name })
      else if (before.is !== is) {
        const what = `'${path}' is ${TYPE_WORDS[before.is]} on screen '${before.screen}', but ${TYPE_WORDS[is]} on screen '${name}'`
        complain('error', {
          where: at(['screens', name, 'expect']),
          what,
          remedy: 'give one of the calls another name: as: …',
        })
      }
    }
  }
}

/** `Amount (5-20):`, if the rules say otherwise. */
const WRITTEN_BOUNDS = /\((\d+(?:\.\d+)?)\s*[-–]\s*(\d+(?:\.\d+)?)\)/

function checkPrompts({ definition, at }: ReadFlow, complain: Complain): void {
  for (const [name, screen] of Object.entries(definition.screens)) {
    const input = inputOf(screen)
    if (!input?.number) continue
    for (const language of definition.languages) {
      const [, least, most] = WRITTEN_BOUNDS.exec(wordsIn(definition, input.input, language) ?? '') ?? []
      const { min, max } = input.number
      const wrong =
        most !== undefined && max !== undefined && Number(most) !== max
          ? `${most}, but the largest answer is ${max}`
          : least !== undefined && min !== undefined && Number(least) !== min
            ? `${least}, but the least answer is ${min}`
            : undefined
      if (wrong === undefined) continue
      const quoted = `answers.${input.as ?? name}`
      complain('warning', {
        rule: 'prompt-bounds',
        where: at(['screens', name, 'input']),
        what: `screen '${name}': the prompt says ${wrong}`,
        remedy: `quote the bounds: ({${quoted}.min}-{${quoted}.max})`,
      })
    }
  }
}

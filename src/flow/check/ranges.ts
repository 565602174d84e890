/**
 * Between which bounds a number lies: by the rules of inputs, by what calls expect, and by what is computed from those.
 * What nobody bounds is unbounded. Amounts of back ends without a `min` may be assumed not to be negative.
 */
import { FUNCTIONS, type Node, readingOf, wholePath, compileCondition, Slip } from '../expression/index.ts'
import {
  callOf,
  expectsOf,
  fieldRange,
  type FlowDefinition,
  inputOf,
  type InputScreen,
  keepersAt,
  rowsFrom,
  type Scalar,
  type ScreenDefinition,
  setIn,
} from '../language/index.ts'
import { rowFieldsAt } from './bounds.ts'

/** `-Infinity` and `Infinity`: not bounded on that side. */
export interface Range {
  min: number
  max: number
}

export interface Ranges {
  /** The range of a number that the flow knows by this path on this screen. Undefined: it may be no number. */
  ofPath: (path: string, screen: string) => Range | undefined
  ofNode: (node: Node, screen: string) => Range | undefined
  /** Of a value of `set` or `with`. */
  ofValue: (value: Scalar, screen: string) => Range | undefined
}

const ANY: Range = { min: -Infinity, max: Infinity }

export interface RangesHow {
  /** The least that a number of a back end is, where nobody says. Default: not bounded. */
  unsaidMin?: number
  /** Conditions in the checks of an input bound its answer. Default: true. */
  isNarrowed?: boolean
}

export function rangesOf(definition: FlowDefinition, how: RangesHow = {}): Ranges {
  const { unsaidMin = -Infinity, isNarrowed = true } = how
  const set = setIn(definition)
  const known = new Map<string, Range | undefined>()
  const ofPath = (path: string, screen: string): Range | undefined => {
    const key = path.startsWith('row.') ? `${screen} ${path}` : path
    if (!known.has(key)) {
      // While a range is being computed, that of a value that depends on itself is not bounded.
      known.set(key, ANY)
      known.set(key, found(path, screen))
    }
    return known.get(key)
  }
  const found = (path: string, screen: string): Range | undefined => {
    const [root, name = '', field, ...deeper] = path.split('.')
    if (root === 'vars')
      return field === undefined ? union((set.get(name) ?? []).map((value) => ofValue(value, screen))) : undefined
    if (root === 'answers')
      return union(keepersAt(path, definition).map((input) => rangeOfInput(input, isNarrowed ? path : undefined)))
    if (root === 'data' && field !== undefined) return ofData(`data.${name}`, field, deeper, { definition, unsaidMin })
    if (root !== 'row' && root !== 'chosen') return undefined
    const from = rowsOfPath(path, screen, definition)
    return ofRow(from ?? '', (root === 'row' ? name : field) ?? '', { definition, unsaidMin })
  }
  const ofNode = (node: Node, screen: string): Range | undefined =>
    rangeOfNode(node, {
      ofPath: (path) => ofPath(path, screen),
      ofColumn: (from, field) => ofRow(from, field, { definition, unsaidMin }),
      unsaidMin,
    })
  const ofValue = (value: Scalar, screen: string): Range | undefined => {
    if (typeof value === 'number') return { min: value, max: value }
    const reading = readingOf(value)
    if (reading) return ofNode(reading.node, screen)
    const path = wholePath(value)
    return path === undefined ? undefined : ofPath(path, screen)
  }
  return { ofPath, ofNode, ofValue }
}

/** Undefined if one of them may be no number. */
function union(ranges: readonly (Range | undefined)[]): Range | undefined {
  if (ranges.length === 0 || ranges.includes(undefined)) return undefined
  const all = ranges as Range[]
  return { min: Math.min(...all.map(({ min }) => min)), max: Math.max(...all.map(({ max }) => max)) }
}

/**
 * By its `number`, those of its checks, and conditions that compare the answer with a number. `path`: where the answer
 * is; undefined if conditions do not count.
 */
function rangeOfInput(screen: ScreenDefinition, path: string | undefined): Range | undefined {
  const input = inputOf(screen)
  if (!input) return undefined
  const { checks = [], number } = input
  const rules = [number, ...checks.map((check) => check.number)].filter((rule) => rule !== undefined)
  if (rules.length === 0) return undefined
  const bounds = rules.map(({ min = -Infinity, max = Infinity }) => ({ min, max }))
  const compared = checks.flatMap(({ if: condition }) => (condition === undefined ? [] : comparedIn(condition, path)))
  return [...bounds, ...compared].reduce(
    (one, other) => ({ min: Math.max(one.min, other.min), max: Math.min(one.max, other.max) }),
    ANY,
  )
}

type ConditionOf = NonNullable<NonNullable<InputScreen['checks']>[number]['if']>

/** `answers.amount > 0` as the only condition: the bound that it sets. */
function comparedIn(condition: ConditionOf, path: string | undefined): Range[] {
  const compiled = compileCondition(condition)
  const made = compiled instanceof Slip || typeof condition !== 'string' ? undefined : compiled.made[0]?.node
  if (made?.is !== 'compare' || made.left.is !== 'path' || made.left.path !== path) return []
  const bound = made.right.is === 'literal' && typeof made.right.value === 'number' ? made.right.value : undefined
  if (bound === undefined) return []
  if (made.op === '>' || made.op === '>=') return [{ min: bound, max: Infinity }]
  return made.op === '<' || made.op === '<=' ? [{ min: -Infinity, max: bound }] : []
}

interface Known {
  definition: FlowDefinition
  unsaidMin: number
}

function ofData(kept: string, field: string, deeper: readonly string[], known: Known): Range | undefined {
  const said = keepersAt(kept, known.definition).flatMap((screen) => {
    const call = callOf(screen)
    return call ? expectsOf(call).flatMap((expect) => (Object.hasOwn(expect, field) ? [expect[field]!] : [])) : []
  })
  // A text may hold a number, and so may what nobody declares.
  const unsaid = { min: known.unsaidMin, max: Infinity }
  if (said.length === 0) return unsaid
  return union(
    said.map((wanted) => {
      const { is, min, max } = typeof wanted === 'string' ? { is: wanted, min: undefined, max: undefined } : wanted
      if (is === 'rows' && deeper.join('.') === 'count') return { min: 0, max: max ?? Infinity }
      return (is === 'number' || is === 'money') && deeper.length === 0
        ? { min: min ?? known.unsaidMin, max: max ?? Infinity }
        : unsaid
    }),
  )
}

/** The rows of which this path reads one. */
function rowsOfPath(path: string, screen: string, definition: FlowDefinition): string | undefined {
  const [root, name] = path.split('.')
  if (root === 'row') return definition.screens[screen] && rowsFrom(definition.screens[screen])
  if (root !== 'chosen') return undefined
  const from = keepersAt(`chosen.${name}`, definition).map(rowsFrom)
  return new Set(from).size === 1 ? from[0] : undefined
}

/** As its type says, or a number of so many digits. Whether that is a number, only its use says. */
function ofRow(from: string, field: string, { definition, unsaidMin }: Known): Range {
  const { min = unsaidMin, max = Infinity } = fieldRange(
    rowFieldsAt(from, definition).find(([name]) => name === field)?.[1],
  )
  return { min, max }
}

interface Paths {
  ofPath: (path: string) => Range | undefined
  /** Of a field of the rows at a path. */
  ofColumn: (from: string, field: string) => Range
  unsaidMin: number
}

function rangeOfNode(node: Node, paths: Paths): Range | undefined {
  const of = (inner: Node) => rangeOfNode(inner, paths)
  switch (node.is) {
    case 'literal':
      return typeof node.value === 'number' ? { min: node.value, max: node.value } : undefined
    case 'path':
      return paths.ofPath(node.path)
    case 'minus': {
      const { min, max } = of(node.of) ?? ANY
      return { min: -max, max: -min }
    }
    case 'arithmetic':
      return calculated(node.op, of(node.left) ?? ANY, of(node.right) ?? ANY)
    case 'call':
      // A sum, or a field of one row: as large as the fields of rows are.
      if (['sum', 'first', 'last'].includes(node.name)) return ofColumns(node, paths)
      return FUNCTIONS[node.name]?.gives === 'number' ? called(node.name, node.args.map(of)) : undefined
    default:
      return undefined
  }
}

function ofColumns({ name, args: [rows, field] }: Node & { is: 'call' }, { ofColumn, unsaidMin }: Paths): Range {
  if (rows?.is !== 'path' || field?.is !== 'literal') return { min: unsaidMin, max: Infinity }
  const { min, max } = ofColumn(rows.path, String(field.value))
  if (name !== 'sum') return { min, max }
  // No rows add up to zero, and how many there are at most is not looked at.
  return { min: min >= 0 ? 0 : -Infinity, max: max <= 0 ? 0 : Infinity }
}

function calculated(op: '+' | '-' | '*' | '/', one: Range, other: Range): Range {
  if (op === '+') return { min: one.min + other.min, max: one.max + other.max }
  if (op === '-') return { min: one.min - other.max, max: one.max - other.min }
  if (op === '/' && other.min <= 0 && other.max >= 0)
    return one.min >= 0 && other.min >= 0 ? { min: 0, max: Infinity } : ANY
  const apply = (x: number, y: number) => {
    const value = op === '*' ? x * y : x / y
    // 0 times what is not bounded.
    return Number.isNaN(value) ? 0 : value
  }
  const ends = [one.min, one.max].flatMap((x) => [other.min, other.max].map((y) => apply(x, y)))
  return { min: Math.min(...ends), max: Math.max(...ends) }
}

function called(name: string, args: readonly (Range | undefined)[]): Range {
  const all = args.map((range) => range ?? ANY)
  const [first = ANY] = all
  switch (name) {
    case 'round':
    case 'floor':
    case 'ceil':
      return { min: Math.floor(first.min), max: Math.ceil(first.max) }
    case 'min':
      return { min: Math.min(...all.map(({ min }) => min)), max: Math.min(...all.map(({ max }) => max)) }
    case 'max':
      return { min: Math.max(...all.map(({ min }) => min)), max: Math.max(...all.map(({ max }) => max)) }
    case 'length':
      return { min: 0, max: Infinity }
    case 'number':
      return first
    default:
      return ANY
  }
}

/** Whether the comparison holds for all numbers of both ranges (`always`), for none (`never`), or for some. */
export function comparing(op: string, left: Range, right: Range): 'always' | 'never' | undefined {
  switch (op) {
    case '<':
      return left.max < right.min ? 'always' : left.min >= right.max ? 'never' : undefined
    case '<=':
      return left.max <= right.min ? 'always' : left.min > right.max ? 'never' : undefined
    case '>':
      return comparing('<', right, left)
    case '>=':
      return comparing('<=', right, left)
    case '==':
      return left.max < right.min || left.min > right.max ? 'never' : undefined
    case '!=':
      return comparing('==', left, right) === 'never' ? 'always' : undefined
    default:
      return undefined
  }
}

/** The value of an expression in a dialogue. Pure; it takes at most one step per token of the expression. */
import { dayLater } from '../../base/index.ts'
import type { Json } from '../../ussd/index.ts'
import { ARITHMETIC, asNumber, type Decimal } from './decimal.ts'
import { type Comparing, isDay, isTimeOfDay, type Node } from './expression.ts'
import { folded } from './fold.ts'
import {
  dayIn,
  decimalOf,
  FUNCTIONS,
  asText,
  timeIn,
  Unworkable,
  type Arg,
  type Fn,
  type ArgumentType,
} from './functions.ts'
import { readPath, type Scope } from './path.ts'

export interface ExpressionScope {
  scope: Scope
  /** The flow's zone: days are days of that zone. */
  zone: string
}

/**
 * Undefined: a path that leads nowhere. Throws Unworkable if a number or a date is needed and the value is neither, or
 * on a division by zero.
 */
export function evaluate(node: Node, world: ExpressionScope): Json | undefined {
  const value = worth(node, world)
  return typeof value === 'bigint' ? asNumber(value) : value
}

/** The same value, with computed numbers as exact decimals. */
function worth(node: Node, world: ExpressionScope): Json | Decimal | undefined {
  switch (node.is) {
    case 'literal':
      return node.value
    case 'path':
      return readPath(world.scope, node.path)
    case 'arithmetic':
      return calculated(node.op, worth(node.left, world), worth(node.right, world))
    case 'shift':
      return shifted(node, world)
    case 'minus':
      return -decimalOf(worth(node.of, world))
    case 'call':
      return called(FUNCTIONS[node.name] as Fn, node.args, world)
    default:
      return holds(node, world)
  }
}

function calculated(
  op: keyof typeof ARITHMETIC,
  left: Json | Decimal | undefined,
  right: Json | Decimal | undefined,
): Decimal {
  const [one, other] = [decimalOf(left), decimalOf(right)]
  const value = ARITHMETIC[op](one, other)
  if (value === undefined)
    throw new Unworkable(op === '/' && other === 0n ? 'division by zero' : 'a number has too many digits')
  return value
}

/** The most units of one span: enough for every day that can be written. */
const SPAN_MAX = 100_000

function shifted(node: Node & { is: 'shift' }, world: ExpressionScope): string {
  const day = dayIn(worth(node.of, world), world.zone)
  const amount = asNumber(decimalOf(worth(node.amount, world)))
  if (!Number.isInteger(amount) || Math.abs(amount) > SPAN_MAX)
    throw new Unworkable(`a span is not a whole number of ${node.unit}s`)
  const later = dayLater(day, node.op === '-' ? -amount : amount, node.unit)
  if (later === undefined) throw new Unworkable('there is no such day')
  return later
}

function called(fn: Fn, args: readonly Node[], world: ExpressionScope): Json | Decimal | undefined {
  const given = args.map((node, i) => argument(takenAt(fn, i), node, world))
  return fn.run(given, { now: world.scope.context.now, zone: world.zone })
}

/** The type of the function's argument at this position. */
export function takenAt(fn: Fn, i: number): ArgumentType | undefined {
  return fn.takes[i] ?? (fn.many ? fn.takes.at(-1) : undefined)
}

/** The argument in the type that the function takes. A missing text or list is empty. */
function argument(taken: ArgumentType | undefined, node: Node, world: ExpressionScope): Arg {
  const value = worth(node, world)
  if (taken === 'number') return decimalOf(value)
  if (taken === 'date') return dayIn(value, world.zone)
  if (taken === 'rows') return Array.isArray(value) ? value : []
  if (taken === 'list' && (Array.isArray(value) || value === undefined || value === null)) return value ?? []
  return asText(value)
}

/**
 * Whether it is true. A value that is not a comparison counts as true like a path in a condition: if it is not empty.
 */
export function holds(node: Node, world: ExpressionScope): boolean {
  switch (node.is) {
    case 'compare':
      return COMPARISONS[node.op](...sidesOf(node, world))
    case 'among':
      return node.among.some((one) => same(known(node.of, world), known(one, world)))
    case 'both':
      return node.op === 'and'
        ? holds(node.left, world) && holds(node.right, world)
        : holds(node.left, world) || holds(node.right, world)
    case 'not':
      return !holds(node.of, world)
    default: {
      const value = known(node, world)
      return Array.isArray(value) ? value.length > 0 : Boolean(value)
    }
  }
}

/** Beside a day, the other side counts as a day, too; beside a time of day, as a time of day. */
function sidesOf({ left, right }: Node & { is: 'compare' }, world: ExpressionScope): [Side, Side] {
  const sides: [Side, Side] = [known(left, world), known(right, world)]
  const as = [left, right].some(isDay) ? dayIn : [left, right].some(isTimeOfDay) ? timeIn : undefined
  if (as === undefined) return sides
  const [one, other] = sides.map((side) => tried(() => as(side, world.zone)))
  // Two sides that are no days are not equal.
  return [one, other ?? Number.NaN]
}

type Side = Json | undefined

/** A side that cannot be computed counts as a path that leads nowhere. */
function known(node: Node, world: ExpressionScope): Json | undefined {
  return node.is === 'path' ? readPath(world.scope, node.path) : tried(() => evaluate(node, world))
}

function tried(compute: () => Json | undefined): Json | undefined {
  try {
    return compute()
  } catch (error) {
    if (error instanceof Unworkable) return undefined
    throw error
  }
}

const COMPARISONS: Record<Comparing, (left: Json | undefined, right: Json | undefined) => boolean> = {
  '==': (left, right) => same(left, right),
  '!=': (left, right) => !same(left, right),
  '<': (left, right) => ordered(left, right, (l, r) => l < r),
  '<=': (left, right) => ordered(left, right, (l, r) => l <= r),
  '>': (left, right) => ordered(left, right, (l, r) => l > r),
  '>=': (left, right) => ordered(left, right, (l, r) => l >= r),
  contains: (left, right) => containing(left, right),
}

function same(left: Json | undefined, right: Json | undefined): boolean {
  if (typeof left === 'number' && typeof right === 'string') return String(left) === right
  if (typeof left === 'string' && typeof right === 'number') return left === String(right)
  return left === right || (left === undefined && right === null)
}

/** How much of a text is looked at: a thousand rows then take some milliseconds. */
const CONTAINING_UNITS_MAX = 100

/** As a search does: without case, accents and superfluous blanks. A list has the value as one of its own. */
function containing(left: Side, right: Side): boolean {
  if (Array.isArray(left)) return left.some((one) => same(one, right))
  const [text, words] = [left, right].map((side) => folded(asText(side).slice(0, CONTAINING_UNITS_MAX))) as [
    string,
    string,
  ]
  return words !== '' && text.includes(words)
}

/** Numbers are ordered by size, texts by code points (ISO dates compare correctly); other values have no order. */
function ordered(left: Json | undefined, right: Json | undefined, inOrder: (l: number, r: number) => boolean): boolean {
  if (typeof left === 'string' && typeof right === 'string') return inOrder(left < right ? -1 : left > right ? 1 : 0, 0)
  const [l, r] = [Number(left ?? Number.NaN), Number(right ?? Number.NaN)]
  return !Number.isNaN(l) && !Number.isNaN(r) && inOrder(l, r)
}

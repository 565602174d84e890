/** Values of `set`, `with` and `give`: literal, filled in by `{path}`, or computed if they begin with `=`. */
import { FlowFault } from '../../base/index.ts'
import type { Json } from '../../ussd/index.ts'
import { evaluate } from './evaluate.ts'
import { readExpression, Slip, type Node } from './expression.ts'
import { Unworkable } from './functions.ts'
import { readPath, type Scope } from './path.ts'
import { readsIn, type Reading } from './reading.ts'

/** A value as a flow file has it. */
export type Scalar = string | number | boolean | null

const WHOLE = /^\{\s*([a-z][A-Za-z0-9_.-]*)\s*\}$/
const PART = /\{\s*([a-z][A-Za-z0-9_.-]*)\s*\}/g

/** The value in this scope. Pure. Throws Unfit if it cannot be computed. */
export type Value = (scope: Scope) => Json

/**
 * A value cannot be computed in this dialogue. The dialogue ends with the busy text, unless the screen says where to
 * go.
 */
export class Unfit extends FlowFault {}

export function isExpression(written: Scalar): written is `=${string}` {
  return typeof written === 'string' && written.startsWith('=')
}

/** What follows the `=`. A blank takes the place of the `=`, so that positions are positions in the text. */
export function expressionIn(written: string): Node | Slip {
  return readExpression(` ${written.slice(1)}`)
}

interface Place {
  /** The name of the screen. */
  name: string
  /** The flow's zone. */
  zone: string
}

/** The value must be valid. `{path}` alone is the value itself, of any type; within a text it is filled in. */
export function compileValue(written: Scalar, place: Place): Value {
  if (typeof written !== 'string') return () => written
  if (isExpression(written)) return workedOut(written, place)
  const path = WHOLE.exec(written)?.[1]
  if (path !== undefined) return (scope) => readPath(scope, path) ?? null
  return (scope) =>
    short(
      written.replace(PART, (_whole, part: string) => shown(readPath(scope, part))),
      written,
      place,
    )
}

/**
 * The most UTF-16 units of a text that is put together: several of a back end's longest texts. So no text doubles from
 * screen to screen.
 */
const MADE_UNITS_MAX = 16_384

function short(value: Json, written: string, { name }: Place): Json {
  if (typeof value !== 'string' || value.length <= MADE_UNITS_MAX) return value
  throw new Unfit(`screen '${name}': '${written}' makes a text of more than ${MADE_UNITS_MAX} characters`)
}

function workedOut(written: string, place: Place): Value {
  const { name, zone } = place
  const node = expressionIn(written)
  if (node instanceof Slip) throw new Error(`an expression that was not checked: ${node.what}`)
  return (scope) => {
    try {
      return short(evaluate(node, { scope, zone }) ?? null, written, place)
    } catch (error) {
      throw error instanceof Unworkable
        ? new Unfit(`screen '${name}': '${written}' cannot be computed: ${error.message}`)
        : error
    }
  }
}

/** All values of a block. */
export function compileValues(
  block: Record<string, Scalar> | undefined,
  place: Place,
): (scope: Scope) => [string, Json][] {
  const values = Object.entries(block ?? {}).map(([name, written]) => [name, compileValue(written, place)] as const)
  return (scope) => values.map(([name, value]) => [name, value(scope)])
}

/** The expression of a value and what it reads; undefined for a value that is not a valid expression. */
export function readingOf(written: Scalar): (Reading & { node: Node }) | undefined {
  const node = isExpression(written) ? expressionIn(written) : undefined
  return node === undefined || node instanceof Slip ? undefined : { ...readsIn(node), node }
}

/** The path that a value consists of, if it is only a path. */
export function wholePath(written: Scalar): string | undefined {
  return typeof written === 'string' ? WHOLE.exec(written)?.[1] : undefined
}

/** The paths in a value. */
export function pathsOf(written: Scalar): readonly string[] {
  if (isExpression(written)) return readingOf(written)?.paths ?? []
  return typeof written === 'string' ? [...written.matchAll(PART)].map((match) => match[1] as string) : []
}

function shown(value: Json | undefined): string {
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value)
}

/**
 * Conditions: one comparison, or `and` / `or` / `not` of conditions. Not a language: what needs more is a back end's
 * work.
 *
 * `data.profile.known` · `data.balance.amount >= 5` · `row.status == upcoming` · `language in [en, tpi]`
 * `answers.number != {msisdn}` · `{ not: data.profile.known }` · `{ and: [ …, … ] }` · `{ or: [ …, … ] }`
 */
import type { Json } from '../ussd/types.ts'
import { PATH, ROOTS, readPath, type Scope } from './path.ts'

/** A condition as it is written. */
export type ConditionSource =
  string | { and: ConditionSource[] } | { or: ConditionSource[] } | { not: ConditionSource }

export interface Condition {
  /** Pure. A path that leads nowhere is false, and unequal to all. */
  holds: (scope: Scope) => boolean
  /** Paths that it reads. */
  paths: readonly string[]
  /** Values that it compares paths with: on each side of one, it may come out differently. */
  against: readonly Against[]
  /** What is compared with what, for the check of types. */
  compares: readonly Compare[]
}

export interface Compare {
  path: string
  operator: string
  with: Operand
}

export interface Against {
  path: string
  value: Json
}

/** Compiles; answers a sentence about what is wrong with it instead. */
export function compileCondition(source: ConditionSource): Condition | string {
  if (typeof source === 'string') return comparison(source)
  if ('not' in source) {
    const inner = compileCondition(source.not)
    return typeof inner === 'string' ? inner : { ...inner, holds: (scope) => !inner.holds(scope) }
  }
  const all = 'and' in source
  const parts = (all ? (source as { and: ConditionSource[] }).and : source.or).map(compileCondition)
  const wrong = parts.find((part) => typeof part === 'string')
  if (typeof wrong === 'string') return wrong
  const conditions = parts as Condition[]
  return {
    holds: (scope) =>
      all ? conditions.every((c) => c.holds(scope)) : conditions.some((c) => c.holds(scope)),
    paths: conditions.flatMap((c) => c.paths),
    against: conditions.flatMap((c) => c.against),
    compares: conditions.flatMap((c) => c.compares),
  }
}

export type Operand = { path: string } | { value: Json }
type Comparison = (left: Json | undefined, right: Json | undefined) => boolean

const COMPARISONS: Record<string, Comparison> = {
  '==': (left, right) => same(left, right),
  '!=': (left, right) => !same(left, right),
  '<': (left, right) => ordered(left, right, (l, r) => l < r),
  '<=': (left, right) => ordered(left, right, (l, r) => l <= r),
  '>': (left, right) => ordered(left, right, (l, r) => l > r),
  '>=': (left, right) => ordered(left, right, (l, r) => l >= r),
}

const FORM = /^\s*(not\s+)?(\S+?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?)|\s(in)\s+\[(.*)\])?\s*$/

function comparison(source: string): Condition | string {
  const parts = FORM.exec(source)
  if (!parts) return `'${source}' is not a comparison`
  const [, not, path = '', operator, right, within, list] = parts
  const values = right === undefined ? (list?.split(',') ?? []) : [right]
  const strange = values.map((value) => value.trim()).find((value) => !BARE.test(value))
  if (strange !== undefined) return `'${strange}' is no value: put it in quotes`
  const strayed = [path, ...values.flatMap((value) => bracedOf(value.trim())?.path ?? [])].find((one) => !isPath(one))
  if (strayed !== undefined) return `'${strayed}' is not a path that starts with ${ROOTS.join(', ')}`
  const condition =
    within !== undefined
      ? membership(path, list ?? '')
      : operator !== undefined
        ? compared(path, operator, operandOf(right ?? ''))
        : asked(path)
  return not === undefined ? condition : { ...condition, holds: (scope) => !condition.holds(scope) }
}

function asked(path: string): Condition {
  const against = [true, false].map((value) => ({ path, value }))
  return { holds: (scope) => truth(readPath(scope, path)), paths: [path], against, compares: [] }
}

function compared(path: string, operator: string, right: Operand): Condition {
  const compare = COMPARISONS[operator] as Comparison
  return {
    holds: (scope) =>
      compare(readPath(scope, path), 'path' in right ? readPath(scope, right.path) : right.value),
    paths: 'path' in right ? [path, right.path] : [path],
    against: 'path' in right ? [] : [{ path, value: right.value }],
    compares: [{ path, operator, with: right }],
  }
}

function membership(path: string, list: string): Condition {
  const among = list.split(',').map((item): Operand => bracedOf(item.trim()) ?? { value: literalOf(item.trim()) })
  const valueOf = (scope: Scope, one: Operand) => ('path' in one ? readPath(scope, one.path) : one.value)
  return {
    holds: (scope) => among.some((one) => same(readPath(scope, path), valueOf(scope, one))),
    paths: [path, ...among.flatMap((one) => ('path' in one ? [one.path] : []))],
    against: among.flatMap((one) => ('value' in one ? [{ path, value: one.value }] : [])),
    compares: among.map((one) => ({ path, operator: 'in', with: one })),
  }
}

const BARE = /^(?:[\w.:+-]+|'[^']*'|"[^"]*"|\{[^{}]*\})$/u

function operandOf(written: string): Operand {
  const braced = bracedOf(written)
  if (braced) return braced
  return written.includes('.') && isPath(written) ? { path: written } : { value: literalOf(written) }
}

/** `{msisdn}`: a path, dot or not. */
function bracedOf(written: string): { path: string } | undefined {
  const path = /^\{\s*(.*?)\s*\}$/.exec(written)?.[1]
  return path === undefined ? undefined : { path }
}

function literalOf(written: string): Json {
  if (/^-?\d+(\.\d+)?$/.test(written)) return Number(written)
  if (written === 'true' || written === 'false') return written === 'true'
  if (written === 'null') return null
  return written.replace(/^(['"])(.*)\1$/, '$2')
}

function isPath(written: string): boolean {
  return PATH.test(written) && (ROOTS as readonly string[]).includes(written.split('.')[0] as string)
}

function same(left: Json | undefined, right: Json | undefined): boolean {
  if (typeof left === 'number' && typeof right === 'string') return String(left) === right
  if (typeof left === 'string' && typeof right === 'number') return left === String(right)
  return left === right || (left === undefined && right === null)
}

/** Numbers by size, texts by code points (ISO dates compare right); anything else is in no order. */
function ordered(
  left: Json | undefined,
  right: Json | undefined,
  holds: (l: number, r: number) => boolean,
): boolean {
  if (typeof left === 'string' && typeof right === 'string')
    return holds(left < right ? -1 : left > right ? 1 : 0, 0)
  const [l, r] = [Number(left ?? Number.NaN), Number(right ?? Number.NaN)]
  return !Number.isNaN(l) && !Number.isNaN(r) && holds(l, r)
}

function truth(value: Json | undefined): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}

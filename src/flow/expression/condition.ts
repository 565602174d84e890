/**
 * Conditions: one expression that is true or false, or `and` / `or` / `not` of conditions.
 *
 * `data.profile.known` · `data.balance.amount >= 5` · `row.status == upcoming` · `language in [en, tpi]`
 * `answers.amount + data.quote.fee <= data.balance.amount` · `{ not: data.profile.known }` · `{ and: [ …, … ] }`
 */
import type { Json } from '../../ussd/index.ts'
import { holds } from './evaluate.ts'
import { nodesOf, readExpression, Slip, type Node } from './expression.ts'
import type { Scope } from './path.ts'
import { readsIn, type Reading } from './reading.ts'

export { Slip } from './expression.ts'

/** A condition as a file has it. */
export type ConditionSource = string | { and: ConditionSource[] } | { or: ConditionSource[] } | { not: ConditionSource }

/** The condition in one line, in a form that a file may also have. */
export function conditionWords(source: ConditionSource): string {
  if (typeof source === 'string') return source
  const inner = (one: ConditionSource) =>
    typeof one === 'string' && !/ (and|or) /.test(one) ? one : `(${conditionWords(one)})`
  if ('not' in source) return `not ${inner(source.not)}`
  return 'and' in source ? source.and.map(inner).join(' and ') : source.or.map(inner).join(' or ')
}

export interface Condition {
  /**
   * Pure. A path that leads nowhere is false and unequal to everything; so is an expression that cannot be computed.
   */
  holds: (scope: Scope) => boolean
  /** The paths that it reads. */
  paths: readonly string[]
  /** The values with which it compares paths: its result may change at each of them. */
  against: readonly Against[]
  /** Its expressions, for the check of types. */
  made: readonly Made[]
}

export interface Against {
  path: string
  value: Json
}

/** An expression, and its path within the condition. */
export interface Made extends Reading {
  node: Node
  source: string
  within: (string | number)[]
}

/** What is wrong with a condition, and where in it. */
export class ConditionSlip extends Slip {
  readonly source: string
  readonly within: (string | number)[]
  constructor({ what, at, remedy }: Slip, source: string, within: (string | number)[]) {
    super(what, at, remedy)
    this.source = source
    this.within = within
  }
}

/** Compiles a condition. `zone`: the flow's zone; only expressions with days need it. */
export function compileCondition(source: ConditionSource, zone = 'UTC'): Condition | ConditionSlip {
  return compiled(source, zone, [])
}

function compiled(source: ConditionSource, zone: string, within: (string | number)[]): Condition | ConditionSlip {
  if (typeof source === 'string') return single(source, zone, within)
  if ('not' in source) {
    const inner = compiled(source.not, zone, [...within, 'not'])
    return inner instanceof Slip ? inner : { ...inner, holds: (scope) => !inner.holds(scope) }
  }
  const key = 'and' in source ? 'and' : 'or'
  const parts = (source as Record<'and' | 'or', ConditionSource[]>)[key].map((part, i) =>
    compiled(part, zone, [...within, key, i]),
  )
  const wrong = parts.find((part) => part instanceof Slip)
  if (wrong) return wrong
  const conditions = parts as Condition[]
  return {
    holds: (scope) =>
      key === 'and' ? conditions.every((c) => c.holds(scope)) : conditions.some((c) => c.holds(scope)),
    paths: conditions.flatMap((c) => c.paths),
    against: conditions.flatMap((c) => c.against),
    made: conditions.flatMap((c) => c.made),
  }
}

function single(source: string, zone: string, within: (string | number)[]): Condition | ConditionSlip {
  const node = readExpression(source)
  const slip = node instanceof Slip ? node : decides(node, source)
  if (slip) return new ConditionSlip(slip, source, within)
  const reading = readsIn(node as Node)
  return {
    holds: (scope) => holds(node as Node, { scope, zone }),
    paths: reading.paths,
    against: reading.against,
    made: [{ ...reading, node: node as Node, source, within }],
  }
}

/** Checks that each operand can be true or false, and that the condition reads something. */
function decides(node: Node, source: string): Slip | undefined {
  for (const asked of askedIn(node)) {
    if (['path', 'compare', 'among'].includes(asked.is)) continue
    return new Slip(
      `'${source.slice(asked.at, asked.end)}' is neither true nor false`,
      asked.at,
      'compare it with a value',
    )
  }
  if (nodesOf(node).some(({ is }) => is === 'path' || is === 'call')) return undefined
  return new Slip(`'${source}' reads no value: it is the same for every subscriber`, node.at)
}

/** The operands that `and`, `or` and `not` connect. */
function askedIn(node: Node): Node[] {
  if (node.is === 'both') return [...askedIn(node.left), ...askedIn(node.right)]
  return node.is === 'not' ? askedIn(node.of) : [node]
}

/** What an expression reads, and as which type. The checks, the measuring and the explorer use it. */
import type { Against } from './condition.ts'
import { takenAt } from './evaluate.ts'
import { isDay, isTimeOfDay, nodesOf, type Node } from './expression.ts'
import { FUNCTIONS, type Fn } from './functions.ts'

export interface Reading {
  /** All paths. */
  paths: readonly string[]
  /** Values at which its result may change. */
  against: readonly Against[]
  /** Paths that must be a number or a date, or it cannot be computed. */
  wanted: readonly { path: string; as: 'number' | 'date' }[]
  /** Rows that it reads: one field of all rows, `whole` rows, or only their count. */
  rows: readonly RowsRead[]
}

export interface RowsRead {
  from: string
  reads: { field: string; as: 'number' | 'value' } | 'whole' | 'count'
}

export function readsIn(root: Node): Reading {
  const nodes = nodesOf(root)
  return {
    paths: nodes.flatMap((node) => (node.is === 'path' ? [node.path] : [])),
    against: [...asked(root), ...nodes.flatMap(compared)],
    wanted: nodes.flatMap(wantedBy),
    rows: nodes.flatMap(rowsOf),
  }
}

function asked(node: Node): Against[] {
  if (node.is === 'both') return [...asked(node.left), ...asked(node.right)]
  if (node.is === 'not') return asked(node.of)
  return node.is === 'path' ? [true, false].map((value) => ({ path: node.path, value })) : []
}

function compared(node: Node): Against[] {
  if (node.is === 'arithmetic') return node.op === '/' ? pair(node.right, ZERO) : []
  if (node.is === 'compare') return [...pair(node.left, node.right), ...pair(node.right, node.left)]
  return node.is === 'among' ? node.among.flatMap((one) => pair(node.of, one)) : []
}

const ZERO: Node = { is: 'literal', value: 0, at: 0, end: 0 }

function pair(one: Node, other: Node): Against[] {
  return one.is === 'path' && other.is === 'literal' ? [{ path: one.path, value: other.value }] : []
}

function wantedBy(node: Node): { path: string; as: 'number' | 'date' }[] {
  const as = (inner: Node | undefined, what: 'number' | 'date') =>
    inner?.is === 'path' ? [{ path: inner.path, as: what }] : []
  if (node.is === 'arithmetic') return [...as(node.left, 'number'), ...as(node.right, 'number')]
  if (node.is === 'minus') return as(node.of, 'number')
  if (node.is === 'shift') return [...as(node.of, 'date'), ...as(node.amount, 'number')]
  if (node.is === 'compare')
    return isOfTime(node.left) || isOfTime(node.right) ? [...as(node.left, 'date'), ...as(node.right, 'date')] : []
  if (node.is !== 'call') return []
  return node.args.flatMap((arg, i) => {
    const taken = takenAt(FUNCTIONS[node.name] as Fn, i)
    if (taken === 'date' || node.name === 'time') return as(arg, 'date')
    return taken === 'number' || node.name === 'number' ? as(arg, 'number') : []
  })
}

const isOfTime = (node: Node) => isDay(node) || isTimeOfDay(node)

function rowsOf(node: Node): RowsRead[] {
  const [rows, field] = node.is === 'call' ? node.args : []
  if (node.is !== 'call' || rows?.is !== 'path') return []
  const [taken] = (FUNCTIONS[node.name] as Fn).takes
  if (taken === 'list') return [{ from: rows.path, reads: 'count' }]
  if (taken !== 'rows') return []
  const named = field?.is === 'literal' ? String(field.value) : undefined
  return [
    {
      from: rows.path,
      reads: named === undefined ? 'whole' : { field: named, as: node.name === 'sum' ? 'number' : 'value' },
    },
  ]
}

/** The type of an expression, and the places where types do not fit. */
import { takenAt } from './evaluate.ts'
import { isDay, type Node } from './expression.ts'
import { FUNCTIONS, type Fn, type ArgumentType, type Type } from './functions.ts'

/** `found` gets each place where types do not fit, as a sentence that continues the screen's name. */
export interface Typing {
  source: string
  typeOf: (path: string) => Type | undefined
  /** The type of a field of the rows at a path. Absent: unknown. */
  fieldTypeOf?: (from: string, field: string) => Type | undefined
  found: (severity: 'error' | 'warning', what: string, at: number, remedy: string) => void
}

export const WORDS: Record<Type, string> = {
  text: 'a text',
  number: 'a number',
  boolean: 'true or false',
  rows: 'a list of rows',
  date: 'a date',
}

/** Undefined: the type is unknown. */
export function typed(node: Node, typing: Typing): Type | undefined {
  switch (node.is) {
    case 'literal':
      return node.value === null
        ? undefined
        : (typeof node.value as Type | 'string') === 'string'
          ? 'text'
          : (typeof node.value as Type)
    case 'path':
      return typing.typeOf(node.path)
    case 'arithmetic':
      wants('number', node.left, typing)
      wants('number', node.right, typing)
      return 'number'
    case 'shift':
      wants('date', node.of, typing)
      wants('number', node.amount, typing)
      return 'date'
    case 'minus':
      wants('number', node.of, typing)
      return 'number'
    case 'call':
      return calls(node, typing)
    default:
      return decides(node, typing)
  }
}

function decides(node: Node, typing: Typing): 'boolean' {
  if (node.is === 'compare') clash(node.op, node.left, node.right, typing)
  if (node.is === 'among') for (const one of node.among) clash('in', node.of, one, typing)
  if (node.is === 'both') for (const side of [node.left, node.right]) typed(side, typing)
  if (node.is === 'not') typed(node.of, typing)
  return 'boolean'
}

function calls({ name, args }: Node & { is: 'call' }, typing: Typing): Type | undefined {
  const fn = FUNCTIONS[name] as Fn
  if (name === 'sum') addsUp(args, typing)
  for (const [i, arg] of args.entries()) wants(takenAt(fn, i), arg, typing)
  return fn.gives ?? columnType(args, typing)
}

function addsUp(args: readonly Node[], typing: Typing): void {
  const type = columnType(args, typing)
  if (type === undefined || type === 'number') return
  const [, field] = args
  const what = `: sum adds up '${(field as Node & { is: 'literal' }).value}', but that is ${WORDS[type]}`
  typing.found('error', what, field!.at, 'name a field that is a number or money')
}

/** The type of a column that `first` and `last` give. */
function columnType([rows, field]: readonly Node[], typing: Typing): Type | undefined {
  if (rows?.is !== 'path' || field?.is !== 'literal') return undefined
  return typing.fieldTypeOf?.(rows.path, String(field.value))
}

/** What each type of argument accepts, and what to write otherwise. */
const TAKES: Partial<
  Record<
    ArgumentType,
    { of: readonly Type[]; words: string; instead: (written: string) => Partial<Record<Type, string>> }
  >
> = {
  number: {
    of: ['number'],
    words: 'a number',
    instead: (written) => ({
      rows: `use length(${written}) or sum(${written}, 'field')`,
      text: `use number(${written}) if it holds a number`,
    }),
  },
  text: { of: ['text'], words: 'a text', instead: (written) => ({ number: `use concat(${written})` }) },
  value: {
    of: ['text', 'number', 'date'],
    words: 'a text or a number',
    instead: (written) => ({ rows: `use join(${written}, 'field', ' ')` }),
  },
  date: {
    of: ['text', 'date'],
    words: 'a date',
    instead: () => ({ number: 'use a day such as 2025-05-10, or a moment' }),
  },
  rows: { of: ['rows'], words: 'a list of rows', instead: () => ({ text: 'use a list from the answer of a call' }) },
  list: {
    of: ['rows', 'text'],
    words: 'a list of rows or a text',
    instead: (written) => ({ number: `use length(concat(${written}))` }),
  },
}

function wants(taken: ArgumentType | undefined, node: Node, typing: Typing): void {
  const type = typed(node, typing)
  const wanted = taken && TAKES[taken]
  if (type === undefined || !wanted || wanted.of.includes(type)) return
  const written = typing.source.slice(node.at, node.end)
  const instead = wanted.instead(written)[type]
  const remedy =
    node.is === 'literal' && taken === 'number'
      ? 'write a number without quotes'
      : isDay(node)
        ? 'use days(from, to) or years(from, to); a span has a unit: today - 18 years'
        : instead
  const what = `: ${/^['"]/.test(written) ? written : `'${written}'`} is ${WORDS[type]}, but ${wanted.words} is needed`
  typing.found('error', what, node.at, remedy ?? 'use a branch or a call instead')
}

const A_DATE = "compare with a date such as '2025-05-10', or its time of day: time(…)"

/** Reports a comparison of two sides that have no order, or are never equal. */
function clash(op: string, one: Node, other: Node, typing: Typing): void {
  if (op === 'contains') return holding(one, other, typing)
  const [left, right] = [typed(one, typing), typed(other, typing)]
  if (left === undefined || right === undefined) return
  const what = ` compares ${saidOf(one, typing)}, ${WORDS[left]}, with ${saidOf(other, typing)}, ${WORDS[right]}`
  const pair = new Set([left, right])
  const say = (severity: 'error' | 'warning') =>
    typing.found(severity, what, one.at, pair.has('date') ? A_DATE : 'compare values of the same type')
  const inOrder = /^[<>]/.test(op)
  if (pair.has('rows') || (inOrder && pair.has('boolean'))) return say('error')
  if (pair.size === 1) return
  if (pair.has('boolean')) return say('error')
  if (pair.has('date')) return notADate([one, other], pair.has('number')) ? say('error') : undefined
  // A text and a number are left: amounts also come as texts.
  const word = [one, other].some(
    (side) => side.is === 'literal' && typeof side.value === 'string' && Number.isNaN(Number(side.value)),
  )
  if (word) say('error')
  else if (inOrder) say('warning')
}

/** A date compares with another date, or with a text that is one. */
function notADate(sides: readonly Node[], hasNumber: boolean): boolean {
  return hasNumber || sides.some((side) => side.is === 'literal' && !/^\d{4}-\d{2}-\d{2}/.test(String(side.value)))
}

/** Only a text contains words. What a list of a back end has in it, nobody declares. */
function holding(one: Node, other: Node, typing: Typing): void {
  const [left, right] = [typed(one, typing), typed(other, typing)]
  const wrong =
    left !== undefined && left !== 'text' && left !== 'date'
      ? one
      : right === 'rows' || right === 'boolean'
        ? other
        : undefined
  if (wrong === undefined) return
  const type = wrong === one ? left : right
  const what = `: ${saidOf(wrong, typing)} is ${WORDS[type as Type]}, but 'contains' looks for words in a text`
  const remedy =
    type === 'rows' ? 'test the rows one by one: where in a list, or a branch with over' : 'compare with == instead'
  typing.found('error', what, wrong.at, remedy)
}

function saidOf(node: Node, { source }: Typing): string {
  return node.is === 'literal'
    ? JSON.stringify(node.value)
    : node.is === 'path'
      ? `'${node.path}'`
      : `'${source.slice(node.at, node.end)}'`
}

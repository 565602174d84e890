/**
 * The grammar of conditions and of computed values: comparisons, arithmetic, functions. An expression is read once,
 * when the flow is loaded, in one pass over its tokens. There are no loops, and the only names are paths: whatever
 * needs more is work for a back end.
 *
 *     or     and { or and }              comparison   sum [ == != < <= > >= contains sum | in [ sum, … ] ]
 *     and    not { and not }             sum          product { + - product [ days weeks months years ] }
 *     not    [ not ] comparison          product      single { * / single }
 *     single  - single | ( or ) | function(or, …) | path | {path} | number | true | false | null | 'text'
 *
 * A bare word is a text on the right of a comparison and in a list. With a dot, it is a path there too. `today` is the
 * day of the dial, but a text on the right of `==`, `!=` and `contains`.
 */
import type { Json } from '../../ussd/index.ts'
import { DECIMALS_MAX, type Arithmetic } from './decimal.ts'
import { FUNCTIONS } from './functions.ts'
import { PATH, ROOTS } from './path.ts'
import { DAY_UNITS, type DayUnit, remedyAmong } from '../../base/index.ts'

/** The most characters of one expression: whatever needs more needs a back end. */
export const EXPRESSION_CHARS_MAX = 500
/** The most parentheses, functions and signs within each other. */
export const EXPRESSION_DEEP_MAX = 20

export type Comparing = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'contains'

/** `at` and `end`: where it begins and ends in the source. */
export type Node = { at: number; end: number } & (
  | { is: 'literal'; value: Json }
  | { is: 'path'; path: string }
  | { is: 'arithmetic'; op: Arithmetic; left: Node; right: Node }
  | { is: 'compare'; op: Comparing; left: Node; right: Node }
  | { is: 'among'; of: Node; among: Node[] }
  | { is: 'both'; op: 'and' | 'or'; left: Node; right: Node }
  | { is: 'not'; of: Node }
  | { is: 'minus'; of: Node }
  | { is: 'call'; name: string; args: Node[] }
  /** A day so many units earlier or later. */
  | { is: 'shift'; of: Node; op: '+' | '-'; amount: Node; unit: DayUnit }
)

/** What is wrong with an expression, and at which character. */
export class Slip {
  readonly what: string
  readonly at: number
  readonly remedy?: string
  constructor(what: string, at: number, remedy?: string) {
    this.what = what
    this.at = at
    if (remedy !== undefined) this.remedy = remedy
  }
}

/** Reads a whole expression. */
export function readExpression(source: string): Node | Slip {
  if (source.length > EXPRESSION_CHARS_MAX) {
    const remedy = 'compute a part in a set screen before it, or let a back end compute it'
    return new Slip(`the expression is longer than ${EXPRESSION_CHARS_MAX} characters`, EXPRESSION_CHARS_MAX, remedy)
  }
  try {
    const reader: Reader = { source, signs: signsOf(source), next: 0, deep: 0 }
    const node = strict(readOr(reader))
    const { kind, at, text } = peek(reader)
    if (kind !== 'end') throw new Slip(`unexpected '${text}'`, at, UNIT.test(text) ? SPANS : BLANKS)
    return node
  } catch (slip) {
    if (slip instanceof Slip) return slip
    throw slip
  }
}

/** Words of time that stand where no span may, or that are no unit. */
const UNIT = /^(second|minute|hour|day|week|month|year)s?$/
const SPANS = 'a span stands behind a day: today - 18 years; its units are days, weeks, months and years'
const BLANKS = 'write texts in quotes, and a blank on each side of + and -'

interface Sign {
  kind: 'word' | 'text' | 'braced' | 'sign' | 'end'
  text: string
  at: number
  end: number
}

/** A word of which it is not yet known whether it is a text or a path. */
type Word = { is: 'word'; word: string; at: number; end: number }

interface Reader {
  source: string
  signs: Sign[]
  next: number
  deep: number
}

const SIGN = /\s*(?:('[^']*'|"[^"]*")|(\{[^{}]*\})|(==|!=|<=|>=|[<>()[\],*/])|([\w.:+-]+))/y

function signsOf(source: string): Sign[] {
  const signs: Sign[] = []
  let at = 0
  const end = source.trimEnd().length
  while (at < end) {
    SIGN.lastIndex = at
    const [whole = '', text, braced, sign, word] = SIGN.exec(source) ?? []
    if (whole === '') {
      const here = at + (/^\s*/.exec(source.slice(at)) as RegExpExecArray)[0].length
      const stray = source.slice(here).split(/\s/)[0] as string
      throw new Slip(`'${stray}' is not a value`, here, /^['"]/.test(stray) ? 'close the quote' : 'put it in quotes')
    }
    const until = at + whole.length
    const written = (text ?? braced ?? sign ?? word) as string
    const bare = sign !== undefined || /^[+-]$/.test(written) ? 'sign' : 'word'
    const kind = text !== undefined ? 'text' : braced !== undefined ? 'braced' : bare
    signs.push({ kind, text: written, at: until - written.length, end: until })
    at = until
  }
  return [...signs, { kind: 'end', text: '', at: end, end }]
}

const peek = (reader: Reader) => reader.signs[reader.next] as Sign
const take = (reader: Reader) => reader.signs[reader.next++] as Sign

/** Takes one of these tokens if it comes next. */
function taken<T extends string>(reader: Reader, kind: Sign['kind'], ...texts: T[]): T | undefined {
  const sign = peek(reader)
  if (sign.kind !== kind || !(texts as string[]).includes(sign.text)) return undefined
  reader.next++
  return sign.text as T
}

function needed(reader: Reader, text: string): Sign {
  const sign = peek(reader)
  if (sign.kind === 'sign' && sign.text === text) return take(reader)
  const what = sign.kind === 'end' ? `'${text}' is missing at the end` : `expected '${text}', found '${sign.text}'`
  throw new Slip(what, sign.at, UNIT.test(sign.text) ? SPANS : undefined)
}

type Read = (reader: Reader) => Node | Word

function readOr(reader: Reader): Node | Word {
  return chain(reader, readAnd, 'word', ['or'], (op, left, right) => ({
    is: 'both',
    op,
    left,
    right,
    ...span(left, right),
  }))
}

function readAnd(reader: Reader): Node | Word {
  return chain(reader, readNot, 'word', ['and'], (op, left, right) => ({
    is: 'both',
    op,
    left,
    right,
    ...span(left, right),
  }))
}

function readNot(reader: Reader): Node | Word {
  const { at } = peek(reader)
  if (taken(reader, 'word', 'not') === undefined) return readComparison(reader)
  const of = strict(deeper(reader, readNot))
  return { is: 'not', of, at, end: of.end }
}

function readComparison(reader: Reader): Node | Word {
  const left = readSum(reader)
  const op = taken(reader, 'sign', '==', '!=', '<=', '>=', '<', '>') ?? taken(reader, 'word', 'contains')
  if (op !== undefined) {
    const [of, side] = [strict(left), readSum(reader)]
    const right = /^[<>]/.test(op) && isToday(side) ? strict(side) : loose(side)
    return { is: 'compare', op, left: of, right, ...span(of, right) }
  }
  if (taken(reader, 'word', 'in') === undefined) return left
  const of = strict(left)
  needed(reader, '[')
  const among = [loose(readSum(reader))]
  while (taken(reader, 'sign', ',') !== undefined) among.push(loose(readSum(reader)))
  return { is: 'among', of, among, at: of.at, end: needed(reader, ']').end }
}

function readSum(reader: Reader): Node | Word {
  let left = readProduct(reader)
  for (;;) {
    const op = taken(reader, 'sign', '+', '-')
    if (op === undefined) return left
    const [of, right] = [strict(left), strict(readProduct(reader))]
    const unit = unitAfter(reader)
    left =
      unit === undefined
        ? { is: 'arithmetic', op, left: of, right, ...span(of, right) }
        : { is: 'shift', of, op, amount: right, unit: unit.unit, at: of.at, end: unit.end }
  }
}

/** `years` in `today - 18 years`. */
function unitAfter(reader: Reader): { unit: DayUnit; end: number } | undefined {
  const { kind, text, end } = peek(reader)
  const unit = kind === 'word' ? DAY_UNITS.find((one) => text === one || text === `${one}s`) : undefined
  if (unit === undefined) return undefined
  reader.next++
  return { unit, end }
}

function readProduct(reader: Reader): Node | Word {
  return chain(reader, readSingle, 'sign', ['*', '/'], (op, left, right) => ({
    is: 'arithmetic',
    op,
    left,
    right,
    ...span(left, right),
  }))
}

/** Operands with operators of equal rank between them, from left to right. */
function chain<T extends string>(
  reader: Reader,
  read: Read,
  kind: Sign['kind'],
  ops: T[],
  joined: (op: T, left: Node, right: Node) => Node,
): Node | Word {
  let left = read(reader)
  for (;;) {
    const op = taken(reader, kind, ...ops)
    if (op === undefined) return left
    left = joined(op, strict(left), strict(read(reader)))
  }
}

const span = (left: Node, right: Node) => ({ at: left.at, end: right.end })

function deeper<T>(reader: Reader, read: (reader: Reader) => T): T {
  if (++reader.deep > EXPRESSION_DEEP_MAX) {
    throw new Slip(
      `the expression nests more than ${EXPRESSION_DEEP_MAX} deep`,
      peek(reader).at,
      'compute a part in a set screen before it',
    )
  }
  const found = read(reader)
  reader.deep--
  return found
}

function readSingle(reader: Reader): Node | Word {
  const sign = take(reader)
  const { kind, text, at, end } = sign
  if (kind === 'text') return { is: 'literal', value: text.slice(1, -1), at, end }
  if (kind === 'braced') return pathOf(text.slice(1, -1).trim(), sign)
  if (kind === 'sign' && text === '-') {
    const of = strict(deeper(reader, readSingle))
    return { is: 'minus', of, at, end: of.end }
  }
  if (kind === 'sign' && text === '(') {
    const inner = strict(deeper(reader, readOr))
    needed(reader, ')')
    return inner
  }
  if (kind === 'word')
    return peek(reader).text === '(' && peek(reader).kind === 'sign' ? readCall(sign, reader) : wordOf(sign)
  throw new Slip(kind === 'end' ? 'a value is missing at the end' : `expected a value, found '${text}'`, at)
}

function readCall({ text: name, at }: Sign, reader: Reader): Node {
  needed(reader, '(')
  const args: Node[] = []
  if (peek(reader).text !== ')') {
    do args.push(strict(deeper(reader, readOr)))
    while (taken(reader, 'sign', ',') !== undefined)
  }
  const call = { is: 'call' as const, name, args, at, end: needed(reader, ')').end }
  const slip = slipOf(call)
  if (slip) throw slip
  return call
}

/**
 * Checks that the function exists, that it has the right number of arguments, and that fields and decimals are
 * literals.
 */
function slipOf({ name, args, at }: Node & { is: 'call' }): Slip | undefined {
  const fn = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  if (!fn) return new Slip(`there is no function '${name}'`, at, remedyAmong(name, Object.keys(FUNCTIONS)))
  const { takes, least = takes.length, many, form } = fn
  if (args.length < least || (!many && args.length > takes.length)) {
    return new Slip(`${name} does not take ${args.length} value${args.length === 1 ? '' : 's'}`, at, form)
  }
  for (const [i, arg] of args.entries()) {
    const value = arg.is === 'literal' ? arg.value : undefined
    if (takes[i] === 'field' && typeof value !== 'string')
      return new Slip('write the field as a name in quotes', arg.at, form)
    const places = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= DECIMALS_MAX
    if (takes[i] === 'places' && !places)
      return new Slip(`the decimals must be a whole number from 0 to ${DECIMALS_MAX}`, arg.at, form)
  }
  return undefined
}

function wordOf({ text, at, end }: Sign): Node | Word {
  if (/^-?\d+(\.\d+)?$/.test(text)) return { is: 'literal', value: Number(text), at, end }
  if (text === 'true' || text === 'false') return { is: 'literal', value: text === 'true', at, end }
  return text === 'null' ? { is: 'literal', value: null, at, end } : { is: 'word', word: text, at, end }
}

function pathOf(path: string, { at, end }: { at: number; end: number }): Node {
  if (isPath(path)) return { is: 'path', path, at, end }
  throw new Slip(`'${path}' is not a path: paths start with ${ROOTS.join(', ')}`, at, BLANKS)
}

const isToday = (node: Node | Word): boolean => node.is === 'word' && node.word === 'today'

/** Used where a bare word is a path, or `today`. */
function strict(node: Node | Word): Node {
  if (isToday(node)) return { is: 'call', name: 'today', args: [], at: node.at, end: node.end }
  return node.is === 'word' ? pathOf(node.word, node) : node
}

/** Used where a bare word is a text, unless it is a path with a dot. */
function loose(node: Node | Word): Node {
  if (node.is !== 'word') return node
  const { word, at, end } = node
  return word.includes('.') && isPath(word)
    ? { is: 'path', path: word, at, end }
    : { is: 'literal', value: word, at, end }
}

function isPath(written: string): boolean {
  return PATH.test(written) && (ROOTS as readonly string[]).includes(written.split('.')[0] as string)
}

/** Whether it is a day: it is compared as one. */
export function isDay(node: Node): boolean {
  return node.is === 'shift' || (node.is === 'call' && node.name === 'today')
}

/** Whether it is a time of day: it is compared as one. */
export function isTimeOfDay(node: Node): boolean {
  return node.is === 'call' && node.name === 'time'
}

/** The node and all nodes within it. */
export function nodesOf(node: Node): Node[] {
  const nodes = [node]
  for (let i = 0; i < nodes.length; i++) nodes.push(...innerOf(nodes[i] as Node))
  return nodes
}

function innerOf(node: Node): Node[] {
  switch (node.is) {
    case 'arithmetic':
    case 'compare':
    case 'both':
      return [node.left, node.right]
    case 'among':
      return [node.of, ...node.among]
    case 'not':
    case 'minus':
      return [node.of]
    case 'shift':
      return [node.of, node.amount]
    case 'call':
      return node.args
    default:
      return []
  }
}

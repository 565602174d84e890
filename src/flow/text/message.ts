/** A text of a flow, compiled: ICU messages with dotted paths, and dates in the flow's zone. */
import { IntlMessageFormat } from 'intl-messageformat'
import { clusterAt, fewMarks, type Json } from '../../ussd/index.ts'
import { FlowFault, plainBlanks, showDate, showTime, type DateFormat } from '../../base/index.ts'
import { readPath, ROOTS, type Scope } from '../expression/index.ts'

/** How values are put in. */
export interface Filling {
  /** Characters that are left of each value; undefined: all. */
  valueMax?: number | undefined
  /** Line feeds in values stay; otherwise they become blanks, so that a value cannot forge a line of a menu. */
  lines?: boolean
}

export interface Message {
  /** Pure. Throws FlowFault if a number or a date is wanted where the value is none. */
  say: (scope: Scope, filling?: Filling) => string
  /** Paths of the values that it shows, and how. */
  slots: readonly Slot[]
}

export interface Slot {
  path: string
  as: 'value' | 'number' | 'date' | 'time' | 'choice'
  /** What a choice chooses among. */
  among?: string[]
}

export interface MessageStyle {
  locale: string
  zone: string
  dates: DateFormat
}

/** Compiles; answers a sentence about what is wrong with the text instead. */
export function compileMessage(text: string, style: MessageStyle): Message | string {
  if (!/[{}]/.test(text)) {
    const shown = plainBlanks(text)
    return { say: () => shown, slots: [] }
  }
  const { icu, slots } = numberSlots(text)
  try {
    const format = new IntlMessageFormat(icu, style.locale, NUMBER_STYLES, { ignoreTag: true })
    const wrong = complainOfRoots(slots) ?? complainOf(format.getAst() as Element[], slots)
    if (wrong !== undefined) return wrong
    return { say: (scope, filling) => fill({ format, slots, style }, scope, filling ?? {}), slots }
  } catch (error) {
    return `is not a valid message: ${sentenceOf(error)}`
  }
}

interface Compiled {
  format: IntlMessageFormat
  slots: Slot[]
  style: MessageStyle
}

/**
 * Of one value: what is longer is cut before it is looked through, wherever it comes from. The same as of a back end's
 * text.
 */
const VALUE_UNITS_MAX = 4_096
/** Of a text with its values: a hundred pages. */
const SAID_UNITS_MAX = 16_384

function fill({ format, slots, style }: Compiled, scope: Scope, filling: Filling): string {
  const values: Record<string, string | number | boolean> = {}
  slots.forEach((slot, i) => {
    values[`v${i}`] = show(slot, readPath(scope, slot.path), style, filling)
  })
  return plainBlanks(String(format.format(values)).slice(0, SAID_UNITS_MAX))
}

function show(slot: Slot, value: Json | undefined, style: MessageStyle, filling: Filling): string | number | boolean {
  if (slot.as === 'number') {
    const number = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : NaN
    if (Number.isNaN(number)) throw new FlowFault(`${slot.path} is not a number, but a text shows it as one`)
    return number
  }
  if (slot.as === 'date' || slot.as === 'time') {
    const shown = (slot.as === 'date' ? showDate : showTime)(value, style.zone, style.dates)
    if (shown === '') throw new FlowFault(`${slot.path} is not a date, but a text shows it as one`)
    return shown
  }
  if (slot.as === 'choice') return typeof value === 'boolean' ? String(value) : textOf(value)
  const { lines = false, valueMax = VALUE_UNITS_MAX } = filling
  // Of what is taken out, controls and marks, no text has three for each that stays.
  return cut(tidy(textOf(value).slice(0, Math.min(4 * valueMax, VALUE_UNITS_MAX)), lines), filling.valueMax)
}

function textOf(value: Json | undefined): string {
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value)
}

/** Values come from outside: no control characters, no broken surrogates, no forged lines. */
function tidy(value: string, lines: boolean): string {
  const kept = fewMarks(value.replace(UNSHOWN, ''))
  return lines ? kept : kept.replace(/\s+/g, (blanks) => (blanks.includes('\n') ? ' ' : blanks))
}

// eslint-disable-next-line no-control-regex
const UNSHOWN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\ufffd\p{Cs}]+/gu

function cut(value: string, max: number | undefined): string {
  return max === undefined || value.length <= max ? value : value.slice(0, clusterAt(value, max)).trimEnd()
}

/**
 * ICU has no dots in names of arguments, so each becomes a number; dates and times are formatted by us, so they become
 * plain arguments.
 */
function numberSlots(text: string): { icu: string; slots: Slot[] } {
  const slots: Slot[] = []
  const place = (path: string, as: Slot['as']) => {
    const known = slots.findIndex((slot) => slot.path === path && slot.as === as)
    return `v${known >= 0 ? known : slots.push({ path, as }) - 1}`
  }
  return { icu: rewrite({ text, at: 0, place }), slots }
}

interface Scan {
  text: string
  at: number
  /** The argument that a path becomes. */
  place: (path: string, as: Slot['as']) => string
}

const ARGUMENT = /\{\s*([a-z][A-Za-z0-9_.-]*)\s*(\}|,\s*(\w+)\s*(?=[,}]))/y

/** A message up to its end, or up to the brace that closes the clause that it is. What is malformed stays as it is. */
function rewrite(scan: Scan, nested = false): string {
  let out = ''
  while (scan.at < scan.text.length) {
    const character = scan.text.charAt(scan.at)
    if (nested && character === '}') break
    const taken = character === "'" ? quoted(scan) : character === '{' ? argument(scan) : character
    out += taken
    if (taken === character) scan.at++
  }
  return out
}

/** What an apostrophe starts: a quoted brace or sign, or nothing but itself. Two are one that quotes nothing. */
function quoted(scan: Scan): string {
  if (scan.text.startsWith("''", scan.at)) return ((scan.at += 2), "''")
  const closes = /^'[{}#|]/.test(scan.text.slice(scan.at, scan.at + 2)) ? scan.text.indexOf("'", scan.at + 1) : -1
  if (closes < 0) return "'"
  const whole = scan.text.slice(scan.at, closes + 1)
  scan.at = closes + 1
  return whole
}

function argument(scan: Scan): string {
  ARGUMENT.lastIndex = scan.at
  const [whole, path = '', , kind] = ARGUMENT.exec(scan.text) ?? []
  if (whole === undefined) return '{'
  scan.at += whole.length
  if (kind === undefined) return `{${scan.place(path, 'value')}}`
  const next = scan.text.charAt(scan.at)
  if ((kind === 'date' || kind === 'time') && next === '}') {
    scan.at++
    return `{${scan.place(path, kind)}}`
  }
  const counts = kind === 'plural' || kind === 'selectordinal'
  const open = `{${scan.place(path, counts || kind === 'number' ? 'number' : 'choice')}, ${kind}`
  return open + (counts || kind === 'select' ? clauses(scan) : upTo(scan, '}'))
}

function upTo(scan: Scan, end: string): string {
  const found = scan.text.indexOf(end, scan.at)
  const until = found < 0 ? scan.text.length : found + end.length
  const taken = scan.text.slice(scan.at, until)
  scan.at = until
  return taken
}

/** The clauses of a plural or select: `one {message} other {message}`, and the brace that closes them. */
function clauses(scan: Scan): string {
  let out = ''
  while (scan.at < scan.text.length) {
    const character = scan.text.charAt(scan.at++)
    out += character
    if (character === '}') break
    if (character === '{') {
      out += rewrite(scan, true)
      out += scan.text.charAt(scan.at++)
    }
  }
  return out
}

/** Beside `integer`, `percent` and ICU skeletons such as `::.0`: two decimals, no sign of a currency. */
const NUMBER_STYLES = { number: { money: { minimumFractionDigits: 2, maximumFractionDigits: 2 } } } as const

const KNOWN_STYLES = ['integer', 'percent', 'money']

/** What of intl-messageformat's syntax tree is looked at. */
interface Element {
  type: number
  value?: unknown
  style?: unknown
  options?: Record<string, { value: Element[] }>
}

const NUMBER = 2
const DATE = 3
const TIME = 4
const SELECT = 5

function complainOfRoots(slots: Slot[]): string | undefined {
  const strange = slots.find((slot) => !(ROOTS as readonly string[]).includes(slot.path.split('.')[0] as string))
  return strange && `shows '${strange.path}', but paths start with ${ROOTS.join(', ')}`
}

/** Also takes down what each choice chooses among. */
function complainOf(elements: Element[], slots: Slot[]): string | undefined {
  for (const { type, value, style, options } of elements) {
    if (type === NUMBER && typeof style === 'string' && !KNOWN_STYLES.includes(style)) {
      return `has a number in the style '${style}', but the styles are ${KNOWN_STYLES.join(', ')}`
    }
    if (type === DATE || type === TIME)
      return 'has a date with a style: write {path, date} or {path, time}, and set the patterns in formats:'
    if ((type === 1 || type === NUMBER) && !/^v\d+$/.test(String(value)))
      return `shows '${String(value)}', which is not a path`
    const chosen = type === SELECT ? slots[Number(String(value).slice(1))] : undefined
    if (chosen) chosen.among = [...new Set([...(chosen.among ?? []), ...Object.keys(options ?? {})])]
    for (const option of Object.values(options ?? {})) {
      const wrong = complainOf(option.value, slots)
      if (wrong !== undefined) return wrong
    }
  }
  return undefined
}

const SENTENCES: Record<string, string> = {
  EXPECT_ARGUMENT_CLOSING_BRACE: 'a { is not closed',
  EMPTY_ARGUMENT: '{} is empty',
  MALFORMED_ARGUMENT: 'the words between { and } are not a path',
  INVALID_ARGUMENT_TYPE: 'after the comma, write number, date, time, plural or select',
  MISSING_OTHER_CLAUSE: "plural and select need an 'other {…}'",
  UNMATCHED_CLOSING_TAG: 'a } has no {',
}

function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return SENTENCES[message] ?? message.toLowerCase().replaceAll('_', ' ')
}

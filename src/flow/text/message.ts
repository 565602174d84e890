/** A compiled text of a flow: ICU messages with dotted paths, and dates in the flow's zone. */
import { type Formatters, IntlMessageFormat } from 'intl-messageformat'
import { clusterAt, directedValue, fewMarks, isPrintableAscii, type Json } from '../../ussd/index.ts'
import { FlowFault, plainBlanks, remembered, showDate, showTime, type DateFormat } from '../../base/index.ts'
import { readPath, ROOTS, type Scope } from '../expression/index.ts'

/** How values are filled in. */
export interface Filling {
  /** How many characters are left of each value. Undefined: all. */
  valueMax?: number | undefined
  /** Keep line feeds in values. Otherwise they become blanks, so that a value cannot forge a line of a menu. */
  lines?: boolean
}

export interface Message {
  /** Pure. Throws FlowFault if the text needs a number or a date and the value is neither. */
  say: (scope: Scope, filling?: Filling) => string
  /** The paths of the values that it shows, and how it shows them. */
  slots: readonly Slot[]
}

export interface Slot {
  path: string
  as: 'value' | 'number' | 'date' | 'time' | 'choice'
  /** The options of a choice. */
  among?: string[]
}

export interface MessageStyle {
  locale: string
  zone: string
  dates: DateFormat
  /** The text is written from right to left. */
  isRtl?: boolean
  /** The bound of an input that a path quotes. Null: there is none. Undefined: the path names something else. */
  bound?: (path: string) => number | null | undefined
}

/** Compiles a text, or returns a sentence about what is wrong with it. */
export function compileMessage(text: string, style: MessageStyle): Message | string {
  if (!/[{}]/.test(text)) {
    const shown = plainBlanks(text, style.isRtl)
    return { say: () => shown, slots: [] }
  }
  const { icu, slots } = numberSlots(text)
  try {
    const format = new IntlMessageFormat(icu, style.locale, NUMBER_STYLES, { ignoreTag: true, formatters })
    const wrong = complainOfRoots(slots) ?? complainOf(format.getAst() as Element[], slots)
    if (wrong !== undefined) return wrong
    const bounds = new Map(slots.flatMap(({ path }) => boundOf(path, style)))
    const unbounded = [...bounds].find(([, bound]) => bound === null)
    if (unbounded) return `shows '${unbounded[0]}', but the input has no such bound`
    const compiled = { say: sayingOf(format, slots), slots, style, bounds }
    return {
      say: (scope, filling = WHOLE) => fill(compiled, scope, filling),
      slots: bounds.size === 0 ? slots : slots.filter(({ path }) => !bounds.has(path)),
    }
  } catch (error) {
    return `is not a valid message: ${sentenceOf(error)}`
  }
}

function boundOf(path: string, { bound }: MessageStyle): [string, number | null][] {
  const found = bound?.(path)
  return found === undefined ? [] : [[path, found]]
}

type Value = string | number | boolean

interface Compiled {
  /** The text with the value of each slot. */
  say: (values: readonly Value[]) => string
  slots: Slot[]
  style: MessageStyle
  /** Values that are known before: the bounds of inputs. */
  bounds: ReadonlyMap<string, number | null>
}

/**
 * The most units of one value: a longer value is cut before it is read, whatever its source. The same limit as for a
 * text of a back end.
 */
const VALUE_UNITS_MAX = 4_096
/** The most units of a text with its values: a hundred pages. */
const SAID_UNITS_MAX = 16_384

const WHOLE: Filling = {}

function fill({ say, slots, style, bounds }: Compiled, scope: Scope, filling: Filling): string {
  const values = slots.map((slot) =>
    slot.path === ROWS_SLOT
      ? (scope.rows ?? '')
      : show(slot, bounds.get(slot.path) ?? readPath(scope, slot.path), style, filling),
  )
  return plainBlanks(say(values).slice(0, SAID_UNITS_MAX), style.isRtl)
}

/** Most texts are words and values one after the other. ICU formats what has numbers and choices. */
function sayingOf(format: IntlMessageFormat, slots: readonly Slot[]): Compiled['say'] {
  const pieces = (format.getAst() as Element[]).map(({ type, value }) =>
    type === LITERAL ? String(value) : type === PLACE ? Number(String(value).slice(1)) : undefined,
  )
  if (!pieces.includes(undefined)) {
    return (values) => {
      let said = ''
      for (const piece of pieces) said += typeof piece === 'string' ? piece : String(values[piece!])
      return said
    }
  }
  return (values) => String(format.format(Object.fromEntries(slots.map((_, i) => [`v${i}`, values[i]]))))
}

/** Where the lines of the screen's `rows` stand. They are filled in before, each value of them on its own. */
export const ROWS_SLOT = 'rows'

function show(slot: Slot, value: Json | undefined, style: MessageStyle, filling: Filling): Value {
  if (slot.as === 'number') {
    const number = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : NaN
    if (Number.isNaN(number)) throw new FlowFault(`${slot.path} is not a number, but a text shows it as one`)
    return number
  }
  if (slot.as === 'date' || slot.as === 'time') {
    const shown = (slot.as === 'date' ? showDate : showTime)(value, style.zone, style.dates)
    if (shown === '') throw new FlowFault(`${slot.path} is not a date, but a text shows it as one`)
    return style.isRtl ? directedValue(shown) : shown
  }
  if (slot.as === 'choice') return typeof value === 'boolean' ? String(value) : textOf(value)
  const { lines = false, valueMax = VALUE_UNITS_MAX } = filling
  // At most three of four characters are removed (controls and marks), so four times the length is enough.
  const shown = cut(tidy(textOf(value).slice(0, Math.min(4 * valueMax, VALUE_UNITS_MAX)), lines), filling.valueMax)
  return style.isRtl ? directedValue(shown) : shown
}

function textOf(value: Json | undefined): string {
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value)
}

/** Values come from outside: removes control characters, overrides of direction, broken surrogates and forged lines. */
function tidy(value: string, lines: boolean): string {
  if (isPrintableAscii(value)) return value
  const kept = fewMarks(value.replace(UNSHOWN, ''))
  return lines ? kept : kept.replace(/\s+/g, (blanks) => (blanks.includes('\n') ? ' ' : blanks))
}

// eslint-disable-next-line no-control-regex
const UNSHOWN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffd\p{Cs}]+/gu

function cut(value: string, max: number | undefined): string {
  return max === undefined || value.length <= max ? value : value.slice(0, clusterAt(value, max)).trimEnd()
}

/**
 * ICU does not allow dots in argument names, so each path becomes a number. Dates and times are formatted here, so they
 * become plain arguments.
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
  /** The argument that replaces a path. */
  place: (path: string, as: Slot['as']) => string
}

const ARGUMENT = /\{\s*([a-z][A-Za-z0-9_.-]*)\s*(\}|,\s*(\w+)\s*(?=[,}]))/y

/** Rewrites a message up to its end, or up to the brace that closes its clause. Malformed text stays as it is. */
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

/**
 * What an apostrophe begins: a quoted brace or sign, or only itself. Two apostrophes are one apostrophe and quote
 * nothing.
 */
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

/** The clauses of a plural or select, `one {message} other {message}`, and the brace that closes them. */
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

/** Besides `integer`, `percent` and ICU skeletons such as `::.0`: two decimals, without a currency sign. */
const NUMBER_STYLES = { number: { money: { minimumFractionDigits: 2, maximumFractionDigits: 2 } } } as const

const KNOWN_STYLES = ['integer', 'percent', 'money']

/** The most formats that are shared: some styles in each language. One for each text takes 50 µs and 2 kB each. */
const FORMATS_MAX = 500
const numberFormats = remembered<Intl.NumberFormat>(FORMATS_MAX)
const pluralRules = remembered<Intl.PluralRules>(FORMATS_MAX)
const dateFormats = remembered<Intl.DateTimeFormat>(FORMATS_MAX)

/** What all texts are formatted with. */
const formatters: Formatters = {
  getNumberFormat: (locale, style) =>
    numberFormats(formatKey(locale, style), () => new Intl.NumberFormat(locale, style)),
  getPluralRules: (locale, style) => pluralRules(formatKey(locale, style), () => new Intl.PluralRules(locale, style)),
  getDateTimeFormat: (locale, style) =>
    dateFormats(formatKey(locale, style), () => new Intl.DateTimeFormat(locale, style)),
}

const STYLE_KEYS = new WeakMap<object, string>()

/** A text asks for its style by the same object each time. */
function formatKey(locale: Intl.LocalesArgument, style: object | undefined): string {
  if (style === undefined) return String(locale)
  const known = STYLE_KEYS.get(style) ?? JSON.stringify(style)
  STYLE_KEYS.set(style, known)
  return `${String(locale)} ${known}`
}

/** The parts of intl-messageformat's syntax tree that are read here. */
interface Element {
  type: number
  value?: unknown
  style?: unknown
  options?: Record<string, { value: Element[] }>
}

const LITERAL = 0
/** The place of a value, `{v0}`. */
const PLACE = 1
const NUMBER = 2
const DATE = 3
const TIME = 4
const SELECT = 5

function complainOfRoots(slots: Slot[]): string | undefined {
  const strange = slots.find(
    ({ path, as }) =>
      !(path === ROWS_SLOT && as === 'value') && !(ROOTS as readonly string[]).includes(path.split('.')[0] as string),
  )
  return strange && `shows '${strange.path}', but paths start with ${ROOTS.join(', ')}`
}

/** Also records the options of each choice. */
function complainOf(elements: Element[], slots: Slot[]): string | undefined {
  for (const { type, value, style, options } of elements) {
    if (type === NUMBER && typeof style === 'string' && !KNOWN_STYLES.includes(style)) {
      return `has a number in the style '${style}', but the styles are ${KNOWN_STYLES.join(', ')}`
    }
    if (type === DATE || type === TIME)
      return 'has a date with a style: write {path, date} or {path, time}, and set the patterns in formats:'
    if ((type === PLACE || type === NUMBER) && !/^v\d+$/.test(String(value)))
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

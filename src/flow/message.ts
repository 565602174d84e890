/** A text of a flow, compiled: ICU messages with dotted paths, and dates in the flow's zone. */
import { IntlMessageFormat } from 'intl-messageformat'
import { FlowFault } from '../errors.ts'
import type { Json } from '../ussd/types.ts'
import { plain, showDate, showTime, type DateFormat } from './dates.ts'
import { readPath, ROOTS, type Scope } from './path.ts'

/** How values are put in. */
export interface Filling {
  /** Characters that are left of each value; undefined: all. */
  valueMax?: number
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
    const shown = plain(text)
    return { say: () => shown, slots: [] }
  }
  const { icu, slots } = numberSlots(text)
  try {
    const format = new IntlMessageFormat(icu, style.locale, NUMBER_STYLES, { ignoreTag: true })
    const wrong = complainOfRoots(slots) ?? complainOf(format.getAst() as Element[], slots)
    if (wrong !== undefined) return wrong
    return { say: (scope, filling) => fill({ format, slots, style }, scope, filling ?? {}), slots }
  } catch (error) {
    return `is no message: ${sentenceOf(error)}`
  }
}

interface Compiled {
  format: IntlMessageFormat
  slots: Slot[]
  style: MessageStyle
}

function fill({ format, slots, style }: Compiled, scope: Scope, filling: Filling): string {
  const values: Record<string, string | number | boolean> = {}
  slots.forEach((slot, i) => {
    values[`v${i}`] = show(slot, readPath(scope, slot.path), style, filling)
  })
  return plain(String(format.format(values)))
}

function show(
  slot: Slot,
  value: Json | undefined,
  style: MessageStyle,
  filling: Filling,
): string | number | boolean {
  if (slot.as === 'number') {
    const number = typeof value === 'boolean' || value === '' || value === null ? Number.NaN : Number(value)
    if (Number.isNaN(number)) throw new FlowFault(`${slot.path} is no number, but a text shows it as one`)
    return number
  }
  if (slot.as === 'date' || slot.as === 'time') {
    const shown = (slot.as === 'date' ? showDate : showTime)(value, style.zone, style.dates)
    if (shown === '') throw new FlowFault(`${slot.path} is no date, but a text shows it as one`)
    return shown
  }
  if (slot.as === 'choice') return typeof value === 'boolean' ? String(value) : textOf(value)
  return cut(tidy(textOf(value), filling.lines ?? false), filling.valueMax)
}

function textOf(value: Json | undefined): string {
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value)
}

/** Values come from outside: no control characters, no broken surrogates, no forged lines. */
function tidy(value: string, lines: boolean): string {
  // eslint-disable-next-line no-control-regex
  const kept = value.replace(/\p{Cs}/gu, '').replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\ufffd]/g, '')
  return lines ? kept : kept.replace(/\s*\n\s*/g, ' ')
}

const CLUSTERS = new Intl.Segmenter('und', { granularity: 'grapheme' })

function cut(value: string, max: number | undefined): string {
  if (max === undefined || value.length <= max) return value
  let out = ''
  for (const { segment } of CLUSTERS.segment(value)) {
    if (out.length + segment.length > max) break
    out += segment
  }
  return out.trimEnd()
}

const SLOT = /(?<!')\{\s*([a-z][A-Za-z0-9_.-]*)\s*(?:\}|,\s*(\w+)\s*(?=([,}])))/g

/**
 * ICU has no dots in names of arguments, so each becomes a number; dates and times are formatted by us, so they become
 * plain arguments.
 */
function numberSlots(text: string): { icu: string; slots: Slot[] } {
  const slots: Slot[] = []
  const place = (path: string, as: Slot['as']) => {
    const known = slots.findIndex((slot) => slot.path === path && slot.as === as)
    return known >= 0 ? known : slots.push({ path, as }) - 1
  }
  const icu = text.replace(
    SLOT,
    (_whole: string, path: string, kind: string | undefined, next: string | undefined) => {
      if (kind === undefined) return `{v${place(path, 'value')}}`
      if ((kind === 'date' || kind === 'time') && next === '}') return `{v${place(path, kind)}`
      const as = kind === 'number' || kind === 'plural' || kind === 'selectordinal' ? 'number' : 'choice'
      return `{v${place(path, as)}, ${kind}`
    },
  )
  return { icu, slots }
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
  const strange = slots.find(
    (slot) => !(ROOTS as readonly string[]).includes(slot.path.split('.')[0] as string),
  )
  return strange && `shows '${strange.path}', but a path starts with ${ROOTS.join(', ')}`
}

/** Also takes down what each choice chooses among. */
function complainOf(elements: Element[], slots: Slot[]): string | undefined {
  for (const { type, value, style, options } of elements) {
    if (type === NUMBER && typeof style === 'string' && !KNOWN_STYLES.includes(style)) {
      return `has a number in a style '${style}', which is none of ${KNOWN_STYLES.join(', ')}`
    }
    if (type === DATE || type === TIME)
      return 'has a date with a style: write {path, date} or {path, time}; the patterns are in formats'
    if ((type === 1 || type === NUMBER) && !/^v\d+$/.test(String(value)))
      return `shows '${String(value)}', which is no path`
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
  EXPECT_ARGUMENT_CLOSING_BRACE: 'a { is never closed',
  EMPTY_ARGUMENT: '{} is empty',
  MALFORMED_ARGUMENT: 'what is between { and } is no path',
  INVALID_ARGUMENT_TYPE: 'after the comma stands number, date, time, plural or select',
  MISSING_OTHER_CLAUSE: "plural and select need an 'other {…}'",
  UNMATCHED_CLOSING_TAG: 'a } has no {',
}

function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return SENTENCES[message] ?? message.toLowerCase().replaceAll('_', ' ')
}

/**
 * Pages: numbers the options and cuts them into pages, and looks up a pressed number on the page that was shown. No
 * other file knows the digits. All lengths are those of the encoded text.
 */
import type { DialogueContext, Shown } from '../../../machines/dialogue.ts'
import {
  type PageLimit,
  boundaryAt,
  count,
  directed,
  fit,
  fits,
  isRtl,
  longestPage,
  uncodableAt,
} from '../../ussd/index.ts'

/** A line with its values whole, or with each value cut to `valueMax` characters. */
export type LayoutLine = (valueMax?: number) => string

/** As many as there are, each made when it is asked for: a page shows a few of many. An array is one, too. */
export interface Many<One> {
  readonly length: number
  /** The first is 0. Undefined: there are not so many. */
  at(i: number): One | undefined
}

/** An option, without its number. */
export interface OptionLine {
  label: LayoutLine
}

/** What to show: a title and its options. A page is tried again and again with one more line: see `onceWhole`. */
export interface ScreenContent {
  /** Stands on its own line above the title, on the first page. */
  notice: string
  title: LayoutLine
  /** The title has lines of rows: a page of it ends with a line, if it has one. */
  lines?: boolean | undefined
  options: Many<OptionLine>
  /** Whether the first page also has a way back. */
  back: boolean
  /** A key leads back, so later pages need no line for it. */
  keyed?: boolean | undefined
  /** Something may be typed in place of a number. */
  isTyped?: boolean | undefined
  /** The last page ends the dialogue: nothing can be pressed on it. */
  closing?: boolean | undefined
  /** `wrong` replaces the title after a wrong answer. Pages with many options leave room for it. */
  words: { more: string; back: string; wrong?: string }
  limit: PageLimit
}

export interface Page {
  text: string
  /** How many options are on the page. */
  n: number
  more: boolean
  /** Where the next page starts. */
  next: [number, number]
}

/** Values are cut down to this length before options move to a second page. A shorter name says nothing. */
const VALUE_MIN = 10

/** The page that starts at this position. An option is cut only if it is too long for a page by itself. */
export function layPage(sheet: ScreenContent, at: Shown['at']): Page {
  const [from, first] = at.at(-1) ?? [0, 0]
  const paper = paperOf(sheet, { back: hasBack(sheet, at), first, from, single: at.length === 1 })
  return onOnePage(paper) ?? optionsPage(paper) ?? textPage(paper)
}

/** The page shown, with the same options under another first line. */
export function relay(sheet: ScreenContent, shown: Shown, heads: readonly string[]): string {
  const [from, first] = shown.at.at(-1) ?? [0, 0]
  const back = hasBack(sheet, shown.at)
  // A page within a long text has no title to replace, and its text is not shown again later.
  // A title alone, on which something may be typed, is told what was wrong like an input.
  const isBare = sheet.isTyped === true && sheet.options.length === 0 && from === 0 && !shown.more
  if (shown.n === 0 && !isBare && (shown.more || !back)) return layPage(sheet, shown.at).text
  const paper = paperOf(sheet, { back, first, from, single: false })
  const tail = body(paper, shown.n, shown.more)
  if (shown.n === 1 && !fits(tail, sheet.limit)) {
    const cut = [...heads, ''].map((head) => cutRow(paper, head, shown.more)).find((text) => text !== undefined)
    if (cut !== undefined) return cut
  }
  const whole = heads.find((head) => fits(joined(head, tail), sheet.limit))
  return whole === undefined ? topped(heads.at(-1) ?? '', tail, sheet.limit) : joined(whole, tail)
}

/** The same line; written whole, it is written once. */
export function onceWhole(line: LayoutLine): LayoutLine {
  let whole: string | undefined
  return (valueMax) => (valueMax === undefined ? (whole ??= line()) : line(valueMax))
}

/** What a number means on the page shown. Only a number in its printed form has a meaning. */
export function lookUp(
  shown: Shown,
  back: boolean,
  answer: string,
  keyed = false,
): { option: number } | 'more' | 'back' | undefined {
  if (!/^[1-9]\d{0,4}$/.test(answer)) return undefined
  const first = shown.at.at(-1)?.[1] ?? 0
  const behind = Number(answer) - 1 - first
  if (behind < 0) return undefined
  if (behind < shown.n) return { option: first + behind }
  const extra = behind - shown.n
  if (shown.more && extra === 0) return 'more'
  if (extra === (shown.more ? 1 : 0) && hasBack({ back, keyed }, shown.at)) return 'back'
  return undefined
}

function hasBack(sheet: Pick<ScreenContent, 'back' | 'keyed'>, at: Shown['at']): boolean {
  return sheet.back || (at.length > 1 && sheet.keyed !== true)
}

/** A line with a key of its own. */
export interface KeyedLine extends OptionLine {
  key: string
}

/** The lines with keys of their own, which stand under every page: at most half of it, else their values are cut. */
export function keyLines(lines: readonly KeyedLine[], limit: PageLimit): string[] {
  const half = halfOf(limit)
  const shown = (max?: number) => lines.map(({ key, label }) => `${key}. ${label(max)}`)
  const whole = shown()
  if (fits(whole.join('\n'), half)) return whole
  const max = longest(tried(whole.join('\n'), half), (length) => fits(shown(length).join('\n'), half))
  // The check refuses a screen whose lines alone are longer.
  return max === undefined ? fit(shown(1).join('\n'), half).split('\n') : shown(max)
}

const halfOf = (limit: PageLimit): PageLimit => ({
  ...limit,
  septets: Math.floor(limit.septets / 2),
  ucs2: Math.floor(limit.ucs2 / 2),
})

/** The page of this dialogue: in a right-to-left language, marks take room on it. */
export function pageFor({ page, language }: Pick<DialogueContext, 'page' | 'language'>): PageLimit {
  return isRtl(language) ? { ...page, isRtl: true } : page
}

/** The page that is left above the lines. One character outside GSM 7-bit makes the whole page UCS-2. */
export function roomAbove(lines: readonly string[], page: PageLimit): PageLimit {
  if (lines.length === 0) return page
  const plain = `\n${lines.join('\n')}`
  const under = page.isRtl ? directed(plain) : plain
  const ucs2 = page.ucs2 - under.length
  return { ...page, ucs2, septets: uncodableAt(under) < 0 ? page.septets - count(under, 'gsm7') : ucs2 }
}

/** A text that fits the limit. Its values are cut first, then the text itself. */
export function fitLine(line: LayoutLine, limit: PageLimit, before = ''): string {
  const whole = joined(before, line())
  if (fits(whole, limit)) return whole
  const max = longest(tried(line(), limit), (length) => fits(joined(before, line(length)), limit))
  return max === undefined ? fit(joined(before, line(1)), limit) : joined(before, line(max))
}

interface Paper extends ScreenContent {
  from: number
  first: number
  /** Whether it is the first page. */
  single: boolean
}

/** In one literal: what is added to a spread object takes many times its octets. */
function paperOf(
  sheet: ScreenContent,
  { back, first, from, single }: Omit<Paper, keyof ScreenContent> & HasBack,
): Paper {
  const { notice, title, lines, options, keyed, isTyped, closing, words, limit } = sheet
  return { notice, title, lines, options, back, keyed, isTyped, closing, words, limit, from, first, single }
}

type HasBack = Pick<ScreenContent, 'back'>

/** Everything that is left, on one page. Values of the title may be cut if that is enough. */
function onOnePage(paper: Paper): Page | undefined {
  const n = paper.options.length - paper.first
  // A line has at least four septets, so a list of a thousand rows is ruled out without writing them all.
  if (n * 4 > paper.limit.septets) return undefined
  const most = longestPage(paper.limit)
  const rows = paper.closing ? '' : rowsUpTo(paper, n, most)
  if (rows.length > most) return undefined
  const tail = paper.closing ? '' : joined(rows, endOf(paper, n, false))
  const done = (text: string): Page => ({ text, n, more: false, next: [paper.from, paper.first + n] })
  const head = headOf(paper)
  const whole = joined(head, tail)
  if (fits(whole, paper.limit)) return done(whole)
  if (paper.from > 0 || n === 0) return undefined
  const max = longest(tried(head, paper.limit), (length) => fits(joined(headOf(paper, length), tail), paper.limit))
  return max !== undefined && max >= VALUE_MIN ? done(joined(headOf(paper, max), tail)) : undefined
}

/** As many options as fit on a page under the title, at least one; undefined if the title leaves no room. */
function optionsPage(paper: Paper): Page | undefined {
  const left = paper.options.length - paper.first
  if (left === 0) return undefined
  const head = pagedHead(paper)
  const more = left > 1
  if (!fits(joined(head, body(paper, 1, more)), paper.limit)) {
    const text = cutRow(paper, head, more)
    return text === undefined ? undefined : { text, n: 1, more, next: [paper.from, paper.first + 1] }
  }
  const { limit, words } = paper
  // Without words of its own the refusal of an answer takes no more room than the title.
  const { wrong } = words
  let n = 1
  let rows = rowOf(paper, 0)
  while (n < left - 1) {
    const longer = joined(rows, rowOf(paper, n))
    const tail = joined(longer, endOf(paper, n + 1, true))
    if (!fits(joined(head, tail), limit) || (wrong && !fits(joined(wrong, tail), limit))) break
    rows = longer
    n++
  }
  return { text: joined(head, joined(rows, endOf(paper, n, more))), n, more, next: [paper.from, paper.first + n] }
}

/** A row cut to this many characters still says something. */
const ROW_MIN = 16

/** For a single row that is too long: cuts its values, then the row. Undefined if too little of it would be left. */
function cutRow(paper: Paper, head: string, more: boolean): string | undefined {
  const { label } = paper.options.at(paper.first)!
  const paged = (shown: string) => joined(head, joined(numberedRow(paper, 0, shown), endOf(paper, 1, more)))
  const max = longest(tried(label(), paper.limit), (length) => fits(paged(label(length)), paper.limit))
  if (max !== undefined && max >= VALUE_MIN) return paged(label(max))
  const hard = label(VALUE_MIN)
  const cut = (length: number) => hard.slice(0, boundaryAt(hard, length))
  const room = longest(tried(hard, paper.limit), (length) => fits(paged(cut(length)), paper.limit)) ?? 0
  return room < Math.min(ROW_MIN, hard.length) && head !== '' ? undefined : paged(cut(room))
}

/** The title of a page that another page follows: at most half of the page, if cutting values achieves that. */
function pagedHead(paper: Paper): string {
  const half = halfOf(paper.limit)
  const whole = headOf(paper)
  if (fits(whole, half) || paper.from > 0) return whole
  const max = longest(tried(whole, half), (length) => fits(headOf(paper, length), half))
  return headOf(paper, Math.max(max ?? VALUE_MIN, VALUE_MIN))
}

/** A piece of a long text, with `More`. It ends at the end of a word. */
function textPage(paper: Paper): Page {
  const rest = headOf(paper)
  const tail = body(paper, 0, true)
  const room =
    longest(tried(rest, paper.limit), (length) =>
      fits(joined(rest.slice(0, boundaryAt(rest, length)).trimEnd(), tail), paper.limit),
    ) ?? 1
  const end = boundaryAt(rest, room) || room
  const blank = Math.max(rest.lastIndexOf(' ', end), rest.lastIndexOf('\n', end))
  const line = paper.lines ? rest.lastIndexOf('\n', end) : -1
  const cut = end >= rest.length ? end : line > 0 ? line : blank < end / 2 ? end : blank
  const skipped = /^\s*/.exec(rest.slice(cut))?.[0].length ?? 0
  return {
    text: joined(rest.slice(0, cut).trimEnd(), tail),
    n: 0,
    more: true,
    next: [paper.from + cut + skipped, 0],
  }
}

function headOf(paper: Paper, valueMax?: number): string {
  const title = paper.title(valueMax)
  const whole = paper.notice === '' || !(paper.single || paper.from > 0) ? title : joined(paper.notice, title)
  return whole.slice(paper.from)
}

/** The numbered lines of a page. */
function body(paper: Paper, n: number, more: boolean): string {
  return joined(rowsUpTo(paper, n, Infinity), endOf(paper, n, more))
}

/** The first `n` options. Once they are longer than `most`, the rest is not written. */
function rowsUpTo(paper: Paper, n: number, most: number): string {
  let rows = ''
  for (let i = 0; i < n && rows.length <= most; i++) rows = joined(rows, rowOf(paper, i))
  return rows
}

/** An option of the page, the first is 0. */
function rowOf(paper: Paper, i: number): string {
  return numberedRow(paper, i, paper.options.at(paper.first + i)!.label())
}

function numberedRow({ first }: Paper, i: number, shown: string): string {
  return `${first + i + 1}. ${shown}`
}

/** The lines under `n` options. */
function endOf({ first, words, back }: Paper, n: number, more: boolean): string {
  let number = first + n
  const next = more ? `${++number}. ${words.more}` : ''
  return back ? joined(next, `${++number}. ${words.back}`) : next
}

function joined(head: string, tail: string): string {
  return head === '' ? tail : tail === '' ? head : `${head}\n${tail}`
}

function topped(head: string, tail: string, limit: PageLimit): string {
  const room =
    longest(tried(head, limit), (length) => fits(joined(head.slice(0, boundaryAt(head, length)), tail), limit)) ?? 0
  return joined(head.slice(0, boundaryAt(head, room)).trimEnd(), tail)
}

/** How many lengths of a text need to be tried: a text longer than the longest page never fits. */
function tried(text: string, limit: PageLimit): number {
  return Math.min(text.length, longestPage(limit))
}

/**
 * The greatest number from 1 to `max` for which `good` holds, if it holds for all smaller ones; undefined if there is
 * none.
 */
function longest(max: number, good: (length: number) => boolean): number | undefined {
  let low = 0
  let high = max
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (good(middle)) low = middle
    else high = middle - 1
  }
  return low === 0 ? undefined : low
}

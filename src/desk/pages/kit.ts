/** Pieces that pages of the desk are made of: times, ages, figures, states, forms. */
import { html, raw } from 'hono/html'
import { remembered } from '../../base/index.ts'
import type { Words } from '../words/index.ts'

/** Markup that is complete: what came from outside is escaped in it. */
export type Markup = ReturnType<typeof html>

export { html, raw }

/** What every piece needs to say something. */
export interface Saying {
  words: Words
  nowMs: number
  /** Of the times that are shown beside UTC. */
  zone: string
}

const SECOND = 1_000
const UNITS: readonly [ms: number, name: string][] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [SECOND, 's'],
]

/** `3 h 20 min`: the two largest units. */
export function ageSaid(ms: number): string {
  const at = UNITS.findIndex(([unit]) => ms >= unit)
  if (at < 0) return '0 s'
  const [[unit, name], next] = [UNITS[at]!, UNITS[at + 1]]
  const rest = next ? Math.floor((ms % unit) / next[0]) : 0
  return `${Math.floor(ms / unit)} ${name}${rest > 0 ? ` ${rest} ${next![1]}` : ''}`
}

/** Zones change at a quarter of an hour, if at all. To ask for each moment would be most of the work of a long list. */
const QUARTER_MS = 900_000
/** Ten days of quarters: a list has fewer. */
const OFFSETS_MAX = 1_000
const offsets = remembered<number>(OFFSETS_MAX)

function offsetMs(atMs: number, zone: string): number {
  const quarter = Math.floor(atMs / QUARTER_MS)
  return offsets(`${quarter} ${zone}`, () => measuredOffsetMs(quarter * QUARTER_MS, zone))
}

const formats = new Map<string, Intl.DateTimeFormat>()

function measuredOffsetMs(atMs: number, zone: string): number {
  let format = formats.get(zone)
  if (!format) {
    const form = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const
    format = new Intl.DateTimeFormat('en-GB', { ...form, second: '2-digit', hourCycle: 'h23', timeZone: zone })
    formats.set(zone, format)
  }
  const of = Object.fromEntries(format.formatToParts(atMs).map(({ type, value }) => [type, value]))
  return Date.parse(`${of.year}-${of.month}-${of.day}T${of.hour}:${of.minute}:${of.second}Z`) - atMs
}

/** `2026-11-30T10:05:07`, as a clock there shows it. */
const shownThere = (atMs: number, zone: string) => new Date(atMs + offsetMs(atMs, zone)).toISOString()

export function dayOfZone(atMs: number, zone: string): string {
  return shownThere(atMs, zone).slice(0, 10)
}

export function clockOfZone(atMs: number, zone: string): string {
  return shownThere(atMs, zone).slice(11, 19)
}

/** Local time, and UTC beside it; the day only where it is another one than today. */
export function moment(at: number | string | Date | null | undefined, { nowMs, zone }: Saying): Markup {
  if (at === null || at === undefined || at === '') return html`<span class="none">–</span>`
  const date = new Date(at)
  const atMs = date.getTime()
  const isToday = dayOfZone(atMs, zone) === dayOfZone(nowMs, zone)
  const day = isToday ? '' : `${dayOfZone(atMs, zone)} `
  const iso = date.toISOString()
  return html`<time datetime="${iso}" title="${iso}">${day}${clockOfZone(atMs, zone)}${utcBeside(atMs, zone)}</time>`
}

/** Nothing where the zone is UTC itself. */
function utcBeside(atMs: number, zone: string): Markup | string {
  const utc = clockOfZone(atMs, 'UTC')
  return utc === clockOfZone(atMs, zone)
    ? html`<span class="utc">Z</span>`
    : html` <span class="utc">${utc.slice(0, 5)}Z</span>`
}

/** With the age beside it. */
export function since(at: string | number | undefined, saying: Saying): Markup {
  if (at === undefined) return html`<span class="none">–</span>`
  const age = ageSaid(Math.max(0, saying.nowMs - new Date(at).getTime()))
  return html`${moment(at, saying)} <span class="age">${age}</span>`
}

export function rate(value: number | undefined): string {
  return value === undefined ? '–' : value >= 100 ? String(Math.round(value)) : value.toFixed(1)
}

export type Tone = 'good' | 'warn' | 'bad' | 'quiet'

/** A state: a shape and a word, never a colour alone. */
export function badge(tone: Tone, word: string): Markup {
  return html`<span class="badge ${tone}">${word}</span>`
}

/** Of the last minutes: a line without axes, for the direction only; the figure stands beside it. */
export function sparkline(values: readonly number[], label: string): Markup {
  const [width, height] = [120, 28]
  const top = Math.max(...values, 1)
  const step = width / Math.max(values.length - 1, 1)
  const points = values.map(
    (value, n) => `${(n * step).toFixed(1)},${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`,
  )
  return html`<svg
    class="spark"
    viewBox="0 0 ${width} ${height}"
    preserveAspectRatio="none"
    role="img"
    aria-label="${label}"
  >
    <polyline points="${points.join(' ')}" />
  </svg>`
}

/** A form that changes something: behind its name, with what it does, and a reason that the audit keeps. */
export interface FormAct {
  action: string
  secret: string
  name: string
  what: string
  /** More fields. */
  fields?: Markup | Markup[]
  /** The reason is for the audit: asked for where somebody will want to know. */
  reason?: boolean
  danger?: boolean
}

export function act({ action, secret, name, what, fields, reason, danger }: FormAct, words: Words): Markup {
  return html`<details class="act${danger ? ' danger' : ''}">
    <summary class="button">${name}…</summary>
    <form method="post" action="${action}">
      <p>${what}</p>
      <input type="hidden" name="form" value="${secret}" />
      ${fields ?? ''}
      ${reason ? html`<label class="field">${words.act.reason} <input type="text" name="note" maxlength="200" required /></label>` : ''}
      <button type="submit" class="${danger ? 'bad' : 'primary'}">${words.act.go}</button>
    </form>
  </details>`
}

/** One column of a table: its head, and what a row has there. `num`: figures, set to the right. */
export interface Column<Row> {
  head: string
  of(row: Row): unknown
  num?: boolean
}

/** On a narrow screen each row is a card: every cell has its head with it. */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  none: string,
): Markup {
  if (rows.length === 0) return html`<p class="quiet">${none}</p>`
  const cell = ({ head, of, num }: Column<Row>, row: Row, n: number) =>
    n === 0
      ? html`<th scope="row" data-head="${head}"><div>${of(row)}</div></th>`
      : html`<td data-head="${head}" class="${num ? 'num' : ''}"><div>${of(row)}</div></td>`
  return html`<table>
    <caption class="visually-hidden">
      ${caption}
    </caption>
    <thead>
      <tr>
        ${columns.map(({ head, num }) => html`<th scope="col" class="${num ? 'num' : ''}">${head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            ${columns.map((column, n) => cell(column, row, n))}
          </tr>`,
      )}
    </tbody>
  </table>`
}

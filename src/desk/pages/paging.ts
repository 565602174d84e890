/** Lists by time: each has a range and a cursor, and no list counts its rows. */
import { html, type Markup, type Saying } from './kit.ts'

/** What a list was asked for. */
export interface PageAsked {
  fromMs: number
  untilMs: number
  /** The last row of the page before. */
  before: { atMs: number; id: string } | null
}

export interface Paged<Row> {
  /** Null: without an end on this side. */
  fromMs: number | null
  untilMs: number | null
  /** This is not the first page. */
  isLater: boolean
  /** The address of the list, without a query. */
  path: string
  /** What else is asked for: it stays on every page. */
  also?: Readonly<Record<string, string>>
  rows: readonly Row[]
  /** Where the next page begins. Null: there is none. */
  next: string | null
}

export const ROWS_SHOWN = 50
const CURSOR = /^(\d{1,15})_([\w:.@-]{1,100})$/

/** From the address: `from` and `until` as the browser writes them, in UTC; what is wrong is as if it were absent. */
export function pageAsked(query: (name: string) => string | undefined, nowMs: number, spanMs: number): PageAsked {
  const [from, until] = ['from', 'until'].map((name) => Date.parse(`${query(name) ?? ''}Z`))
  const [, at, id] = CURSOR.exec(query('before') ?? '') ?? []
  return {
    untilMs: Number.isNaN(until!) ? nowMs : until!,
    fromMs: Number.isNaN(from!) ? nowMs - spanMs : from!,
    before: at === undefined ? null : { atMs: Number(at), id: id! },
  }
}

/** `rows`: one more than is shown, if there are more. */
export function pagedRows<Row>(
  path: string,
  asked: PageAsked,
  rows: readonly Row[],
  keyOf: (row: Row) => { at: Date; id: string },
): Paged<Row> {
  const shown = rows.slice(0, ROWS_SHOWN)
  const last = shown.at(-1)
  const key = last && rows.length > ROWS_SHOWN ? keyOf(last) : undefined
  const { fromMs, untilMs, before } = asked
  const next = key ? `${key.at.getTime()}_${key.id}` : null
  return { fromMs, untilMs, isLater: before !== null, path, rows: shown, next }
}

const written = (ms: number) => new Date(ms).toISOString().slice(0, 16)

/** `order`: what lies behind the last row, and before the first one. Default: older and newer ones. */
export function pager<Row>(
  paged: Paged<Row>,
  { words, nowMs }: Saying,
  order: Pick<Saying['words']['time'], 'older' | 'newest'> = words.time,
): Markup {
  const { path, fromMs, untilMs, isLater, next, also = {} } = paged
  const asked = {
    ...also,
    ...(fromMs === null ? {} : { from: written(fromMs) }),
    ...(untilMs === null ? {} : { until: written(untilMs + 60_000) }),
  }
  const range = new URLSearchParams(asked).toString()
  const older =
    next === null ? '' : html`<a class="button" rel="next" href="${path}?${range}&before=${next}">${order.older}</a>`
  const newest = isLater ? html`<a class="button" href="${path}?${range}">${order.newest}</a>` : ''
  const field = (name: string, label: string, ms: number | null) =>
    html`<label class="field"
      ><span>${label}</span>
      <input type="datetime-local" name="${name}" value="${ms === null ? '' : written(Math.min(ms, nowMs + 60_000))}" />
      UTC</label
    >`
  const hidden = Object.entries(also).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  )
  return html`<form class="range" method="get" action="${path}">
    ${hidden}${field('from', words.time.from, fromMs)}${field('until', words.time.until, untilMs)}<button type="submit">
      ${words.time.show}</button
    >${newest}${older}
  </form>`
}

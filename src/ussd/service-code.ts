/** Service codes: what was dialled, in one form (`*384*1#`), and the flow that it opens. */

/** A code in its parts. */
export interface ServiceCode {
  /** `*123*2*2#` */
  code: string
  /** What precedes the first part: `*`, `#` or `*#`. */
  lead: string
  /** ['123', '2', '2'] */
  parts: readonly string[]
}

/** A row of the routing table. Other fields belong to the caller. */
export interface CodeRoute {
  /** `*123#`, `*123*2#`, or `*` for every code that no other row takes. */
  code: string
  /** The lines to which the row applies. Absent or empty: all lines. */
  lines?: readonly string[] | undefined
}

/** Nobody dials longer codes: a USSD string has at most 182 characters. */
export const CODE_LENGTH_MAX = 182

/** As nearly everybody dials. */
const PLAIN_CODE = /^\*\d+(?:\*\d+)*#$/
const CODE = /^[*#]{0,3}\d+(?:[*#]+\d+)*[*#]*$/

/**
 * Reads a dialled code in any form that people and gateways write: `*123#`, `123`, `*123`, `*123*2*2#`, ` * 123 # `,
 * `**123#`, `*123**2#`. Null for anything else.
 */
export function readCode(written: string): ServiceCode | null {
  if (written.length > SHORT_CHARS) return readAnew(written)
  let read = SHORT.get(written)
  if (read === undefined) {
    read = readAnew(written)
    if (SHORT.size >= SHORT_MAX) SHORT.clear()
    SHORT.set(written, read)
  }
  return read
}

/** Codes as services have them, of which each dial and each record has one: read once. */
const SHORT_CHARS = 10
const SHORT_MAX = 500
const SHORT = new Map<string, ServiceCode | null>()

function readAnew(written: string): ServiceCode | null {
  if (written.length > CODE_LENGTH_MAX) return null
  if (PLAIN_CODE.test(written)) return { code: written, lead: '*', parts: written.slice(1, -1).split('*') }
  const text = written.replace(/\s+/g, '')
  if (!CODE.test(text)) return null
  const start = /^[*#]*/.exec(text)?.[0] ?? ''
  const lead = (start.includes('*') || start === '' ? '*' : '') + (start.includes('#') ? '#' : '')
  const parts = text.split(/[*#]+/).filter((part) => part !== '')
  return { code: `${lead}${parts.join('*')}#`, lead, parts }
}

/** The canonical form of a code (`*123*2#`), or '' if it is not a code. */
export function normaliseCode(written: string): string {
  return readCode(written)?.code ?? ''
}

/**
 * The row for a dialled code on a line, and what was dialled behind the row's code. The longest code wins, compared
 * part by part (`*12#` is not the beginning of `*123#`). Of equal codes, a row that names the line wins over a row for
 * all lines.
 */
export function routeCode<Row extends CodeRoute>(
  routes: readonly Row[],
  code: string,
  line: string,
): { route: Row; dialled: string[] } | undefined {
  const dialled = readCode(code)
  let best: { row: Row; length: number; rank: number } | undefined
  for (const row of routes) {
    const length = dialled ? matchLength(row, dialled) : row.code === '*' ? 0 : -1
    const named = (row.lines?.length ?? 0) > 0
    if (length < 0 || (named && !row.lines?.includes(line))) continue
    const rank = length * 2 + (named ? 1 : 0)
    if (!best || rank > best.rank) best = { row, length, rank }
  }
  return best && { route: best.row, dialled: dialled?.parts.slice(best.length) ?? [] }
}

/** How many parts of a dialled code the longest matching row takes, on any line; 0 if no row matches. */
export function servedParts(routes: readonly CodeRoute[], dialled: ServiceCode): number {
  return routes.reduce((most, row) => Math.max(most, matchLength(row, dialled)), 0)
}

/** How many parts of the dialled code the row's code takes; -1 if it is not its beginning. */
function matchLength(route: CodeRoute, dialled: ServiceCode): number {
  if (route.code === '*') return 0
  const row = codeOf(route)
  if (!row || row.lead !== dialled.lead || row.parts.length > dialled.parts.length) return -1
  return row.parts.every((part, i) => part === dialled.parts[i]) ? row.parts.length : -1
}

/** The code of a row is read once. */
const CODES = new WeakMap<CodeRoute, { written: string; read: ServiceCode | null }>()

function codeOf(route: CodeRoute): ServiceCode | null {
  const known = CODES.get(route)
  if (known?.written === route.code) return known.read
  const read = readCode(route.code)
  CODES.set(route, { written: route.code, read })
  return read
}

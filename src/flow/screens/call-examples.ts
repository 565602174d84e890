/** Example outcomes of a call: answers made from what a flow reads of them, refusals, and failure. */
import type { Json, JsonObject } from '../../ussd/index.ts'
import { fieldChars, fieldTypeOf } from '../terms/index.ts'
import type { CallScreen } from './call.ts'
import {
  type CallExample,
  type ExampleDeps,
  type Examples,
  momentAt,
  type RowFields,
  sampleAt,
  valuesAt,
} from './examples.ts'
import { expectsOf, refusalExpects } from './expect.ts'
import { rowOf, type RowLengths, rowsTried, sized, wordOf } from './row-examples.ts'

/** Rows of a normal answer, of one that needs pages, and the most rows of a longest answer. */
const ROWS = { few: 3, many: 12, longest: 100 }
/**
 * The most characters of all rows of an answer. A hundred rows of a page each would make the exploration take many
 * seconds.
 */
const ROWS_CHARS_MAX = 5_000
/** The most answers that are tried for one call: each is a branch of the exploration. */
const OUTCOMES_MAX = 256

/** No example exceeds a `max` of `expect`. */
export const callExamples = (screen: CallScreen, deps: ExampleDeps): Examples => ({
  outcomes: () => outcomesOf(screen, deps),
  untried: () => untriedOf(screen, deps),
  hasLongest: hasBounds(screen),
})

function outcomesOf(screen: CallScreen, known: ExampleDeps): CallExample[] {
  const root = `data.${screen.as ?? known.name}`
  const longest = known.lengths === 'longest' && hasBounds(screen)
  const well = answerOf(root, screen, longest ? ROWS.longest : ROWS.few, known)
  const out: CallExample[] = [
    { event: { type: 'RESULT', data: well }, told: longest ? `${screen.call} at its longest` : '' },
  ]
  const say = (what: string, data: Json) =>
    void out.push({ event: { type: 'RESULT', data }, told: `${screen.call} says ${what}` })
  const lists = known.rowsUnder(root)
  if (lists.length > 0 || Object.values(screen.expect ?? {}).some((is) => typeOf(is) === 'rows')) {
    say('no rows', answerOf(root, screen, 0, known))
    say(`${ROWS.many} rows`, answerOf(root, screen, ROWS.many, known))
  }
  const single: CallExample[] = []
  for (const { from, fields, routed } of lists) {
    if (!routed) continue
    const under = from
      .slice(root.length + 1)
      .split('.')
      .filter(Boolean)
    const sizes = rowLengths(screen, from.slice(root.length + 1), known)
    for (const row of rowsTried(withTyped(fields, sizes), sizes)) {
      const data = put(structuredClone(well), under, [row])
      single.push({ event: { type: 'RESULT', data }, told: `${screen.call} says a row ${JSON.stringify(row)}` })
    }
  }
  // One field at a time, then two: a condition may only be evaluated if another one holds.
  const tried = triedIn(root, screen, known)
  for (const one of tried.slice(0, OUTCOMES_MAX)) say(saidOf(one), withField(well, one))
  for (const [i, one] of tried.entries()) {
    for (const other of tried.slice(i + 1).filter(({ field }) => field !== one.field)) {
      if (out.length >= OUTCOMES_MAX) break
      say(`${saidOf(one)}, ${saidOf(other)}`, withField(withField(well, one), other))
    }
  }
  const refusals = Object.keys(screen.refused ?? {}).flatMap((refusal) => refusalsOf(root, screen, refusal, known))
  const down: CallExample = { event: { type: 'FAILED', why: 'down' }, told: `${screen.call} is down` }
  return [...out.slice(0, OUTCOMES_MAX), ...single, ...refusals, down]
}

/** How many answers, with one value at which something may change or with two, are over `OUTCOMES_MAX`. */
function untriedOf(screen: CallScreen, known: ExampleDeps): number {
  const tried = triedIn(`data.${screen.as ?? known.name}`, screen, known)
  const fields = new Map<string, number>()
  for (const { field } of tried) fields.set(field, (fields.get(field) ?? 0) + 1)
  const same = [...fields.values()].reduce((sum, values) => sum + values ** 2, 0)
  return Math.max(0, tried.length + (tried.length ** 2 - same) / 2 - OUTCOMES_MAX)
}

/** Examples of the refusal: with the largest expected values, and with each value at which a result changes. */
function refusalsOf(root: string, screen: CallScreen, refusal: string, known: ExampleDeps): CallExample[] {
  const expect = refusalExpects(screen, refusal)
  const told = `${screen.call} refuses: ${refusal}`
  if (!expect) return [{ event: { type: 'REFUSED', refusal, data: null }, told }]
  const like = { ...screen, expect }
  const data = answerOf(root, like, ROWS.few, known)
  const others = triedIn(root, like, known).filter(({ field }) => Object.hasOwn(expect, field))
  return [
    { event: { type: 'REFUSED', refusal, data }, told },
    ...others.map((one): CallExample => ({
      event: { type: 'REFUSED', refusal, data: withField(data, one) },
      told: `${told}, ${saidOf(one)}`,
    })),
  ]
}

interface Tried {
  field: string
  value: Json
}

/** Values at which a result changes, within the bounds. */
function triedIn(root: string, screen: CallScreen, known: ExampleDeps): Tried[] {
  return pathsUnder(root, known).flatMap((path) => {
    const field = path.slice(root.length + 1)
    const values = field === '' ? [] : valuesAt(known.reads, path)
    return values
      .filter((value) => sizeOf(value) <= (boundOf(screen, field)?.max ?? Infinity))
      .map((value) => ({ field, value }))
  })
}

const saidOf = ({ field, value }: Tried) => `${field} is ${JSON.stringify(value)}`
const withField = (data: Json, { field, value }: Tried) => put(structuredClone(data), field.split('.'), value)

/** The size that a `max` limits. */
function sizeOf(value: Json): number {
  return typeof value === 'number' ? value : typeof value === 'string' ? value.length : 0
}

/** An answer with everything that the flow reads of it. */
function answerOf(root: string, screen: CallScreen, rows: number, known: ExampleDeps): Json {
  const { rowsUnder, reads, lengths } = known
  let data: Json = {}
  for (const [field, wanted] of Object.entries(screen.expect ?? {})) {
    const word = wordOf(field)
    const value = { text: word, number: 120, money: 120, boolean: true, rows: [], any: word, date: '' }[typeOf(wanted)]
    const shown = typeof value === 'string' ? sampleAt(`${root}.${field}`, reads, 1) : undefined
    const max = boundOf(screen, field)?.max
    const made = shown === undefined ? sized(value, max, lengths) : String(shown)
    data = put(data, [field], typeOf(wanted) === 'date' ? momentAt(1) : made)
  }
  for (const path of pathsUnder(root, known)) {
    const field = path.slice(root.length + 1)
    if (field === '' || field.endsWith('.count') || expectedAt(screen, field)) continue
    const tested = valuesAt(reads, path).find((value) => typeof value !== 'boolean')
    data = put(data, field.split('.'), sampleAt(path, reads, 1) ?? tested ?? wordOf(field))
  }
  const lists = rowsUnder(root)
  for (const { from, fields, stands } of lists) {
    const field = from.slice(root.length + 1)
    const sizes = { ...rowLengths(screen, field, known), stands }
    const room =
      ROWS_CHARS_MAX / Object.values(sizes.bounds).reduce<number>((sum, said) => sum + (fieldChars(said) ?? 0), 1)
    const length = Math.min(rows, boundOf(screen, field)?.max ?? ROWS.many, Math.ceil(room))
    const columns = withTyped(fields, sizes)
    const all = Array.from({ length }, (_, i) => rowOf(columns, sizes, i))
    data = field === '' ? all : put(data, field.split('.'), all)
  }
  return data
}

/** Also the columns that nobody reads, and that every row must have. */
function withTyped(fields: RowFields['fields'], { bounds }: RowLengths): RowFields['fields'] {
  const typed = Object.entries(bounds).flatMap(([name, said]) => (fieldTypeOf(said) === undefined ? [] : [name]))
  return new Map([...typed.map((name): [string, string[]] => [name, []]), ...fields])
}

function boundOf(
  screen: CallScreen,
  field: string,
): Exclude<NonNullable<CallScreen['expect']>[string], string> | undefined {
  const wanted = screen.expect?.[field]
  return typeof wanted === 'object' ? wanted : undefined
}

function rowLengths(screen: CallScreen, field: string, { reads, lengths }: ExampleDeps): RowLengths {
  return { reads, lengths, bounds: boundOf(screen, field)?.fields ?? {} }
}

/** Whether an answer may be longer than usual. */
function hasBounds(screen: CallScreen): boolean {
  const all = expectsOf(screen).flatMap((expect) => Object.values(expect))
  return all.some((wanted) => typeof wanted !== 'string' && (wanted.max ?? wanted.fields) !== undefined)
}

/** Whether the type of the field is declared. `any` may also be an object, depending on what is read of it. */
function expectedAt(screen: CallScreen, field: string): boolean {
  const wanted = screen.expect?.[field]
  return wanted !== undefined && typeOf(wanted) !== 'any'
}

function typeOf(wanted: NonNullable<CallScreen['expect']>[string]) {
  return typeof wanted === 'string' ? wanted : wanted.is
}

function pathsUnder(root: string, { reads, rowsUnder }: ExampleDeps): string[] {
  const lists = rowsUnder(root).map(({ from }) => from)
  return reads.pathsUnder(root).filter((path) => !lists.some((from) => path === from || path.startsWith(`${from}.`)))
}

function put(into: Json, path: readonly string[], value: Json): Json {
  const [key, ...rest] = path
  if (key === undefined) return value
  const block: JsonObject = into !== null && typeof into === 'object' && !Array.isArray(into) ? into : {}
  return { ...block, [key]: put(block[key] ?? null, rest, value) }
}

/** Checks that what a flow reads was set before: by a call, an input, a choice from a list, or `set`. */
import type { Complain } from './check.ts'
import { compileCondition, Slip, ROOTS, pathsOf } from '../expression/index.ts'
import {
  keepersAt,
  keptAt,
  kindOf,
  targetsOf,
  type FlowDefinition,
  type ScreenDefinition,
  type Text,
  usesOf,
  type FlowPlace,
} from '../language/index.ts'
import { compileIn, ROWS_SLOT, wordsIn } from '../text/index.ts'
import type { ReadFlow } from '../read/index.ts'
import { remedyAmong } from '../../base/index.ts'

/** The roots whose names a flow sets itself. */
const SET = ['data', 'answers', 'chosen', 'vars']

export function checkPaths(read: ReadFlow, complain: Complain): void {
  const { definition, at } = read
  const before = setBefore(definition)
  const ever = new Set(
    Object.entries(definition.screens).flatMap(([name, screen]) =>
      targetsOf(screen).flatMap(({ path }) => setOn(name, screen, path)),
    ),
  )
  checkRowsShown(read, complain)
  for (const { screen, place, path, inRow, inRows, asks } of readsByScreen(definition)) {
    const wrong = wrongPath(path, { ever, inRow, inRows, definition })
    if (wrong) {
      complain('error', { where: at(place), ...wrong, what: `screen '${screen}': ${wrong.what}` })
      continue
    }
    const key = setPathOf(path)
    const known = before.get(screen)
    if (!asks && key !== undefined && known && !known.has(key)) {
      const what = `screen '${screen}' reads '${path}', but some ways to this screen do not set it`
      complain('warning', {
        where: at(place),
        what,
        remedy: 'it is then empty, and a number or date in it ends the dialogue: set it on every way, or test it first',
      })
    }
  }
}

export interface Read {
  screen: string
  place: FlowPlace
  path: string
  /** Whether `row` has a meaning at this place. */
  inRow: boolean
  /** Whether `{rows}` has a meaning at this place. */
  inRows?: boolean
  /** The place tests whether the value exists, or is read elsewhere. Only a name that nothing sets is wrong then. */
  asks?: boolean
}

/** Everything that a flow reads, screen by screen. */
export function readsByScreen(definition: FlowDefinition): Read[] {
  const reads: Read[] = []
  const { texts, conditions, values } = usesOf(definition)
  for (const { screen, place, text, role } of texts) {
    const paths = definition.languages.flatMap((language) => {
      const words = wordsIn(definition, text, language)
      const message = words === undefined ? undefined : compileIn(definition, words, language)
      return typeof message === 'object' ? message.slots.map((slot) => slot.path) : []
    })
    // A notice is shown on the next screen: values that its way sets are known by then.
    const asks = role === 'notice'
    const inRows = showsRows(definition.screens[screen], text)
    for (const path of new Set(paths)) reads.push({ screen, place, path, inRow: role === 'row', inRows, asks })
  }
  for (const { screen, place, condition, inRow = false } of conditions) {
    const compiled = compileCondition(condition)
    // A condition may test whether a value exists. Only names that nothing sets are wrong.
    if (!(compiled instanceof Slip))
      for (const path of compiled.paths) reads.push({ screen, place, path, inRow, asks: true })
  }
  for (const { screen, place, value } of values) {
    for (const path of pathsOf(value)) reads.push({ screen, place, path, inRow: false })
  }
  for (const [screen, definitionOf] of Object.entries(definition.screens)) {
    const rows = kindOf(definitionOf).rows?.(definitionOf)
    if (!rows) continue
    // Where one may also type, rows need not be there.
    const asks = rows.stands !== undefined
    reads.push({ screen, place: ['screens', screen, rows.key], path: rows.from, inRow: false, asks })
    const at = ['screens', screen, ...(rows.text ? [rows.key] : []), 'sort']
    if (rows.sort !== undefined) reads.push({ screen, place: at, path: `row.${rows.sort}`, inRow: true })
  }
  return reads
}

/** Whether the rows of a screen stand in this text. */
function showsRows(screen: ScreenDefinition | undefined, text: Text): boolean {
  return screen !== undefined && kindOf(screen).rows?.(screen)?.text?.shows === text
}

/** Rows of which no text says where they stand. A translation without them is told elsewhere. */
function checkRowsShown({ definition, at }: ReadFlow, complain: Complain): void {
  for (const [name, screen] of Object.entries(definition.screens)) {
    const rows = kindOf(screen).rows?.(screen)
    if (!rows?.text) continue
    const words = wordsIn(definition, rows.text.shows, definition.languages[0] as string) ?? ''
    const message = compileIn(definition, words, definition.languages[0] as string)
    if (typeof message !== 'object' || message.slots.some(({ path }) => path === ROWS_SLOT)) continue
    const what = `screen '${name}' has rows, but its text does not show them`
    complain('error', { where: at(['screens', name, rows.key]), what, remedy: 'write {rows} where they stand' })
  }
}

interface Known {
  ever: ReadonlySet<string>
  inRow: boolean
  inRows: boolean | undefined
  definition: FlowDefinition
}

function wrongPath(
  path: string,
  { ever, inRow, inRows, definition }: Known,
): { what: string; remedy?: string } | undefined {
  const [root = '', name, field] = path.split('.')
  if (path === ROWS_SLOT)
    return inRows
      ? undefined
      : { what: '{rows} stands where a screen has rows', remedy: 'rows: { from: data.…, row: …, max: … }' }
  if (!(ROOTS as readonly string[]).includes(root))
    return { what: `'${path}' starts with an unknown name`, remedy: remedyAmong(root, ROOTS) }
  if (root === 'row')
    return inRow
      ? undefined
      : { what: `'${path}': 'row' exists only in the row text and the where of rows, and in a branch with over` }
  if (!SET.includes(root)) return name === undefined ? undefined : { what: `'${path}': ${root} has no fields` }
  if (name === undefined) return { what: `'${path}' needs a name after ${root}` }
  if (!ever.has(`${root}.${name}`)) {
    const others = [...ever].filter((key) => key.startsWith(`${root}.`)).map((key) => key.slice(root.length + 1))
    return { what: `nothing sets '${root}.${name}'`, remedy: remedyAmong(name, others) }
  }
  const keep = root === 'chosen' ? keptOf(definition, name) : undefined
  if (field === undefined || !keep || keep.includes(field)) return undefined
  return {
    what: `'${path}': the field ${field} of the chosen row is not kept`,
    remedy: `keep: [${[...keep, field].join(', ')}]`,
  }
}

/** The fields that all lists and branches keep under this name; undefined if one of them keeps all. */
function keptOf(definition: FlowDefinition, name: string): string[] | undefined {
  const lists = keepersAt(`chosen.${name}`, definition).map((list) => ('keep' in list ? list.keep : undefined))
  if (lists.length === 0 || lists.some((keep) => keep === undefined)) return undefined
  return (lists as string[][]).reduce((all, keep) => all.filter((field) => keep.includes(field)))
}

/** `data.balance` for `data.balance.amount`; undefined for a path that no flow sets. */
export function setPathOf(path: string): string | undefined {
  const [root = '', name] = path.split('.')
  return SET.includes(root) && name !== undefined ? `${root}.${name}` : undefined
}

/** What a screen sets on the way that the key at this path names. */
export function setOn(name: string, screen: ScreenDefinition, path: (string | number)[]): string[] {
  const { vars, keepsOn } = kindOf(screen)
  const set = vars?.(screen, path).flatMap((values) => Object.keys(values ?? {})) ?? []
  const kept = path[0] === 'to' || keepsOn?.(screen, path) ? keptAt(name, screen) : undefined
  return [...set.filter((key) => key !== 'language').map((key) => `vars.${key}`), ...(kept === undefined ? [] : [kept])]
}

/** For each screen that is reached: the names that are set on every way to it. */
export function setBefore(definition: FlowDefinition): Map<string, ReadonlySet<string>> {
  const before = new Map<string, ReadonlySet<string>>([[definition.start, new Set()]])
  const next = [definition.start]
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    const screen = definition.screens[name]
    if (!screen) continue
    for (const { to, path } of targetsOf(screen)) {
      const here = new Set([...(before.get(name) as ReadonlySet<string>), ...setOn(name, screen, path)])
      const known = before.get(to)
      const both = known ? new Set([...known].filter((key) => here.has(key))) : here
      if (known && both.size === known.size) continue
      before.set(to, both)
      next.push(to)
    }
  }
  return before
}

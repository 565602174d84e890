/**
 * Texts, values and conditions of a journey in the language of a flow. The back end is asked for what only Jinja can
 * compute.
 */
import type { Scalar } from '../../flow/language/index.ts'
import type { ConditionSource } from '../../flow/expression/index.ts'
import { operation, remark, resolve, type Carrying, type Locals } from './carrying.ts'
import { readJinja, type JinjaExpression } from './jinja.ts'
import type { JourneyScreen, JourneyNode } from './journey.ts'

/** One screen while it is imported. */
export interface ScreenDraft {
  carrying: Carrying
  screen: JourneyScreen
  name: string
  locals: Locals
}

/** Filters that change nothing in a comparison: its sides are compared as numbers and as texts. */
const PLAIN = new Set(['string', 'int', 'float', 'safe', 'trim'])
/** Both filters show two decimals. */
const MONEY = new Set(['format_number', 'format_currency'])

/** What such a filter leaves unchanged. Undefined for all other filters. */
function plainOf(read: JinjaExpression | undefined): JinjaExpression | undefined {
  return read?.is === 'filter' && !read.args && PLAIN.has(read.name) ? plainOf(read.of) : read
}

/** Makes the screen's operation compute it. Returns the path of the answer. */
function askBackEnd(draft: ScreenDraft, source: string, key: string, is: 'any' | 'boolean' = 'any'): string {
  const { carrying, screen, name } = draft
  const asked = operation(carrying, name, { where: screen.at(key), does: source })
  const field = `${is === 'boolean' ? 'holds' : 'value'}${asked.fields.size + 1}`
  asked.fields.set(field, is)
  const words = source.match(/[A-Za-z_]\w*/g) ?? []
  for (const word of words) {
    const found = carrying.keys.has(word) || word === 'phone_number' ? resolve([word], carrying) : undefined
    if (found && 'path' in found) asked.args[word] = `{${found.path}}`
  }
  const what = `'${source}' is too complex for a flow`
  remark(carrying, screen, key, {
    what,
    remedy: `${carrying.backend}.${name} must answer it as ${field}`,
    lost: false,
  })
  return `data.${name}.${field}`
}

/** A text; in several languages if the journey has it in several. */
export function journeyText(written: unknown, draft: ScreenDraft, key = 'text'): string | Record<string, string> {
  if (written === null || typeof written !== 'object') return filled(String(written ?? '').trim(), draft, key) || '-'
  const said = written as JourneyNode
  const other = said[String(said.default)] ?? Object.values(said)[0]
  return Object.fromEntries(
    draft.carrying.languages.map((language) => [
      language,
      filled(String(said[language] ?? other ?? '').trim(), draft, key) || '-',
    ]),
  )
}

function filled(text: string, draft: ScreenDraft, key: string): string {
  if (text.includes('{%')) return `{${askBackEnd(draft, text.replace(/\s+/g, ' '), key)}}`
  return text
    .split(/(\{\{.*?\}\})/s)
    .map((piece, i, all) => {
      const inner = /^\{\{(.*)\}\}$/s.exec(piece)?.[1]
      if (inner !== undefined) return slot(inner.trim(), draft, key)
      // An apostrophe before a brace would quote it; two apostrophes are one.
      return quoted(i < all.length - 1 ? piece.replace(/'$/, "''") : piece)
    })
    .join('')
}

/** Quotes braces. */
const quoted = (text: string) => text.replace(/[{}]+/g, "'$&'")

function slot(source: string, draft: ScreenDraft, key: string): string {
  const read = plainOf(readJinja(source))
  const money = read?.is === 'filter' && MONEY.has(read.name) ? read : undefined
  const value = plainOf(money ? money.of : read)
  const [currency] = money?.args ?? []
  const sign = currency?.is === 'value' ? `${quoted(String(currency.value))} ` : ''
  const found =
    value?.is === 'name'
      ? resolve(value.parts, draft.carrying, draft.locals)
      : value?.is === 'value'
        ? value
        : undefined
  if (found && 'path' in found && found.path === 'now') {
    const remedy = 'where the hour matters, let a back end answer it as a text'
    remark(draft.carrying, draft.screen, key, { what: `'now' is shown as a date`, remedy, lost: false })
  }
  if (found && 'path' in found)
    return `${sign}{${found.path}${found.path === 'now' ? ', date' : money ? ', number, money' : ''}}`
  if (found && (found.value === null || typeof found.value !== 'object'))
    return `${sign}${quoted(money ? moneyOf(Number(found.value)) : String(found.value ?? ''))}`
  if (!('item' in draft.locals)) return `{${askBackEnd(draft, source, key)}}`
  const remedy = 'let the back end answer it as a field of each row, and show that field'
  remark(draft.carrying, draft.screen, key, {
    what: `'${source}' of a row is too complex for a flow`,
    remedy,
    lost: true,
  })
  return '...'
}

const moneyOf = (value: number) => value.toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ',')

/** A value for `set` or `with`. Undefined if it is more than a value. */
export function valueIn(written: unknown, { carrying, locals }: ScreenDraft): Scalar | undefined {
  if (written === null || typeof written === 'number' || typeof written === 'boolean') return written
  if (typeof written !== 'string' || written.includes('{%')) return undefined
  const pieces = written.split(/(\{\{.*?\}\})/s).filter((piece) => piece !== '')
  const values = pieces.map((piece): Scalar | undefined => {
    const inner = /^\{\{(.*)\}\}$/s.exec(piece)?.[1]
    if (inner === undefined) return piece
    const plain = plainOf(readJinja(inner))
    const found =
      plain?.is === 'name' ? resolve(plain.parts, carrying, locals) : plain?.is === 'value' ? plain : undefined
    if (!found) return undefined
    return 'path' in found ? `{${found.path}}` : typeof found.value === 'object' ? undefined : (found.value as Scalar)
  })
  if (values.length === 1) return values[0]
  return values.includes(undefined) ? undefined : values.join('')
}

/** A condition, or true or false if it never changes. The back end is asked for anything beyond a condition. */
export function conditionOf(written: unknown, draft: ScreenDraft, key: string): ConditionSource | boolean {
  const source = String(written)
    .trim()
    .replace(/^\{\{(.*)\}\}$/s, '$1')
    .trim()
  const read = readJinja(source)
  const found = read && conditionIn(read, draft)
  return found ?? askBackEnd(draft, source, key, 'boolean')
}

/** The same, or undefined. Asks no back end. */
export function conditionIn(read: JinjaExpression, draft: ScreenDraft): ConditionSource | boolean | undefined {
  if (read.is === 'not') {
    const of = conditionIn(read.of, draft)
    return typeof of === 'boolean' ? !of : of && { not: of }
  }
  if (read.is === 'value') return Boolean(read.value)
  if (read.is === 'list') return undefined
  if (read.is !== 'pair') return sideOf(read, draft)?.path
  if (read.operator === 'and' || read.operator === 'or') return joined(read.operator, read.left, read.right, draft)
  return compared(read, draft)
}

function joined(
  operator: 'and' | 'or',
  left: JinjaExpression,
  right: JinjaExpression,
  draft: ScreenDraft,
): ConditionSource | boolean | undefined {
  const [one, other] = [conditionIn(left, draft), conditionIn(right, draft)]
  if (one === undefined || other === undefined) return undefined
  const decides = operator === 'or'
  if (one === decides || other === decides) return decides
  if (typeof one === 'boolean') return other
  if (typeof other === 'boolean') return one
  return operator === 'and' ? { and: [one, other] } : { or: [one, other] }
}

const TURNED: Record<string, string> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' }

function compared(
  { operator, left, right }: JinjaExpression & { is: 'pair' },
  draft: ScreenDraft,
): ConditionSource | boolean | undefined {
  if (operator === 'in') {
    const path = sideOf(left, draft)?.path
    const among = right.is === 'list' ? right.items.map((item) => sideOf(item, draft)?.written) : []
    const fits = path !== undefined && among.length > 0 && among.every((one) => one !== undefined && !one.includes(','))
    return fits ? `${path} in [${among.join(', ')}]` : undefined
  }
  const [one, other] = [sideOf(left, draft), sideOf(right, draft)]
  if (one?.written === undefined || other?.written === undefined) return undefined
  if (one.path !== undefined) return `${one.path} ${operator} ${other.written}`
  if (other.path !== undefined) return `${other.path} ${TURNED[operator] ?? operator} ${one.written}`
  const same = one.written === other.written
  return operator === '==' ? same : operator === '!=' ? !same : undefined
}

/** One side of a comparison: a path, or a value in the form of a condition. */
function sideOf(side: JinjaExpression, draft: ScreenDraft): { path?: string; written: string | undefined } | undefined {
  if (side.is === 'filter' && side.name === 'length' && !side.args) {
    const of = sideOf(side.of, draft)
    return of?.path === undefined ? undefined : { path: `${of.path}.count`, written: `{${of.path}.count}` }
  }
  if (side.is === 'filter') return PLAIN.has(side.name) && !side.args ? sideOf(side.of, draft) : undefined
  const found =
    side.is === 'name' ? resolve(side.parts, draft.carrying, draft.locals) : side.is === 'value' ? side : undefined
  if (!found) return undefined
  return 'path' in found ? { path: found.path, written: `{${found.path}}` } : { written: literal(found.value) }
}

function literal(value: unknown): string | undefined {
  if (typeof value !== 'string') return typeof value === 'object' && value !== null ? undefined : String(value)
  return !value.includes("'") ? `'${value}'` : value.includes('"') ? undefined : `"${value}"`
}

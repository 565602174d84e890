/** Rewrites a screen of a part for the flow that uses it: names, paths and texts. */
import {
  type ExpectedType,
  type Scalar,
  type Text,
  type WrittenScreen,
  targetsOf,
  type Yaml,
  keepsUnder,
  usesOf,
  type FlowPlace,
} from '../language/index.ts'
import { isExpression } from '../expression/index.ts'

/** The file of a flow or of a part, with its catalogues. */
export interface Module {
  name: string
  file: string
  yaml: Yaml
  /** The first language is the one in which its texts are written. */
  languages: readonly string[]
  start?: string | undefined
  /** The parameters: name → type. */
  takes: Readonly<Record<string, ExpectedType>>
  include: readonly string[]
  texts: Record<string, Record<string, string>>
  screens: Record<string, WrittenScreen>
  /** Keyed by language and text. */
  catalogues: Record<string, Record<string, string>>
  /** This is the flow itself: its texts stay as written. */
  root: boolean
}

export interface Renaming {
  module: Module
  /** '' or `pay_`: the prefix of the names of screens and of what they set. */
  prefix: string
  /** The languages of the flow. */
  languages: readonly string[]
}

/** The renamed screen. Targets, texts and reads are found with the same lists that the check uses. */
export function inPart(name: string, screen: WrittenScreen, renaming: Renaming): WrittenScreen {
  const { module, prefix } = renaming
  if (module.root && prefix === '') return screen
  const out = structuredClone(screen)
  const { texts, conditions, values } = usesOf({ screens: { [name]: screen } })
  for (const { place, text } of texts) put(out, place, saidIn(text, renaming))
  for (const { place, condition } of conditions)
    put(
      out,
      place,
      mapped(condition, (written) => renamedIn(written, prefix)),
    )
  for (const { place, value } of values) put(out, place, renamedValue(value, prefix))
  for (const { to, path } of targetsOf(screen)) put(out, ['screens', name, ...path], prefix + to)
  if (prefix !== '') renameSet(name, out, prefix)
  return out
}

/** Renames what the screen sets, so that each call has its own names. */
function renameSet(name: string, screen: WrittenScreen, prefix: string): void {
  const keyed = (block: Record<string, Scalar> | undefined) =>
    block &&
    Object.fromEntries(Object.entries(block).map(([key, value]) => [key === 'language' ? key : prefix + key, value]))
  type Sets = {
    as?: string
    set?: Record<string, Scalar>
    choices?: { set?: Record<string, Scalar> }[]
    from?: string
    over?: string
    rows?: { from: string }
  }
  const own = screen as Sets
  if (keepsUnder(screen)) own.as = prefix + (own.as ?? name)
  if (own.set) own.set = keyed(own.set) as Record<string, Scalar>
  for (const choice of own.choices ?? []) if (choice.set) choice.set = keyed(choice.set) as Record<string, Scalar>
  if (own.from !== undefined) own.from = renamedPath(own.from, prefix)
  if (own.over !== undefined) own.over = renamedPath(own.over, prefix)
  if (own.rows !== undefined) own.rows.from = renamedPath(own.rows.from, prefix)
}

/** The text in each of the flow's languages that it has. The flow's catalogues do not cover texts of other files. */
function saidIn(text: Text, { module, prefix, languages }: Renaming): Text {
  const [first = ''] = module.languages
  const wordsIn = (language: string): string | undefined => {
    if (typeof text !== 'string') return text[language]
    return language === first ? text : module.catalogues[language]?.[text]
  }
  const said = languages.flatMap((language) => {
    const words = wordsIn(language)
    return words === undefined ? [] : [[language, renamedMessage(words, prefix)]]
  })
  return Object.fromEntries(said) as Text
}

const ROOT = '(?:data|answers|chosen|vars)'
/** Matches a name after a root, within braces. Quoted braces of a message do not count. */
const IN_BRACES = new RegExp(`'[{}#|][^']*(?:'|$)|(\\{\\s*${ROOT}\\.)(?=\\w)`, 'g')
const IN_VALUE = new RegExp(`()(\\{\\s*${ROOT}\\.)(?=\\w)`, 'g')
/** Matches a name after a root, in a condition; not in quotes, and not within a path. */
const IN_CONDITION = new RegExp(`'[^']*'|"[^"]*"|(?<![\\w.-])(${ROOT}\\.)(?=\\w)`, 'g')

function renamedMessage(words: string, prefix: string): string {
  return words.replace(IN_BRACES, (whole, start?: string) => (start === undefined ? whole : start + prefix))
}

function renamedIn(condition: string, prefix: string): string {
  return condition.replace(IN_CONDITION, (whole, start?: string) => (start === undefined ? whole : start + prefix))
}

function renamedValue(value: Scalar, prefix: string): Scalar {
  if (isExpression(value)) return renamedIn(value, prefix)
  return typeof value === 'string' ? value.replace(IN_VALUE, `$2${prefix}`) : value
}

function renamedPath(path: string, prefix: string): string {
  return path.replace(new RegExp(`^(${ROOT}\\.)`), `$1${prefix}`)
}

/** Applies `change` to every text within the value. */
function mapped<T>(value: T, change: (written: string) => string): T {
  if (typeof value === 'string') return change(value) as T
  if (Array.isArray(value)) return value.map((item: unknown) => mapped(item, change)) as T
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => [key, mapped(item, change)]),
  ) as T
}

/** Puts a value at a place of the screen. The place begins with the screen's name. */
function put(screen: object, [, , ...path]: FlowPlace, value: unknown): void {
  let here = screen as Record<string | number, unknown>
  for (const key of path.slice(0, -1)) here = here[key] as Record<string | number, unknown>
  here[path.at(-1) as string | number] = value
}

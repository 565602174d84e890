/** Dotted paths to what a dialogue knows: `data.profile.name`, `row.at`, `answers.amount`. */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { remembered } from '../../base/index.ts'
import type { Json } from '../../ussd/index.ts'

/** What a path may start with. */
export const ROOTS = ['data', 'answers', 'chosen', 'vars', 'row', 'msisdn', 'code', 'line', 'language', 'now'] as const

export const PATH = /^[a-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_][A-Za-z0-9_-]*)*$/

/** How many rows of a list are kept; nobody pages further. (A back end with more rows gives their count itself.) */
export const LIST_ROWS_KEPT_MAX = 100

/** The same for a list with a search. With a few short fields, these rows take some 50,000 octets of every snapshot. */
export const SEARCH_ROWS_MAX = 1000

/** What a text or a condition can see. */
export interface Scope {
  context: DialogueContext
  row?: Json
  /** The lines of the rows within a text. */
  rows?: string | undefined
}

/** The most paths whose parts are remembered: those of some hundred large flows. Subscribers write none. */
const PATHS_MAX = 20_000
const parted = remembered<readonly string[]>(PATHS_MAX)

function partsOf(path: string): readonly string[] {
  return path.split('.')
}

/** The value at the path; undefined if there is none. `.count` of a list is its length. Own properties only. */
export function readPath(scope: Scope, path: string): Json | undefined {
  const parts = parted(path, partsOf)
  let value: Json | undefined = rootOf(scope, parts[0]!)
  for (let i = 1; i < parts.length; i++) {
    const key = parts[i]!
    if (Array.isArray(value) && key === 'count') value = value.length
    else if (value !== null && typeof value === 'object' && Object.hasOwn(value, key)) {
      value = (value as Record<string, Json>)[key]
    } else return undefined
  }
  return value
}

/** The rows of a list; empty if there is no list. */
export function readRows(scope: Scope, path: string): Json[] {
  const value = readPath(scope, path)
  return Array.isArray(value) ? value : []
}

function rootOf({ context, row }: Scope, root: string): Json | undefined {
  switch (root) {
    case 'data':
      return context.data
    case 'answers':
      return context.secrets ? { ...context.answers, ...context.secrets } : context.answers
    case 'chosen':
      return context.chosen
    case 'vars':
      return context.vars
    case 'row':
      return row
    case 'msisdn':
      return context.msisdn
    case 'code':
      return context.code
    case 'line':
      return context.line
    case 'language':
      return context.language
    case 'now':
      return context.now
    default:
      return undefined
  }
}

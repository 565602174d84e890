/** Explains what is wrong with settings, in sentences: faults of the schema, and YAML that means something else. */
import { visit, type Document } from 'yaml'
import type { z } from 'zod'
import { type Problem, didYouMean, YAML_TYPES } from '../base/index.ts'
import { secretSettings } from '../base/settings/index.ts'
import { settingsSchema } from './schema.ts'

/** A code without quotes is an alias in YAML. */
export function unquoted(document: Document, place: (offset: number) => string): Problem[] {
  const problems: Problem[] = []
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document)) return
      const text = `*${alias.source}`
      problems.push({
        where: place(alias.range?.[0] ?? 0),
        what: `put ${text} in quotes: it begins with *`,
        remedy: `write "${text}"`,
      })
    },
  })
  return problems
}

export interface Given {
  where(path: PropertyKey[]): string
  /** What was read. */
  raw: unknown
}

/** What the schema reports about a value, in the words of the settings. */
export function explain(issue: z.core.$ZodIssue, given: Given): Problem[] {
  const { where, raw } = given
  const key = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((unknown) => ({
      where: where([...issue.path, unknown]),
      what: `'${[...issue.path, unknown].join('.')}' is not a setting`,
      remedy: didYouMean(unknown, keysAt(issue.path)) ?? 'remove it',
    }))
  }
  if (issue.code === 'invalid_union') {
    // Report the branch that got furthest: its problems are the deepest.
    const best = issue.errors
      .filter((branch) => branch.some((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'))
      .toSorted((a, b) => a.length - b.length)[0]
    if (best)
      return best.flatMap((inner) =>
        explain({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, given),
      )
  }
  const said = key ? `'${key}'` : 'the file'
  return [{ where: where(issue.path), what: `${said} ${faultOf(issue, valueAt(raw, issue.path))}` }]
}

function faultOf(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return value === undefined ? 'is missing' : `must be ${YAML_TYPES[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`
    case 'invalid_format':
      return `must be ${issue.message}`
    case 'too_big':
      return `${must(issue.origin)} at most ${issue.maximum}${unitOf(issue.origin)}`
    case 'too_small':
      return `${must(issue.origin)} at least ${issue.minimum}${unitOf(issue.origin)}`
    case 'invalid_key':
      return `is not a valid key: ${issue.issues.map(({ message }) => message).join(', ')}`
    default:
      return issue.message
  }
}

function must(origin: string): string {
  return unitOf(origin) === '' ? 'must be' : 'must have'
}

function unitOf(origin: string): string {
  return { string: ' characters', array: ' entries' }[origin] ?? ''
}

function valueAt(raw: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | null | undefined)?.[key], raw)
}

/** The keys that the schema has at a path, for did-you-mean. */
function keysAt(path: PropertyKey[]): string[] {
  let schema: unknown = settingsSchema
  for (const key of path) schema = inside(schema, key)
  return Object.keys(shapeOf(schema) ?? {})
}

/** The type in the schema at a path: 'string', 'number' … */
export function typeAt(path: string[]): unknown {
  let schema: unknown = settingsSchema
  for (const key of path) schema = inside(schema, key)
  return unwrap(schema)?.def.type
}

/** The schema's mark of the value at a path: a secret, or perhaps a secret. Undefined: neither. */
export function secretAt(path: readonly PropertyKey[]): { sure: boolean } | undefined {
  let schema: unknown = settingsSchema
  let found = markOf(schema)
  for (const key of path) {
    schema = inside(schema, key)
    found ??= markOf(schema)
  }
  return found
}

function markOf(schema: unknown): { sure: boolean } | undefined {
  for (let at = schema as Wrapped | undefined; at; at = at.def?.innerType) {
    const mark = secretSettings.get(at as unknown as z.core.$ZodType)
    if (mark) return mark
  }
  return undefined
}

interface Wrapped {
  def?: { innerType?: Wrapped }
}

function unwrap(schema: unknown): { def: Record<string, unknown>; shape?: Record<string, unknown> } | undefined {
  let at = schema as { def: Record<string, unknown>; shape?: Record<string, unknown> } | undefined
  while (at?.def && 'innerType' in at.def) at = at.def.innerType as typeof at
  return at
}

function inside(schema: unknown, key: PropertyKey): unknown {
  const at = unwrap(schema)
  if (!at) return undefined
  if (at.def.type === 'array') return at.def.element
  if (at.def.type === 'record') return at.def.valueType
  if (at.def.type === 'union') return (at.def.options as unknown[]).map((o) => inside(o, key)).find(Boolean)
  return at.shape?.[String(key)]
}

function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  const at = unwrap(schema)
  if (at?.def.type === 'union') return Object.assign({}, ...(at.def.options as unknown[]).map((o) => shapeOf(o) ?? {}))
  return at?.shape
}

/** YAML written by a person, with the place of every value, so that a problem can name it. */
import { LineCounter, isMap, isNode, isPair, isScalar, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'
import { type Problem, remedyAmong, YAML_TYPES } from '../../base/index.ts'
import type { Path } from '../terms/index.ts'

/** The longest file that is read. A flow of 1,500 screens has some 200,000 octets. */
export const FLOW_FILE_OCTETS_MAX = 1_000_000

/** The most brackets open at once. A flow has three; a parser that follows thousands keeps subscribers waiting. */
const NESTED_MAX = 200

/** How many syntax errors of one file are reported. Further errors mostly follow from the first ones. */
const ERRORS_MAX = 20

/** The errors of a text that should be in quotes. */
const UNQUOTED: ReadonlySet<string> = new Set(['UNEXPECTED_TOKEN', 'BLOCK_AS_IMPLICIT_KEY'])
const QUOTE = 'put a text with braces, brackets or a colon in quotes; start the keys of one block in the same column'

/** After a syntax error the parser also reports each word and bracket that follows. This removes those. */
function notEchoes<T extends { code: string }>(errors: readonly T[]): readonly T[] {
  const stray = errors.findIndex(({ code }) => code === 'UNEXPECTED_TOKEN')
  return errors.slice(0, stray < 0 ? ERRORS_MAX : stray + 1)
}

/** A character of a text in a file. */
export interface Inside {
  text: string
  at: number
}

export interface Yaml {
  value: unknown
  /** `flows/dental.yaml:3:9`: where the value at this path is, or the closest node around it. */
  at: (path: Path, inside?: Inside) => string
  /** Where the key at this path is. */
  keyAt: (path: Path) => string
}

/** Parses the file. Syntax errors are problems; there is no value then. */
export function readYaml(file: string, source: string): { yaml: Yaml; problems: Problem[] } {
  const lines = new LineCounter()
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`
  }
  const refused = (what: string, where: string) => ({
    yaml: { value: undefined, at: () => where, keyAt: () => where },
    problems: [{ where, what }],
  })
  if (source.length > FLOW_FILE_OCTETS_MAX)
    return refused(`the file is longer than ${FLOW_FILE_OCTETS_MAX} characters`, `${file}:1:1`)
  const deep = tooDeep(source)
  if (deep >= 0) {
    const before = source.slice(0, deep).split('\n')
    return refused(
      `the file has more than ${NESTED_MAX} open brackets`,
      `${file}:${before.length}:${before.at(-1)!.length + 1}`,
    )
  }
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false })
  const problems: Problem[] = notEchoes(document.errors).map(({ code, message, pos }) => ({
    where: at(pos[0]),
    what: `the file is not valid YAML: ${message.split('\n')[0]}`,
    ...(UNQUOTED.has(code) ? { remedy: QUOTE } : {}),
  }))
  const yaml: Yaml = {
    value: problems.length > 0 ? undefined : plainValue(document, file, problems),
    at: (path, inside) =>
      at(placeOf(document, path, false) + (inside ? offsetIn(document.getIn(path, true), inside, source) : 0)),
    keyAt: (path) => at(placeOf(document, path, true)),
  }
  return { yaml, problems }
}

/**
 * The position of the bracket that is too deep, or -1. Brackets in texts count as well: there are few, and they are
 * closed.
 */
function tooDeep(source: string): number {
  let depth = 0
  for (const { 0: sign, index } of source.matchAll(/[[\]{}]/g)) {
    depth = Math.max(0, depth + (sign === '[' || sign === '{' ? 1 : -1))
    if (depth > NESTED_MAX) return index
  }
  return -1
}

/** The problems that a schema finds, worded for people. `base` is the path of the value in the file. */
export function schemaProblems(schema: z.ZodType, value: unknown, yaml: Yaml, base: Path): Problem[] {
  return readBy(schema, value, yaml, base).problems
}

/** The value as the schema reads it, if it finds no problem. */
export function readBy<S extends z.ZodType>(
  schema: S,
  value: unknown,
  yaml: Yaml,
  base: Path,
): { read?: z.output<S>; problems: Problem[] } {
  const parsed = schema.safeParse(value)
  if (parsed.success) return { read: parsed.data, problems: [] }
  return { problems: parsed.error.issues.flatMap((issue) => issueProblems(issue, { schema, value, yaml, base })) }
}

/** How many characters the excerpt of a text has. */
const POINTED_MAX = 100

/** The position of an error in a text, with the text and a caret under it. */
export function pointing(
  at: Yaml['at'],
  path: Path,
  text: string,
  character: number,
): Pick<Problem, 'where' | 'excerpt'> {
  const from = character > POINTED_MAX ? character - POINTED_MAX / 2 : 0
  const line = text.slice(from, from + POINTED_MAX).replace(/\s/g, ' ')
  return { where: at(path, { text, at: character }), excerpt: `${line}\n${' '.repeat(character - from)}^` }
}

interface Looking {
  schema: z.ZodType
  value: unknown
  yaml: Yaml
  base: Path
}

function issueProblems(issue: z.core.$ZodIssue, looking: Looking): Problem[] {
  const { yaml, base } = looking
  const path = [...base, ...issue.path]
  const key = path.length === 0 ? 'the file' : `'${String(path.at(-1))}'`
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((unknown) => ({
        where: yaml.keyAt([...path, unknown]),
        what: `unknown key '${unknown}'`,
        remedy: remedyAmong(unknown, keysAt(looking.schema, issue.path)),
      }))
    case 'invalid_key':
      return [{ where: yaml.keyAt(path), what: `${key} is not a valid name`, remedy: issue.issues[0]?.message ?? '' }]
    case 'invalid_union':
      return [unionProblem(issue, looking)]
    case 'invalid_type':
      return [
        missing(looking.value, issue.path)
          ? {
              where: yaml.at(path.slice(0, -1)),
              what: `${key} is missing`,
              remedy: `it must be ${article(issue.expected)}`,
            }
          : { where: yaml.at(path), what: `${key} is not ${article(issue.expected)}`, ...remedyOf(issue.message) },
      ]
    case 'invalid_value':
      return [
        missing(looking.value, issue.path)
          ? {
              where: yaml.at(path.slice(0, -1)),
              what: `${key} is missing`,
              remedy: `write ${String(path.at(-1))}: ${issue.values.map(String).join(' or ')}`,
            }
          : { where: yaml.at(path), what: `${key} must be one of: ${issue.values.map(String).join(', ')}` },
      ]
    case 'invalid_format':
      return [{ where: yaml.at(path), what: `${key} is not ${issue.message}` }]
    default:
      return [
        {
          where: yaml.at(path),
          what: `${key}: ${issue.message.replace(/^(Too|Invalid) /, (start) => start.toLowerCase())}`,
        },
      ]
  }
}

/** Uses the schema's own message as the remedy if it has one. */
const remedyOf = (message: string) => (message.startsWith('Invalid input') ? {} : { remedy: message })

/** The value may have one of several forms: the problem of the closest form. */
function unionProblem(issue: z.core.$ZodIssueInvalidUnion, { schema, value, yaml, base }: Looking): Problem {
  const path = [...base, ...issue.path]
  const stray = issue.errors.flat().find((error) => error.code === 'unrecognized_keys' && error.path.length === 0)
  const keys = keysAt(schema, issue.path)
  if (stray?.code === 'unrecognized_keys' && keys.length > 0) {
    const unknown = stray.keys.find((key) => !keys.includes(key)) ?? (stray.keys[0] as string)
    return {
      where: yaml.keyAt([...path, unknown]),
      what: `unknown key '${unknown}'`,
      remedy: remedyAmong(unknown, keys),
    }
  }
  const deep = issue.errors.flat().find((error) => error.path.length > 0 || error.code === 'unrecognized_keys')
  if (deep)
    return issueProblems({ ...deep, path: [...issue.path, ...deep.path] } as z.core.$ZodIssue, {
      schema,
      value,
      yaml,
      base,
    })[0] as Problem
  if (missing(value, issue.path))
    return { where: yaml.at(path.slice(0, -1)), what: `'${String(path.at(-1))}' is missing` }
  const wanted = issue.errors.flatMap((errors) =>
    errors.map((error) => (error.code === 'invalid_type' ? article(error.expected) : error.message)),
  )
  return {
    where: yaml.at(path),
    what: `'${String(path.at(-1))}' is not ${[...new Set(wanted)].join(' or ')}`,
  }
}

function article(expected: string): string {
  return YAML_TYPES[expected] ?? (expected === 'null' ? 'null' : `a ${expected}`)
}

function missing(value: unknown, path: Path): boolean {
  let here: unknown = value
  for (const key of path) here = (here as Record<PropertyKey, unknown> | null | undefined)?.[key]
  return here === undefined && path.length > 0
}

/** The parts of a zod schema that are read here. */
interface Shape {
  def?: {
    type?: string
    innerType?: Shape
    element?: Shape
    valueType?: Shape
    options?: Shape[]
    getter?: () => Shape
  }
  shape?: Record<PropertyKey, Shape>
}

/** The keys that a schema allows at a path. If the value may have several forms: the keys of all forms. */
function keysAt(schema: unknown, path: Path): string[] {
  let forms = formsOf(schema as Shape)
  for (const key of path) {
    forms = forms.flatMap((form) => formsOf(form.shape?.[key] ?? form.def?.element ?? form.def?.valueType))
  }
  return [...new Set(forms.flatMap((form) => Object.keys(form.shape ?? {})))]
}

function formsOf(schema: Shape | undefined): Shape[] {
  if (!schema) return []
  const { innerType, options, getter } = schema.def ?? {}
  if (innerType) return formsOf(innerType)
  if (getter) return formsOf(getter())
  return options ? options.flatMap(formsOf) : [schema]
}

function plainValue(document: Document, file: string, problems: Problem[]): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    problems.push({ where: `${file}:1:1`, what: `the file is not valid YAML: ${(error as Error).message}` })
    return undefined
  }
}

function placeOf(document: Document, path: Path, ofKey: boolean): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const [depth, key] of path.entries()) {
    const pair = isMap(node)
      ? node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(key))
      : undefined
    if (pair) {
      offset =
        startOf(ofKey && depth === path.length - 1 ? pair.key : (pair.value ?? pair.key)) ?? startOf(pair.key) ?? offset
      node = pair.value
    } else {
      node = (node as { get?: (key: unknown, keep: boolean) => unknown } | undefined)?.get?.(key, true)
      if (node === undefined) return offset
      offset = startOf(node) ?? offset
    }
  }
  return offset
}

/** The offset of this character in the text as written in the file; 0 if it is written in another way than it reads. */
function offsetIn(node: unknown, { text, at }: Inside, source: string): number {
  if (!isScalar(node) || node.value !== text || !node.range) return 0
  const quoted = node.type === 'QUOTE_SINGLE' || node.type === 'QUOTE_DOUBLE' ? 1 : 0
  const written = source.slice(node.range[0] + quoted, node.range[1] - quoted)
  if (written === text) return quoted + at
  // Within single quotes, a quote is written twice.
  const doubled = (part: string) => part.replaceAll("'", "''")
  return node.type === 'QUOTE_SINGLE' && written === doubled(text) ? quoted + doubled(text.slice(0, at)).length : 0
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}

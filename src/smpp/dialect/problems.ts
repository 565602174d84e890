/** A profile's YAML with the line of each value, and messages for what is wrong with it. */
import { LineCounter, isMap, isSeq, parseDocument, type Document, type Node, type Pair } from 'yaml'
import { z } from 'zod'
import type { Problem } from '../../base/index.ts'
import { dialectProfile } from './schema.ts'

type Path = readonly PropertyKey[]

/** One YAML file: its data, and the position of each value. */
export class SourceFile {
  readonly path: string
  readonly data: Record<string, unknown>
  readonly faults: Problem[]
  readonly #lines = new LineCounter()
  readonly #document: Document

  constructor(path: string, text: string) {
    this.path = path
    // Merge keys and aliases are off: a profile is small and plain.
    this.#document = parseDocument(text, { lineCounter: this.#lines, uniqueKeys: true, version: '1.2' })
    this.faults = this.#document.errors.map((error) => ({
      where: this.#place(error.pos[0]),
      what: error.message.split('\n')[0] as string,
    }))
    const data: unknown = this.faults.length === 0 ? this.#read() : {}
    this.data = isMapping(data) ? data : {}
    if (this.faults.length > 0 || isMapping(data)) return
    this.faults.push({ where: `${path}:1:1`, what: 'must be a mapping' })
  }

  /** `dialects/mica.yaml:3:9`: the position of the value at this path, or of the closest node around it. */
  at(path: Path): string {
    const found = this.#find(path)
    return this.#place(found.offset)
  }

  /** How many steps of the path are in this file. */
  depth(path: Path): number {
    return this.#find(path).depth
  }

  #read(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: 0 }) as unknown
    } catch (error) {
      this.faults.push({
        where: `${this.path}:1:1`,
        what: (error as Error).message,
        remedy: 'write the values out instead of aliases',
      })
      return {}
    }
  }

  #find(path: Path): { offset: number; depth: number } {
    let node: unknown = this.#document.contents
    let offset = (this.#document.contents as Node | null)?.range?.[0] ?? 0
    for (const [depth, step] of path.entries()) {
      const next = child(node, step)
      if (!next) return { offset, depth }
      offset = next.offset ?? offset
      node = next.node
    }
    return { offset, depth: path.length }
  }

  #place(offset: number): string {
    const { line, col } = this.#lines.linePos(offset)
    return `${this.path}:${line}:${col}`
  }
}

/** Every problem that the schema found. The line is that of the first file that has the value. */
export function problemsOf(error: z.ZodError, files: readonly SourceFile[]): Problem[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknownKey([...issue.path, key], files))
    }
    return [{ where: placeOf(issue.path, files), what: `${nameOf(issue.path)} ${sentenceOf(issue)}` }]
  })
}

/** `outbound.actions.end.op` */
function nameOf(path: Path): string {
  return path.length === 0 ? 'the profile' : path.map(String).join('.')
}

function sentenceOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? `is missing (${issue.expected})` : `must be ${issue.expected}`
    case 'invalid_value': {
      const values = issue.values.map(String)
      return `must be one of ${values.join(', ')}${near(issue.input, values)}`
    }
    case 'too_big':
      return `is over ${issue.maximum}`
    case 'too_small':
      return `is under ${issue.minimum}`
    case 'invalid_union':
      return `has a value that is not allowed: ${JSON.stringify(issue.input)?.slice(0, 60)}`
    default:
      return issue.message
  }
}

function unknownKey(path: Path, files: readonly SourceFile[]): Problem {
  const guess = closest(String(path.at(-1)), knownWords())
  const problem: Problem = { where: placeOf(path, files), what: `unknown key ${nameOf(path)}` }
  if (guess !== undefined) problem.remedy = `did you mean '${guess}'?`
  return problem
}

function placeOf(path: Path, files: readonly SourceFile[]): string {
  let best = files[0] as SourceFile
  for (const file of files) if (file.depth(path) > best.depth(path)) best = file
  return best.at(path)
}

function child(node: unknown, step: PropertyKey): { node: unknown; offset: number | undefined } | null {
  if (isMap(node)) {
    const pair = (node.items as Pair[]).find((item) => keyText(item.key) === String(step))
    return pair ? { node: pair.value, offset: (pair.key as Node | null)?.range?.[0] } : null
  }
  if (isSeq(node)) {
    const item = node.items[Number(step)] as Node | undefined
    return item ? { node: item, offset: item.range?.[0] } : null
  }
  return null
}

function keyText(key: unknown): string {
  return String((key as { value?: unknown } | null)?.value ?? key)
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function near(value: unknown, known: readonly string[]): string {
  const guess = typeof value === 'string' ? closest(value, known) : undefined
  return guess === undefined ? '' : ` (did you mean '${guess}'?)`
}

/** The known word that is at most two edits away. */
function closest(word: string, known: readonly string[]): string | undefined {
  const ranked = known.map((it) => ({ it, slips: distance(word.toLowerCase(), it.toLowerCase()) }))
  return ranked.filter(({ slips }) => slips <= 2).toSorted((a, b) => a.slips - b.slips)[0]?.it
}

/** The Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}

/** The words that an unknown key is compared with: all keys of the schema. */
function knownWords(): string[] {
  const words = new Set<string>()
  const collect = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const [key, value] of Object.entries(node)) {
      if (key === 'properties' && isMapping(value)) Object.keys(value).forEach((word) => words.add(word))
      collect(value)
    }
  }
  collect(z.toJSONSchema(dialectProfile, { unrepresentable: 'any', io: 'input' }))
  return [...words]
}

/** A journey of ussd-engine as it is written: its screens, with the files that it includes and what screens inherit. */
import { Document, LineCounter, isMap, isScalar, parseDocument, visit, type Node } from 'yaml'
import { didYouMean, ProblemsError } from '../../base/index.ts'
import { FLOW_FILE_OCTETS_MAX } from '../../flow/language/index.ts'

export type JourneyNode = Record<string, unknown>

export interface JourneyScreen {
  name: string
  type: string
  written: JourneyNode
  /** `menu.yaml:12`: where a key of the screen is, or the screen itself. */
  at: (key?: string) => string
}

export interface Journey {
  file: string
  start: string
  /** The block `initial_screen`, if it is a block. */
  settings: JourneyScreen | undefined
  screens: Map<string, JourneyScreen>
}

/** How deep files may include or extend each other. */
const INCLUDED_MAX = 5
/** `!include:other.yaml` and `--- !extends:base.yaml`, as ussd-engine's loader reads them; also `!include other.yaml`. */
const OTHER_FILE = /^!(include|extends)(?::(.*))?$/

/** The text of a file beside the journey. Throws if there is no such file. */
export type ReadBeside = (file: string, from: string) => { file: string; text: string }

/** Throws ProblemsError if the file is not a journey: wrong syntax, no first screen, or a missing include or parent. */
export function readJourney(file: string, text: string, beside: ReadBeside): Journey {
  const entries = entriesOf(file, text, beside, 0)
  const screens = new Map<string, JourneyScreen>()
  const own = settingsName(entries)
  for (const [name, entry] of entries) {
    if (name !== 'initial_screen' && name !== own) screens.set(name, inherited(name, entry, entries, []))
  }
  const first = entries.get(own)
  const settings =
    first && typeof first.value === 'object'
      ? { ...inherited(own, first, entries, []), name: 'initial_screen' }
      : undefined
  const start = settings ? settings.written.next_screen : first?.value
  const refuse = (what: string, remedy: string) =>
    new ProblemsError(`journey ${file}`, [{ where: first?.at() ?? `${file}:1`, what, remedy }])
  if (typeof start !== 'string')
    throw refuse('does not name the first screen', 'add initial_screen: <name>, or a block with next_screen')
  if (screens.size === 0) throw refuse('has no screens', 'import the file that has them')
  if (!screens.has(start)) {
    const remedy = didYouMean(start, [...screens.keys()]) ?? 'import the file that has it'
    throw refuse(`begins with the screen '${start}', but there is no such screen`, remedy)
  }
  return { file, start, settings, screens }
}

/** The first screen is the block `initial_screen`, or the screen of that type which `initial_screen` names. */
function settingsName(entries: ReadonlyMap<string, Entry>): string {
  const named = entries.get('initial_screen')?.value
  const there = typeof named === 'string' ? (entries.get(named)?.value as JourneyNode | null | undefined) : undefined
  return there?.type === 'initial_screen' ? (named as string) : 'initial_screen'
}

interface Entry {
  value: unknown
  at: (key?: string) => string
}

function entriesOf(file: string, text: string, beside: ReadBeside, depth: number): Map<string, Entry> {
  const { document, lineOf } = parsed(file, text)
  if (!isMap(document.contents))
    throw new ProblemsError(`journey ${file}`, [{ where: `${file}:1`, what: 'is not a block of screens' }])
  const { contents } = document
  const reading = { file, document, lineOf, beside, depth }
  const base = otherFile(contents, reading)
  const entries = base ? entriesOf(base.file, base.text, beside, depth + 1) : new Map<string, Entry>()
  for (const { key, value } of contents.items) {
    const name = String(isScalar(key) ? key.value : key)
    const entry = valueOf(value as Node | null, reading)
    const own = (inner?: string) => lineOf(keyIn(value, inner) ?? key)
    const under = entries.get(name)
    const isOwn = (inner?: string) => !under || inner === undefined || keyIn(value, inner) !== undefined
    const at = (inner?: string) => (isOwn(inner) ? (entry.at ?? own)(inner) : under!.at(inner))
    entries.set(name, { value: under ? extended(under.value, entry.value) : entry.value, at })
  }
  return entries
}

/** What a block adds to the one that it extends: keys of both, the own value before the other's. */
function extended(base: unknown, own: unknown): unknown {
  if (!isBlock(base) || !isBlock(own)) return own
  const both = Object.entries(own).map(([key, value]) => [key, key in base ? extended(base[key], value) : value])
  return { ...base, ...(Object.fromEntries(both) as JourneyNode) }
}

const isBlock = (value: unknown): value is JourneyNode =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

/** The node of a key. */
function keyIn(block: unknown, key: string | undefined): unknown {
  return isMap(block) ? block.items.find((item) => isScalar(item.key) && item.key.value === key)?.key : undefined
}

interface Reading {
  file: string
  document: Document
  lineOf: (node: unknown) => string
  beside: ReadBeside
  depth: number
}

function parsed(file: string, text: string) {
  const lines = new LineCounter()
  const lineOf = (node: unknown) =>
    `${file}:${Math.max(1, lines.linePos((node as Node | undefined)?.range?.[0] ?? 0).line)}`
  const long = { where: file, what: `is longer than ${FLOW_FILE_OCTETS_MAX} characters` }
  if (text.length > FLOW_FILE_OCTETS_MAX) throw new ProblemsError(`journey ${file}`, [long])
  // A tag that is not resolved here stays on its node: `valueOf` reads it, or refuses it.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  const problems = document.errors.slice(0, 20).map(({ pos, message }) => ({
    where: `${file}:${lines.linePos(pos[0]).line}`,
    what: `is not valid YAML: ${message.split('\n')[0]}`,
  }))
  if (problems.length) throw new ProblemsError(`journey ${file}`, problems)
  return { document, lineOf }
}

/** The value of a node, with what it includes and extends. `at` only if all of it is in another file. */
function valueOf(node: Node | null, reading: Reading): { value: unknown; at?: (key?: string) => string } {
  if (node === null) return { value: null }
  const other = otherFile(node, reading)
  if (other && isScalar(node)) return rootOf(other, reading)
  const { document } = reading
  visit(node, {
    Scalar: (_key, scalar) => {
      if (isTagged(scalar)) scalar.value = valueOf(scalar, reading).value
    },
    Collection: (_key, block) =>
      block === node || !isTagged(block) ? undefined : document.createNode(valueOf(block, reading).value),
  })
  const own: unknown = node.toJS(document, { maxAliasCount: 100 })
  return { value: other ? extended(rootOf(other, reading).value, own) : own }
}

const isTagged = ({ tag }: { tag?: string }) => tag?.startsWith('!') ?? false

/** The whole of another file. */
function rootOf(other: { file: string; text: string }, { beside, depth }: Reading) {
  const inner = parsed(other.file, other.text)
  const root = inner.document.contents as Node | null
  const { value, at } = valueOf(root, { file: other.file, beside, depth: depth + 1, ...inner })
  return { value, at: at ?? ((key?: string) => inner.lineOf(keyIn(root, key) ?? root)) }
}

/** The file that the tag of a node names. Undefined: it has no tag of its own. */
function otherFile(node: Node, { file, document, lineOf, beside, depth }: Reading) {
  const { tag = '' } = node as { tag?: string }
  if (!isTagged({ tag })) return undefined
  const refuse = (what: string, remedy?: string) =>
    new ProblemsError(`journey ${file}`, [{ where: lineOf(node), what, ...(remedy ? { remedy } : {}) }])
  const [, does, named] = OTHER_FILE.exec(tag) ?? []
  if (!does) throw refuse(`has the tag '${tag}', which cannot be imported`, 'write what it stands for in its place')
  const name = named ?? (isScalar(node) ? String(node.toJS(document)) : '')
  if (depth >= INCLUDED_MAX)
    throw refuse(`${does === 'include' ? 'includes' : does} '${name}', ${INCLUDED_MAX} files deep`)
  try {
    return beside(name, file)
  } catch {
    throw refuse(`${does === 'include' ? 'includes' : does} '${name}', which cannot be read`)
  }
}

function inherited(name: string, entry: Entry, all: Map<string, Entry>, below: string[]): JourneyScreen {
  const refuse = (what: string) =>
    new ProblemsError(`journey, screen '${name}'`, [{ where: entry.at('inherit'), what }])
  if (!isBlock(entry.value)) throw refuse(`screen '${name}' is not a block of keys`)
  const own = entry.value
  const { inherit } = own
  if (inherit === undefined) return { name, type: String(own.type ?? ''), written: own, at: entry.at }
  const parent = all.get(String(inherit))
  if (!parent) throw refuse(`inherits from '${String(inherit)}', but there is no such screen`)
  if (below.includes(name)) throw refuse(`inherits from itself: ${[...below, name].join(' > ')}`)
  const base = inherited(String(inherit), parent, all, [...below, name])
  const { inherit: _gone, ...written } = { ...base.written, ...own }
  return {
    name,
    type: String(written.type ?? ''),
    written,
    at: (key) => (key === undefined || key in own ? entry.at(key) : base.at(key)),
  }
}

/** A journey of ussd-engine as it is written: its screens, with the files that it includes and what screens inherit. */
import { Document, LineCounter, isMap, isScalar, parseDocument, visit, type Node } from 'yaml'
import { ProblemsError } from '../../base/index.ts'
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

/** How deep files may include each other. */
const INCLUDED_MAX = 5

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
  if (typeof start !== 'string') {
    const remedy = 'add initial_screen: <name>, or a block with next_screen'
    throw new ProblemsError(`journey ${file}`, [
      { where: first?.at() ?? `${file}:1`, what: 'does not name the first screen', remedy },
    ])
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
  const entries = new Map<string, Entry>()
  if (!isMap(document.contents))
    throw new ProblemsError(`journey ${file}`, [{ where: `${file}:1`, what: 'is not a block of screens' }])
  for (const { key, value } of document.contents.items) {
    const name = String(isScalar(key) ? key.value : key)
    const entry = valueOf(value as Node | null, { file, document, lineOf, beside, depth })
    const own = (inner?: string) => lineOf(keyIn(value, inner) ?? key)
    entries.set(name, { value: entry.value, at: entry.at ?? own })
  }
  return entries
}

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
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    customTags: [{ tag: '!include', resolve: (name: string) => name }],
  })
  const problems = document.errors.slice(0, 20).map(({ pos, message }) => ({
    where: `${file}:${lines.linePos(pos[0]).line}`,
    what: `is not valid YAML: ${message.split('\n')[0]}`,
  }))
  if (problems.length) throw new ProblemsError(`journey ${file}`, problems)
  return { document, lineOf }
}

/** The value of a node, with what it includes. `at` only if all of it is in another file. */
function valueOf(node: Node | null, reading: Reading): { value: unknown; at?: (key?: string) => string } {
  if (node === null) return { value: null }
  if (node.tag === '!include') return included(node, reading)
  visit(node, {
    Scalar: (_key, scalar) => {
      if (scalar.tag !== '!include') return
      scalar.value = included(scalar, reading).value
    },
  })
  return { value: node.toJS(reading.document, { maxAliasCount: 100 }) as unknown }
}

function included(node: Node, { file, document, lineOf, beside, depth }: Reading) {
  const name = String(node.toJS(document))
  const refuse = (what: string) => new ProblemsError(`journey ${file}`, [{ where: lineOf(node), what }])
  if (depth >= INCLUDED_MAX) throw refuse(`includes '${name}', ${INCLUDED_MAX} files deep`)
  let other: ReturnType<ReadBeside>
  try {
    other = beside(name, file)
  } catch {
    throw refuse(`includes '${name}', which cannot be read`)
  }
  const inner = parsed(other.file, other.text)
  const root = inner.document.contents as Node | null
  const { value, at } = valueOf(root, { file: other.file, beside, depth: depth + 1, ...inner })
  const own = (key?: string) => inner.lineOf(keyIn(root, key) ?? root)
  return { value, at: at ?? own }
}

function inherited(name: string, entry: Entry, all: Map<string, Entry>, below: string[]): JourneyScreen {
  const refuse = (what: string) =>
    new ProblemsError(`journey, screen '${name}'`, [{ where: entry.at('inherit'), what }])
  const isBlock = entry.value !== null && typeof entry.value === 'object' && !Array.isArray(entry.value)
  if (!isBlock) throw refuse(`screen '${name}' is not a block of keys`)
  const own = entry.value as JourneyNode
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

/** Reads a flow's files into one definition: what the YAML says, with the place of every value. */
import type { z } from 'zod'
import { ProblemsError, type Problem, didYouMean, remedyAmong, toEnd } from '../../base/index.ts'
import {
  type Catalogue,
  type FlowDefinition,
  type WrittenScreen,
  CATALOGUE,
  FLOW,
  KINDS,
  PART,
  SCREENS,
  writtenKindOf,
  SCREENS_MAX,
  layTypes,
  SCREEN_TYPES,
  type ScreenTypes,
  readBy,
  readYaml,
  schemaProblems,
  type Yaml,
} from '../language/index.ts'
import { asDeclared, readBackends, type BackendSaid } from './declared.ts'
import type { Module } from './part-names.ts'
import { layParts } from './parts.ts'

/** A file with screens, and its catalogues, as text. */
export interface FlowFiles {
  file: string
  text: string
  /** `dental.tpi.yaml` …: one per language, keyed by the texts of the first language. */
  catalogues: { file: string; text: string }[]
}

/** The files of one flow. An archive keeps them as JSON. */
export interface FlowSource extends FlowFiles {
  /** All parts that it includes or calls, and their parts. */
  parts?: FlowFiles[] | undefined
  /** What the back ends that it calls say of their operations: `backends/wallet.yaml`. */
  backends?: { file: string; text: string }[] | undefined
}

export interface ReadFlow {
  definition: FlowDefinition
  /** `flows/dental.yaml:12:7`: where the value at this path of the flow file is. */
  at: Yaml['at']
  /** Where a catalogue translates this text. */
  catalogueAt: (language: string, text: string) => string
  catalogues: ReadonlyMap<string, { catalogue: Catalogue; file: string }>
  /** Back ends that say what they can be asked, by name. */
  backends: ReadonlyMap<string, BackendSaid>
  /** Points that are no errors of the files but probably not meant. */
  doubts: readonly Problem[]
}

/** Reads the files and checks them against the schema. Throws ProblemsError with all problems. */
export function readFlow(source: FlowSource, types: ScreenTypes = SCREEN_TYPES): ReadFlow {
  return toEnd(readingFlow(source, types))
}

/** `readFlow` in pieces, so that a daemon can play turns between them. */
export function* readingFlow(source: FlowSource, types: ScreenTypes = SCREEN_TYPES): Generator<undefined, ReadFlow> {
  const problems: Problem[] = []
  const { yaml, written, screens } = yield* readingModule(source, { schema: FLOW, is: 'flow', types }, problems)
  const spoken = languagesIn(written)
  const catalogues = readCatalogues(source.catalogues, problems)
  yield
  const modules: Module[] = []
  for (const part of source.parts ?? []) modules.push(...(yield* readingPart(part, { types, spoken }, problems)))
  const parts = new Map(modules.map((part) => [part.name, part]))
  const backends = readBackends(source.backends ?? [], problems)
  if (problems.length > 0) throw new ProblemsError(`flow ${source.file}`, problems)
  const { include = [], ...definition } = FLOW.parse(written)
  const said = Object.fromEntries([...catalogues].map(([language, { catalogue }]) => [language, catalogue.texts]))
  const { flow: name, languages, texts } = definition
  const own = {
    name,
    file: source.file,
    yaml,
    languages,
    takes: {},
    include,
    texts,
    screens,
    catalogues: said,
    root: true,
  }
  const laid = layParts(own, parts)
  return {
    definition: {
      ...definition,
      texts: laid.texts,
      screens: asDeclared(laid.screens, backends),
      catalogues: said,
    },
    at: laid.at,
    catalogueAt: (language, text) => catalogues.get(language)?.yaml.at(['texts', text]) ?? source.file,
    catalogues,
    backends,
    doubts: laid.doubts,
  }
}

/** `spoken`: the languages of the flow for which the part is read. */
function* readingPart(
  source: FlowFiles,
  how: { types: ScreenTypes; spoken: readonly string[] },
  problems: Problem[],
): Generator<undefined, Module[]> {
  const before = problems.length
  const { yaml, written, screens } = yield* readingModule(source, { schema: PART, is: 'part', ...how }, problems)
  const catalogues = readCatalogues(source.catalogues, problems)
  yield
  if (problems.length > before) return []
  const { part: name, languages, start, takes, include = [], texts } = PART.parse(written)
  const file = partFile(source.file)
  if (name !== file) {
    const what = `the part is called '${name}', but its file '${file}'`
    problems.push({ where: yaml.at(['part']), what, remedy: 'give both the same name' })
  }
  const said = Object.fromEntries([...catalogues].map(([language, { catalogue }]) => [language, catalogue.texts]))
  return [
    { name, file: source.file, yaml, languages, start, takes, include, texts, screens, catalogues: said, root: false },
  ]
}

/** Files that were parsed to find their parts, until they are read. Parsing takes a third of reading a flow. */
const PARSED = new WeakMap<object, ReturnType<typeof readYaml>>()

/** The parts that a file names, whatever else is wrong with the file. The same object is not parsed again. */
export function partsNamed(files: FlowFiles): string[] {
  const parsed = readYaml(files.file, files.text)
  PARSED.set(files, parsed)
  const { value } = parsed.yaml
  const { include, screens } = (value ?? {}) as { include?: unknown; screens?: unknown }
  const called = Object.values((screens ?? {}) as object).map(
    (screen: unknown) => (screen as { flow?: unknown } | null)?.flow,
  )
  const named: unknown[] = [...(Array.isArray(include) ? include : []), ...called]
  return named.filter((name): name is string => typeof name === 'string' && PART_NAME.test(name))
}

const PART_NAME = /^[a-z][a-z0-9-]*$/

function partFile(file: string): string {
  return file.replace(/^.*[\\/]/, '').replace(/\.ya?ml$/, '')
}

function readCatalogues(files: FlowFiles['catalogues'], problems: Problem[]) {
  const catalogues = new Map<string, { catalogue: Catalogue; file: string; yaml: Yaml }>()
  for (const file of files) {
    const read = readCatalogue(file, problems)
    if (!read) continue
    const { language } = read.catalogue
    if (catalogues.has(language))
      problems.push({ where: read.yaml.at(['language']), what: `two catalogues are for '${language}'` })
    catalogues.set(language, { ...read, file: file.file })
  }
  return catalogues
}

/** Of a piece: some milliseconds. */
const SCREENS_AT_ONCE = 20

/** A file without any of these keys is not a flow at all. */
const MODULE_KEYS = ['flow', 'part', 'spec', 'start', 'screens']

/** Reads a file with screens: checks its head against the schema, and each screen against the schema of its kind. */
function* readingModule(
  source: { file: string; text: string },
  of: { schema: z.ZodType; is: 'flow' | 'part'; types: ScreenTypes; spoken?: readonly string[] },
  problems: Problem[],
): Generator<undefined, { yaml: Yaml; written: object; screens: Record<string, WrittenScreen> }> {
  const { types } = of
  const { yaml, problems: found } = PARSED.get(source) ?? readYaml(source.file, source.text)
  PARSED.delete(source)
  yield
  problems.push(...found)
  const screens: Record<string, WrittenScreen> = {}
  if (found.length > 0) return { yaml, written: {}, screens }
  const written = yaml.value
  if (
    written === null ||
    typeof written !== 'object' ||
    Array.isArray(written) ||
    !MODULE_KEYS.some((key) => key in written)
  ) {
    problems.push({ where: yaml.at([]), what: `the file is not a ${of.is}`, remedy: `start it with ${of.is}: <name>` })
    return { yaml, written: {}, screens }
  }
  if (of.is === 'flow' && 'part' in written) {
    problems.push({
      where: yaml.at(['part']),
      what: 'the file is a part: it cannot serve a service code',
      remedy: 'check the flows that use it instead',
    })
    return { yaml, written, screens }
  }
  problems.push(...schemaProblems(of.schema, written, yaml, []))
  const entries = Object.entries((written as { screens?: object }).screens ?? {}) as [string, unknown][]
  if ('screens' in written && entries.length === 0)
    problems.push({ where: yaml.at(['screens']), what: 'the file has no screens' })
  if (entries.length > SCREENS_MAX) {
    problems.push({
      where: yaml.at(['screens']),
      what: `the file has ${entries.length} screens`,
      remedy: `use at most ${SCREENS_MAX}`,
    })
  }
  for (const [n, [name, screen]] of entries.entries()) {
    screens[name] = readScreen(name, screen, { yaml, types, problems }) as WrittenScreen
    if (n % SCREENS_AT_ONCE === SCREENS_AT_ONCE - 1) yield
  }
  return { written, ...layTypes(screens, { yaml, types, problems, languages: of.spoken ?? languagesIn(written) }) }
}

function languagesIn(written: object): readonly string[] {
  const { languages } = written as { languages?: unknown }
  return Array.isArray(languages) ? languages.filter((language) => typeof language === 'string') : []
}

interface Reading {
  yaml: Yaml
  types: ScreenTypes
  problems: Problem[]
}

/** The kinds that a screen may have: the basic kinds and the types. */
function kindsOf(types: ScreenTypes): string[] {
  return [...new Set([...KINDS, ...types.keys()])]
}

function readScreen(name: string, written: unknown, reading: Reading): unknown {
  const { yaml, types, problems } = reading
  const path = ['screens', name]
  if (written === null || typeof written !== 'object' || Array.isArray(written)) {
    problems.push({
      where: yaml.at(path),
      what: `screen '${name}' is not a block of keys`,
      remedy: `give it one of the keys ${kindsOf(types).join(', ')}`,
    })
    return undefined
  }
  const kind = kindOf(written, name, reading)
  if (!kind) return undefined
  const schema = types.get(kind)?.schema ?? SCREENS[kind as keyof typeof SCREENS]
  const { read: screen, problems: found } = readBy<z.ZodType<object>>(schema, written, yaml, path)
  problems.push(...found.map((problem) => ({ ...problem, what: `screen '${name}': ${problem.what}` })))
  if (!screen) return undefined
  const whole = { ...screen, kind }
  for (const { path: key, what } of clashesIn(whole))
    problems.push({ where: yaml.at([...path, ...key]), what: `screen '${name}'${what}` })
  return whole
}

function clashesIn(screen: { kind: string }) {
  if (!Object.hasOwn(SCREENS, screen.kind)) return []
  const written = screen as WrittenScreen
  return writtenKindOf(written).clashes?.(written) ?? []
}

function kindOf(written: object, name: string, { yaml, types, problems }: Reading): string | undefined {
  const kinds = kindsOf(types)
  const has = kinds
    .filter((kind) => Object.hasOwn(written, kind))
    // An end may also have the key exit.
    .filter((kind, _i, all) => !KINDS.some((other) => all.includes(other) && isOtherKeyOf(other, kind)))
  if (has.length === 1) return has[0]
  const where = yaml.keyAt(['screens', name])
  if (has.length > 1) {
    problems.push({
      where,
      what: `screen '${name}' is ${has.join(' and ')} at the same time`,
      remedy: 'split it into two screens',
    })
    return undefined
  }
  const near = Object.keys(written)
    .map((key) => ({ key, kind: didYouMean(key, kinds) }))
    .find(({ kind }) => kind !== undefined)
  problems.push(
    near
      ? {
          where: yaml.keyAt(['screens', name, near.key]),
          what: `screen '${name}': unknown key '${near.key}'`,
          remedy: remedyAmong(near.key, kinds),
        }
      : { where, what: `screen '${name}' has no kind`, remedy: `give it one of the keys ${kinds.join(', ')}` },
  )
  return undefined
}

function isOtherKeyOf(kind: (typeof KINDS)[number], key: string): boolean {
  return kind !== key && Object.hasOwn(SCREENS[kind].shape, key)
}

function readCatalogue(source: { file: string; text: string }, problems: Problem[]) {
  const { yaml, problems: found } = readYaml(source.file, source.text)
  const { read: catalogue, problems: others } =
    found.length > 0 ? { problems: found } : readBy(CATALOGUE, yaml.value, yaml, [])
  problems.push(...others)
  return catalogue && { catalogue, yaml }
}

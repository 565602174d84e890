/** A flow's files, read into one definition: what the YAML says, with the place of everything. */
import { ProblemsError, type Problem } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { Catalogue, FlowDefinition } from './definition.ts'
import { CATALOGUE, FLOW, KINDS, SCREENS, SCREENS_MAX, type Kind } from './schema.ts'
import { meant, readYaml, schemaProblems, type Path, type Yaml } from './source.ts'

/** The files of one flow, as text. What an archive keeps, as JSON. */
export interface FlowSource {
  file: string
  text: string
  /** `dental.tpi.yaml` …: one a language, keyed by the texts of the first language. */
  catalogues: { file: string; text: string }[]
}

export interface ReadFlow {
  definition: FlowDefinition
  /** `flows/dental.yaml:12:7`: where the value at that path of the flow file is. */
  at: (path: Path) => string
  /** Where a catalogue says something about that text. */
  catalogueAt: (language: string, text: string) => string
  catalogues: ReadonlyMap<string, { catalogue: Catalogue; file: string }>
}

/** Reads and holds against the schema. Throws ProblemsError with all problems that there are. */
export function readFlow(source: FlowSource): ReadFlow {
  const { yaml, problems } = readYaml(source.file, source.text)
  const definition = problems.length === 0 ? define(yaml, problems) : undefined
  const catalogues = new Map<string, { catalogue: Catalogue; file: string; yaml: Yaml }>()
  for (const file of source.catalogues) {
    const read = readCatalogue(file, problems)
    if (!read) continue
    if (catalogues.has(read.catalogue.language)) {
      problems.push({
        where: read.yaml.at(['language']),
        what: `there is another catalogue for '${read.catalogue.language}'`,
      })
    }
    catalogues.set(read.catalogue.language, { ...read, file: file.file })
  }
  if (!definition || problems.length > 0) throw new ProblemsError(`flow ${source.file}`, problems)
  return {
    definition: {
      ...definition,
      catalogues: Object.fromEntries(
        [...catalogues].map(([language, { catalogue }]) => [language, catalogue.texts]),
      ),
    },
    at: yaml.at,
    catalogueAt: (language, text) => catalogues.get(language)?.yaml.at(['texts', text]) ?? source.file,
    catalogues,
  }
}

function define(yaml: Yaml, problems: Problem[]): FlowDefinition | undefined {
  if (yaml.value === null || typeof yaml.value !== 'object' || Array.isArray(yaml.value)) {
    problems.push({ where: yaml.at([]), what: 'the file is no flow', remedy: 'it starts with flow: <name>' })
    return undefined
  }
  problems.push(...schemaProblems(FLOW, yaml.value, yaml, []))
  const written = (yaml.value as { screens?: unknown }).screens
  const screens: Record<string, unknown> = {}
  if (written !== null && typeof written === 'object' && !Array.isArray(written)) {
    const entries = Object.entries(written)
    if (entries.length === 0) problems.push({ where: yaml.at(['screens']), what: 'there are no screens' })
    if (entries.length > SCREENS_MAX) {
      problems.push({
        where: yaml.at(['screens']),
        what: `there are ${entries.length} screens`,
        remedy: `at most ${SCREENS_MAX}`,
      })
    }
    for (const [name, screen] of entries) screens[name] = readScreen(name, screen, yaml, problems)
  }
  if (problems.length > 0) return undefined
  return { ...FLOW.parse(yaml.value), screens, catalogues: {} } as FlowDefinition
}

function readScreen(name: string, written: unknown, yaml: Yaml, problems: Problem[]): unknown {
  const path = ['screens', name]
  if (written === null || typeof written !== 'object' || Array.isArray(written)) {
    problems.push({
      where: yaml.at(path),
      what: `screen '${name}' is no block of keys`,
      remedy: `it has one of: ${KINDS.join(', ')}`,
    })
    return undefined
  }
  const kind = kindOf(written, name, yaml, problems)
  if (!kind) return undefined
  const found = schemaProblems(SCREENS[kind], written, yaml, path)
  problems.push(...found.map((problem) => ({ ...problem, what: `screen '${name}': ${problem.what}` })))
  if (found.length > 0) return undefined
  const screen = SCREENS[kind].parse(written)
  const wants = kind === 'input' ? ['number', 'length', 'pattern', 'name'].filter((key) => key in screen) : []
  if (wants.length > 1 && wants.some((key) => key === 'number' || key === 'name')) {
    problems.push({
      where: yaml.at([...path, wants[1] as string]),
      what: `screen '${name}': ${wants.join(' and ')} do not go together`,
    })
  }
  return { ...screen, kind }
}

function kindOf(written: object, name: string, yaml: Yaml, problems: Problem[]): Kind | undefined {
  const has = KINDS.filter((kind) => Object.hasOwn(written, kind)).filter(
    (kind, _i, all) => kind !== 'exit' || !all.includes('end'),
  )
  if (has.length === 1) return has[0]
  const where = yaml.keyAt(['screens', name])
  if (has.length > 1) {
    problems.push({
      where,
      what: `screen '${name}' is ${has.join(' and ')} at once`,
      remedy: 'make two screens of it',
    })
    return undefined
  }
  const near = Object.keys(written)
    .map((key) => ({ key, kind: nearest(key, KINDS) }))
    .find(({ kind }) => kind !== undefined)
  problems.push(
    near
      ? {
          where: yaml.keyAt(['screens', name, near.key]),
          what: `screen '${name}': '${near.key}' is no key here`,
          remedy: meant(near.key, KINDS),
        }
      : { where, what: `screen '${name}' says not what it is`, remedy: `it has one of: ${KINDS.join(', ')}` },
  )
  return undefined
}

function readCatalogue(source: { file: string; text: string }, problems: Problem[]) {
  const { yaml, problems: found } = readYaml(source.file, source.text)
  if (found.length === 0) found.push(...schemaProblems(CATALOGUE, yaml.value, yaml, []))
  problems.push(...found)
  return found.length === 0 ? { catalogue: CATALOGUE.parse(yaml.value), yaml } : undefined
}

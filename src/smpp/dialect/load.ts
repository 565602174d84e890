/**
 * Reads profiles from YAML files. One profile may extend another. All problems are reported at once, each with its
 * line.
 */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { ProblemsError, type Problem, didYouMean } from '../../base/index.ts'
import { compileDialect, type DialectOptions } from './dialect.ts'
import { problemsOf, SourceFile } from './problems.ts'
import { dialectProfile, type DialectProfile } from './schema.ts'
import type { Dialect } from '../types.ts'

/** The longest chain of profiles that extend each other. */
const EXTENDS_MAX = 5
/** The largest profile file. */
export const FILE_OCTETS_MAX = 256 * 1024

type Plain = Record<string, unknown>

/**
 * Where profiles are looked for: one directory, or several. The operator's own directory comes before the shipped one.
 */
export type ProfileDirs = string | readonly string[]

/** Loads a dialect by its name (`standard`) in `dirs`, or by the path of a file. Throws ProblemsError. */
export function loadDialect(nameOrPath: string, dirs: ProfileDirs, options: DialectOptions = {}): Dialect {
  return compileDialect(loadProfile(nameOrPath, dirs), options)
}

/**
 * The complete profile of a dialect. Throws ProblemsError with every problem of the file and of the profiles it
 * extends.
 */
export function loadProfile(nameOrPath: string, dirs: ProfileDirs): DialectProfile {
  const files = chainOf(nameOrPath, typeof dirs === 'string' ? [dirs] : dirs)
  const merged = files.reduceRight<Plain>((under, file) => merge(under, file.data) as Plain, {})
  const own = files[0] as SourceFile
  const parsed = dialectProfile.safeParse(merged, { reportInput: true })
  if (!parsed.success) throw new ProblemsError(`dialect ${basename(own.path)}`, problemsOf(parsed.error, files))
  const faults = contradictions(parsed.data, own)
  if (faults.length > 0) throw new ProblemsError(`dialect ${basename(own.path)}`, faults)
  return parsed.data
}

/** Names of the profiles in a directory, sorted. */
export function dialectNames(dir: string): string[] {
  if (!existsSync(dir)) return []
  const files = readdirSync(dir).filter((file) => file.endsWith('.yaml'))
  return files.map((file) => file.slice(0, -'.yaml'.length)).toSorted()
}

/** The file and the files that it extends, with the file itself first. */
function chainOf(nameOrPath: string, dirs: readonly string[]): SourceFile[] {
  const files: SourceFile[] = []
  let next: string | undefined = nameOrPath
  while (next !== undefined) {
    const path = pathOf(next, dirs, files)
    if (files.some((file) => file.path === path) || files.length >= EXTENDS_MAX) {
      const remedy = `a profile may extend at most ${EXTENDS_MAX - 1} others, and not itself`
      const where = (files.at(-1) as SourceFile).at(['extends'])
      throw new ProblemsError('dialects', [
        { where, what: `'${next}' extends itself in a circle, or too deep`, remedy },
      ])
    }
    const file = readSource(path)
    files.push(file)
    const parent: unknown = file.data.extends
    next = typeof parent === 'string' ? parent : undefined
  }
  return files
}

/**
 * Looks for a name beside the profile that extends it, then in the directories. Skips a file that is already in the
 * chain, so that an operator's `standard.yaml` may extend the shipped one.
 */
function pathOf(nameOrPath: string, dirs: readonly string[], files: readonly SourceFile[]): string {
  const from = files.at(-1)
  const isPath = isAbsolute(nameOrPath) || /[/\\]|\.ya?ml$/.test(nameOrPath)
  const places = from ? [dirname(from.path), ...dirs] : dirs
  const paths = isPath ? [nameOrPath] : places.map((dir) => join(dir, `${nameOrPath}.yaml`))
  const found = paths.filter((path) => existsSync(path) && statSync(path).isFile())
  const path = found.find((it) => files.every((file) => file.path !== it)) ?? found[0]
  if (path !== undefined) return path
  const names = [...new Set(places.flatMap(dialectNames))]
  const known = [didYouMean(nameOrPath, names), `known: ${names.join(', ')}`].filter(Boolean).join(' ')
  throw new ProblemsError('dialects', [
    {
      where: from ? from.at(['extends']) : isPath ? nameOrPath : places.join(', '),
      what: `there is no dialect '${nameOrPath}'`,
      remedy: names.length > 0 ? known : `no profiles in ${places.join(', ')}`,
    },
  ])
}

function readSource(path: string): SourceFile {
  if (statSync(path).size > FILE_OCTETS_MAX) {
    throw new ProblemsError('dialects', [{ where: path, what: `is larger than ${FILE_OCTETS_MAX} octets` }])
  }
  const file = new SourceFile(path, readFileSync(path, 'utf8'))
  if (file.faults.length > 0) throw new ProblemsError(`dialect ${basename(path)}`, file.faults)
  return file
}

/**
 * Mappings are merged key by key; lists, scalars and places are replaced. `null` removes a key of the extended profile.
 */
export function merge(under: unknown, over: unknown): unknown {
  if (!isPlain(under) || !isPlain(over) || (isPlace(under) && isPlace(over))) return over
  const out: Plain = { ...under }
  for (const [key, value] of Object.entries(over)) {
    if (value === null) delete out[key]
    else out[key] = merge(under[key], value)
  }
  return out
}

/** A place is one value. Two places merged key by key would make a place that neither profile meant. */
function isPlace(value: Plain): boolean {
  const keys = Object.keys(value)
  const kinds = keys.filter((key) => ['tlv', 'field', 'envelope', 'const'].includes(key))
  return kinds.length === 1 && value[kinds[0]!] !== null && keys.every((key) => key === 'skip' || kinds.includes(key))
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Contradictions that the schema alone cannot see. */
function contradictions(profile: DialectProfile, file: SourceFile): Problem[] {
  const problems: Problem[] = []
  const { inbound, outbound } = profile
  const say = (path: string[], what: string, remedy: string) => {
    problems.push({ where: file.at(path), what, remedy })
  }
  for (const [name, action] of Object.entries(outbound.actions)) {
    const stand = action.as === undefined ? undefined : outbound.actions[action.as]
    if (stand?.as === undefined) continue
    say(
      ['outbound', 'actions', name, 'as'],
      `'${action.as}' refers to '${stand.as}', which refers to another one`,
      `use as: ${stand.as}`,
    )
  }
  if (inbound.text.unwrap === 'comviva' && !inbound.text.envelope) {
    say(['inbound', 'text', 'unwrap'], 'the envelope has no form', 'add inbound.text.envelope: { type, text }')
  }
  if (outbound.text.wrap === 'comviva' && !outbound.text.envelope) {
    say(['outbound', 'text', 'wrap'], 'the envelope has no form', 'add outbound.text.envelope: { type, text }')
  }
  if (inbound.session.fallback === 'none' && inbound.session.from.length === 0) {
    say(['inbound', 'session', 'fallback'], 'we would refuse every PDU', 'with from: [] use fallback: msisdn')
  }
  if (!inbound.classify.some((rule) => rule.is === 'begin')) {
    say(['inbound', 'classify'], 'no message could ever be a begin', 'add a rule with is: begin')
  }
  return problems
}

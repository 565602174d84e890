/**
 * Reads the settings: the file, then the environment, then the files that hold secrets. Reports all problems at once,
 * each with its place. Relative paths start at the working directory.
 */
import { readFileSync, statSync } from 'node:fs'
import { isMap, isSeq, LineCounter, parse, parseDocument, type Document } from 'yaml'
import { firstYamlFault, isLoopback, ProblemsError, UsageError, type Problem, didYouMean } from '../base/index.ts'
import { accountProblems } from './accounts.ts'
import { doorProblems } from './door.ts'
import { hookProblems } from './schema-hooks.ts'
import { recordProblems } from './schema-records.ts'
import { testDialProblems } from './schema-test-dials.ts'
import { supportProblems } from './support.ts'
import { explain, typeAt, unquoted, type Given } from './explain.ts'
import { exposedIn, onePassword, readSecrets } from './secrets.ts'
import type { RedisSettings } from './schema-stores.ts'
import { settingsSchema, type Settings } from './schema.ts'

/** Environment names: `USSD_CONNECTOR_REDIS__URL`, `USSD_CONNECTOR_LINES__DIGICEL__SMSC__PASSWORD`. */
const PREFIX = 'USSD_CONNECTOR_'
/** Names that are not settings. */
const OTHER = new Set([
  'USSD_CONNECTOR_FROZEN_CLOCK',
  'USSD_CONNECTOR_FAILPOINTS',
  // Of the commands that ask a daemon (src/cli/admin.ts).
  'USSD_CONNECTOR_URL',
  'USSD_CONNECTOR_TOKEN',
  'USSD_CONNECTOR_TOKEN_FILE',
])

/** The source of each value: `file`, or the name of the environment variable. Keys are paths: `lines.0.smsc.port`. */
export type Origins = Map<string, string>

export interface LoadedSettings {
  settings: Settings
  /** Paths that were set, and by what. Everything else is a default. */
  origins: Origins
  file: string
  /** Paths of values that may be secrets, if others can read the file. */
  exposed: string[]
  /** Where the value at this path is: a line of the file, or a variable. */
  where: (path: PropertyKey[]) => string
}

/** Settings with problems: `settings` is there if the file itself is right, and only what it names is not. */
export interface SettingsRead extends Omit<LoadedSettings, 'settings'> {
  settings: Settings | undefined
  problems: Problem[]
}

/** Throws ProblemsError (all problems) or UsageError (no such file). */
export function loadSettings(file: string, env: NodeJS.ProcessEnv): LoadedSettings {
  return soundly(readSettings(file, env))
}

/** Throws UsageError if there is no such file. */
export function readSettings(file: string, env: NodeJS.ProcessEnv): SettingsRead {
  let source: string
  let mode: number
  try {
    source = readFileSync(file, 'utf8')
    mode = statSync(file).mode
  } catch (error) {
    throw new UsageError(`${file}: cannot be read (${(error as Error).message})`)
  }
  return settingsIn(source, { file, env, mode })
}

/** Reads the settings from a text. `mode`: the mode of the file. By default nobody else can read it. */
export function parseSettings(source: string, file: string, env: NodeJS.ProcessEnv, mode = 0o600): LoadedSettings {
  return soundly(settingsIn(source, { file, env, mode }))
}

function soundly({ problems, settings, ...read }: SettingsRead): LoadedSettings {
  if (problems.length > 0 || !settings) throw new ProblemsError(read.file, problems)
  return { ...read, settings }
}

interface SettingsFile {
  file: string
  env: NodeJS.ProcessEnv
  mode: number
}

function settingsIn(source: string, { file, env, mode }: SettingsFile): SettingsRead {
  const lines = new LineCounter()
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false })
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const syntax = faultsIn(document, source, place)
  if (syntax.length === 0) syntax.push(...unquoted(document, place))
  if (syntax.length)
    return { settings: undefined, origins: new Map(), file, exposed: [], where: () => `${file}:1:1`, problems: syntax }
  const raw: unknown = document.toJS() ?? {}
  const origins: Origins = new Map()
  note(raw, [], origins, 'file')
  const problems = [...unsafe(env), ...override(raw, env, origins)]
  const twice = onePassword(raw, origins)
  const parsed = settingsSchema.safeParse(raw)
  const where = (path: PropertyKey[]) => {
    const key = path.join('.')
    const variable = [...origins].find(([k, by]) => by !== 'file' && (k === key || k.startsWith(`${key}.`)))?.[1]
    return variable ?? place(offsetOf(document, path))
  }
  for (const path of twice) {
    const what = `'${path.slice(0, -1).join('.')}' has both password and passwordFile`
    problems.push({ where: where(path), what, remedy: 'remove one of them, best the password' })
  }
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap((issue) => explain(issue, { where, raw })))
  const settings = parsed.success ? parsed.data : undefined
  if (settings)
    problems.push(
      ...readSecrets(settings, where),
      ...crossCheck(settings, where),
      ...doorProblems(settings, where),
      ...hookProblems(settings, where),
      ...recordProblems(settings, where),
      ...testDialProblems(settings, where),
      ...supportProblems(settings, where),
    )
  const exposed = exposedIn(
    { raw, origins, where },
    { file, mode, isTrial: settings !== undefined && isTrial(settings) },
  )
  problems.push(...exposed.problems)
  return { settings, origins, file, exposed: exposed.perhaps, where, problems }
}

/** All SMSCs and stores are on this machine: their passwords open nothing that others of it could not open. */
function isTrial({ lines, redis, postgres }: Settings): boolean {
  const hosts = lines.flatMap(({ smsc }) => [smsc, ...smsc.more].map(({ host }) => host))
  return hosts.length > 0 && [...hosts, ...hostsOf(redis), ...hostsOf(postgres)].every(isLoopback)
}

function hostsOf(store: Settings['redis'] | Settings['postgres']): string[] {
  if (store === 'embedded') return []
  const { url, cluster = [], sentinel } = store as Partial<RedisSettings>
  const hostOf = (address: string) => new URL(address).hostname.replace(/^\[|\]$/g, '')
  const nodes = sentinel?.nodes.map((node) => node.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')) ?? []
  return [...(url === undefined ? [] : [url]), ...cluster].map(hostOf).concat(nodes)
}

type Where = Given['where']

/** The offset of the deepest node of the path that the file has. */
function offsetOf(document: Document, path: PropertyKey[]): number {
  let offset = 0
  let node: unknown = document.contents
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => String((item.key as { value?: unknown }).value) === String(key))
      if (!pair) break
      offset = (pair.key as { range?: [number] }).range?.[0] ?? offset
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[Number(key)]
      offset = (node as { range?: [number] } | undefined)?.range?.[0] ?? offset
    } else break
  }
  return offset
}

/** The first fault of the file as YAML. */
function faultsIn({ errors }: Document, source: string, place: (offset: number) => string): Problem[] {
  const fault = firstYamlFault(errors, source)
  if (!fault) return []
  return [{ where: place(fault.at), what: fault.what, ...(fault.remedy ? { remedy: fault.remedy } : {}) }]
}

/** This variable of Node disables the check of every certificate: SMSC, stores and back ends. */
function unsafe(env: NodeJS.ProcessEnv): Problem[] {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED !== '0') return []
  const remedy =
    'remove it and name your authority: `ca` of smsc.tls, redis.tls, postgres.tls; NODE_EXTRA_CA_CERTS for back ends'
  return [
    { where: 'NODE_TLS_REJECT_UNAUTHORIZED', what: '0 would accept every certificate, also a forged one', remedy },
  ]
}

function note(value: unknown, path: string[], origins: Origins, by: string): void {
  if (value !== null && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) note(inner, [...path, key], origins, by)
  } else if (path.length) origins.set(path.join('.'), by)
}

/** Applies the environment over the file. Items of lists are addressed by name or index. */
function override(raw: unknown, env: NodeJS.ProcessEnv, origins: Origins): Problem[] {
  const problems: Problem[] = []
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || OTHER.has(variable) || value === undefined) continue
    const path = variable.slice(PREFIX.length).split('__').map(camel)
    const set = place(raw as Record<string, unknown>, path, (at) => (typeAt(at) === 'string' ? value : scalar(value)))
    if (set) origins.set(set.join('.'), variable)
    else
      problems.push({
        where: variable,
        what: 'is not the name of a setting',
        remedy: 'e.g. USSD_CONNECTOR_REDIS__URL',
      })
  }
  return problems
}

type Holder = Record<string, unknown> | unknown[]

function place(
  at: Holder,
  path: string[],
  value: (at: string[]) => unknown,
  above: string[] = [],
): string[] | undefined {
  const [head, ...rest] = path
  if (!head) return undefined
  let key = head
  if (Array.isArray(at)) {
    const nameOf = (item: unknown) =>
      camel(String((item as { name?: unknown } | null)?.name ?? '').replaceAll('-', '_'))
    const index = at.findIndex((item) => nameOf(item) === head)
    key = index >= 0 ? String(index) : head
    if (!/^\d+$/.test(key) || Number(key) >= at.length) return undefined
  }
  const holder = at as Record<string, unknown>
  if (!rest.length) {
    holder[key] = value([...above, key])
    return [...above, key]
  }
  if (holder[key] === null || typeof holder[key] !== 'object') holder[key] = {}
  return place(holder[key] as Holder, rest, value, [...above, key])
}

function camel(word: string): string {
  return word.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** Numbers, booleans, lists and maps as YAML. Any other text stays as it is. */
function scalar(value: string): unknown {
  try {
    const parsed: unknown = parse(value)
    return parsed === null || typeof parsed === 'undefined' ? value : parsed
  } catch {
    return value
  }
}

function crossCheck(settings: Settings, where: Where): Problem[] {
  const problems = accountProblems(settings, where)
  const names = settings.lines.map((line) => line.name)
  if (settings.door) names.push(settings.door.name)
  if (!names.length) problems.push({ where: where(['lines']), what: 'there are no lines and no door: nobody can dial' })
  names.forEach((name, i) => {
    if (names.indexOf(name) !== i)
      problems.push({ where: where(['lines', i, 'name']), what: `two lines are called '${name}'` })
  })
  settings.services.forEach((service, i) => {
    for (const line of service.lines ?? []) {
      if (names.includes(line)) continue
      const what = `service ${service.code}: there is no line '${line}'`
      problems.push({ where: where(['services', i, 'lines']), what, remedy: didYouMean(line, names) })
    }
    if (service.app !== undefined && !Object.hasOwn(settings.apps, service.app)) {
      const what = `service ${service.code}: there is no app '${service.app}'`
      problems.push({
        where: where(['services', i, 'app']),
        what,
        remedy: didYouMean(service.app, Object.keys(settings.apps)),
      })
    }
    const twin = settings.services.findIndex(
      (other) => other.code === service.code && overlap(other.lines, service.lines),
    )
    if (twin < i)
      problems.push({ where: where(['services', i, 'code']), what: `two services have the code ${service.code}` })
  })
  settings.lines.forEach((line, i) => {
    if (!line.allowPlaintext && !line.smsc.tls) {
      problems.push({
        where: where(['lines', i, 'smsc']),
        what: `line '${line.name}' has allowPlaintext: false but no smsc.tls`,
      })
    }
    if (embedded(settings) && !settings.embeddedInProduction && !isLoopback(line.smsc.host)) {
      problems.push({
        where: where(['lines', i, 'smsc', 'host']),
        what: `line '${line.name}' leads to a real SMSC, but the embedded stores do not survive a power cut`,
        remedy: 'set redis.url (or cluster, sentinel) and postgres.url, or set embeddedInProduction: true',
      })
    }
  })
  for (const [path, { patienceMs }] of patient(settings)) {
    if (patienceMs === undefined || patienceMs < settings.dialogue.turnMs) continue
    const what = `${path.join('.')}.patienceMs must be less than dialogue.turnMs, or the holding text comes too late`
    problems.push({ where: where([...path, 'patienceMs']), what })
  }
  if (settings.dialogue.idleMs > settings.dialogue.totalMs) {
    problems.push({
      where: where(['dialogue', 'idleMs']),
      what: 'dialogue.idleMs must not be longer than dialogue.totalMs',
    })
  }
  return problems
}

function patient({ backends, apps }: Settings): [PropertyKey[], { patienceMs?: number | undefined }][] {
  return [
    ...Object.entries(backends).map(([name, how]): [PropertyKey[], { patienceMs?: number | undefined }] =>
      'http' in how ? [['backends', name, 'http'], how.http] : [['backends', name], how],
    ),
    ...Object.entries(apps).map(([name, app]): [PropertyKey[], typeof app] => [['apps', name], app]),
  ]
}

function embedded(settings: Settings): boolean {
  return settings.redis === 'embedded' || settings.postgres === 'embedded'
}

function overlap(a: string[] | undefined, b: string[] | undefined): boolean {
  return !a || !b || a.some((name) => b.includes(name))
}

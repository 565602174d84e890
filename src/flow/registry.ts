/** The flows in force: what new dials get, and what dialogues under way began with. */
import { createHash } from 'node:crypto'
import { ProblemsError } from '../errors.ts'
import type { FlowProblem } from './check.ts'
import { compileFlow } from './compile.ts'
import { flowNames, sourceOf } from './loader.ts'
import type { FlowFiles, FlowSource } from './read.ts'
import type { CompiledFlow, FlowArchive, FlowRegistry } from './types.ts'

/** Compiled revisions that are kept in memory besides those in force; others are compiled again from the archive. */
export const REVISIONS_KEPT_MAX = 50

export interface FlowsOptions {
  folder: string
  archive?: FlowArchive
  /** Names of the back ends that the daemon has. */
  backends?: readonly string[]
  /** Flows written in TypeScript; a file of the same name is served instead of one. */
  services?: readonly CompiledFlow[]
  /** Told of every reload that changed or complained about something: log and metrics. */
  onReload?: (reload: Reload) => void
}

/** What a reload came to. */
export interface Reload {
  /** Revisions that are served from now on and were not before. */
  served: string[]
  /** Flows that could not be taken: what they had been before stays in force. */
  refused: string[]
  /** Errors of the refused, warnings of the others. */
  problems: FlowProblem[]
}

export interface Flows extends FlowRegistry {
  /** Reads the folder again. All changes take effect at once; never rejects for what stands in the files. */
  reload(): Promise<Reload>
  /** Serves an older revision, until its file changes. False: it is not to be had. */
  rollBack(revision: string): Promise<boolean>
  /** What is in force, by name. */
  names(): { name: string; revision: string }[]
}

interface Loaded {
  /** Hash of the files: they are compiled only when it changes. */
  files: string
  flow: CompiledFlow | undefined
  source: FlowSource
  problems: FlowProblem[]
  archived: boolean
}

/** Reads the folder once; whoever holds it calls `reload` when files may have changed. */
export async function openFlows(options: FlowsOptions): Promise<{ flows: Flows; first: Reload }> {
  const flows = registry(options)
  return { flows, first: await flows.reload() }
}

function registry(options: FlowsOptions): Flows {
  const services = new Map((options.services ?? []).map((flow) => [flow.name, flow]))
  const revisions = new Map([...services.values()].map((flow) => [flow.revision, flow]))
  let loaded: ReadonlyMap<string, Loaded> = new Map()
  let current: ReadonlyMap<string, CompiledFlow> = services
  let reloading: Promise<unknown> = Promise.resolve()
  const remember = (flow: CompiledFlow) => {
    revisions.delete(flow.revision)
    revisions.set(flow.revision, flow)
    const inForce = new Set([...current.values()].map((served) => served.revision))
    const idle = [...revisions.keys()].filter((revision) => !inForce.has(revision))
    for (const revision of idle.slice(0, -REVISIONS_KEPT_MAX)) revisions.delete(revision)
    return flow
  }
  const pinned = async (revision: string) =>
    revisions.get(revision) ?? (await fromArchive(revision, options.archive, remember))
  const reload = async (): Promise<Reload> => {
    const next = await readFolder(options, loaded)
    const { serving, report } = changes({ next, loaded, current, services })
    for (const entry of next.entries.values()) if (entry.flow) remember(entry.flow)
    await archiveNew(next.entries, options.archive, report)
    loaded = next.entries
    current = serving
    report.problems.push(...next.problems)
    if (report.served.length + report.problems.length > 0) options.onReload?.(report)
    return report
  }
  return {
    current: (name) => current.get(name),
    pinned,
    names: () =>
      [...current.values()]
        .map(({ name, revision }) => ({ name, revision }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    // One after the other, so that a slow one cannot put an older state in force.
    reload: () => {
      const done = reloading.then(reload)
      reloading = done.catch(() => undefined)
      return done
    },
    rollBack: async (revision) => {
      const flow = await pinned(revision)
      if (flow) current = new Map([...current, [flow.name, flow]])
      return flow !== undefined
    },
  }
}

interface Folder {
  entries: Map<string, Loaded>
  problems: FlowProblem[]
}

async function readFolder(options: FlowsOptions, before: ReadonlyMap<string, Loaded>): Promise<Folder> {
  const entries = new Map<string, Loaded>()
  const problems: FlowProblem[] = []
  const names = await flowNames(options.folder).catch((error: Error) => {
    problems.push({ severity: 'error', where: options.folder, what: `cannot be read: ${error.message}` })
    return [...before.keys()]
  })
  for (const name of names) {
    const last = before.get(name)
    try {
      const source = await sourceOf(options.folder, name)
      const files = createHash('sha256').update(JSON.stringify(source)).digest('hex')
      entries.set(
        name,
        last?.files === files ? last : compileEntry({ source, files, name, last }, options.backends),
      )
    } catch (error) {
      problems.push({
        severity: 'error',
        where: `${options.folder}/${name}`,
        what: `cannot be read: ${(error as Error).message}`,
      })
      if (last) entries.set(name, last)
    }
  }
  for (const [name, last] of before) {
    if (entries.has(name)) continue
    entries.set(name, { ...last, files: '' })
    if (last.files === '') continue
    const what = 'its file is gone; what it was stays in force until the daemon stops'
    problems.push({ severity: 'warning', where: `${options.folder}/${name}`, what })
  }
  return { entries, problems }
}

/** Compiles; broken files leave what was served before, with their problems. */
function compileEntry(
  {
    source,
    files,
    name,
    last,
  }: { source: FlowSource; files: string; name: string; last: Loaded | undefined },
  backends: readonly string[] | undefined,
): Loaded {
  const refused = (problems: FlowProblem[]): Loaded => ({
    files,
    source: last?.source ?? source,
    flow: last?.flow,
    problems,
    archived: last?.archived ?? true,
  })
  try {
    const { flow, warnings } = compileFlow(source, backends)
    if (flow.name === name) return { files, source, flow, problems: warnings, archived: false }
    return refused([
      {
        severity: 'error',
        where: source.file,
        what: `is flow '${flow.name}', but its file is called '${name}'`,
        remedy: 'name both alike',
      },
    ])
  } catch (error) {
    if (!(error instanceof ProblemsError))
      return refused([
        { severity: 'error', where: source.file, what: `does not compile: ${(error as Error).message}` },
      ])
    return refused(error.problems.map((problem) => ({ severity: 'error', ...problem })))
  }
}

interface Change {
  next: Folder
  loaded: ReadonlyMap<string, Loaded>
  current: ReadonlyMap<string, CompiledFlow>
  services: ReadonlyMap<string, CompiledFlow>
}

/** What is served now. A file that did not change leaves what is served alone: it may have been rolled back. */
function changes({ next, loaded, current, services }: Change): {
  serving: Map<string, CompiledFlow>
  report: Reload
} {
  const serving = new Map(services)
  const report: Reload = { served: [], refused: [], problems: [] }
  for (const [name, entry] of next.entries) {
    const unchanged = loaded.get(name)?.flow === entry.flow
    const flow = unchanged ? (current.get(name) ?? entry.flow) : entry.flow
    if (flow) serving.set(name, flow)
    if (flow && current.get(name)?.revision !== flow.revision) report.served.push(flow.revision)
    if (loaded.get(name)?.files === entry.files || entry.files === '') continue
    report.problems.push(...entry.problems)
    if (entry.problems.some((problem) => problem.severity === 'error')) report.refused.push(name)
  }
  return { serving, report }
}

/** Puts what is served into the archive; what could not be put is tried again at the next reload. */
async function archiveNew(
  entries: Map<string, Loaded>,
  archive: FlowArchive | undefined,
  report: Reload,
): Promise<void> {
  for (const entry of entries.values()) {
    if (!archive || entry.archived || !entry.flow) continue
    try {
      await archive.put(entry.flow.revision, entry.flow.name, JSON.stringify(portable(entry.source)))
      entry.archived = true
    } catch (error) {
      const what = `was not archived: ${(error as Error).message}`
      report.problems.push({
        severity: 'warning',
        where: entry.flow.revision,
        what,
        remedy: 'it is tried again at the next reload',
      })
    }
  }
}

async function fromArchive(
  revision: string,
  archive: FlowArchive | undefined,
  remember: (flow: CompiledFlow) => CompiledFlow,
): Promise<CompiledFlow | undefined> {
  const stored = await archive?.get(revision)
  if (stored === undefined) return undefined
  const { flow } = compileFlow(JSON.parse(stored) as FlowSource)
  // Another engine may read the same file otherwise: then it is not what the dialogue began with.
  return flow.revision === revision ? remember(flow) : undefined
}

/** Without the folder that the files happened to be in. */
function portable({ parts, ...flow }: FlowSource): FlowSource {
  const bare = (path: string) => path.replace(/^.*[\\/]/, '')
  const files = ({ file, text, catalogues }: FlowFiles) => ({
    file: bare(file),
    text,
    catalogues: catalogues.map((found) => ({ file: bare(found.file), text: found.text })),
  })
  return parts ? { ...files(flow), parts: parts.map(files) } : files(flow)
}

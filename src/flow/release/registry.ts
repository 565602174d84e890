/**
 * The flows in force: what new dials get, and what dialogues under way began with. The files say what a flow is; what
 * operators decided beyond them (release.ts) says what serves instead.
 */
import { UsageError } from '../../base/index.ts'
import type { FlowProblem } from '../check/index.ts'
import { compileFlow, asksSecret, readFolder, type Folder, type FolderOptions, type LoadedFlow } from '../load/index.ts'
import { choosing } from './choosing.ts'
import type { FlowFiles, FlowSource } from '../read/index.ts'
import { recalledFlow } from './recall.ts'
import {
  isInCanary,
  NOTHING_DECIDED,
  type Canary,
  type Decisions,
  type DecisionsRead,
  type PublishMode,
  type Release,
} from './release.ts'
import type { CompiledFlow, FlowArchive, FlowRegistry } from '../engine/index.ts'

/** Compiled revisions that are kept in memory besides those in force; others are compiled again from the archive. */
export const REVISIONS_KEPT_MAX = 50

export interface FlowsOptions extends FolderOptions {
  archive?: FlowArchive
  /** What operators decided, shared by all daemons. Without it the files alone count. */
  decisions?: DecisionsRead
  /** Default `files`. */
  mode?: PublishMode
  /** MSISDNs that are in every trial. */
  testers?: readonly string[]
  /** Flows written in TypeScript; a file of the same name is served instead of one. */
  services?: readonly CompiledFlow[]
  /** Told of every reload that changed or complained about something: log and metrics. */
  onReload?: (reload: Reload) => void
}

/** What a reload came to. */
export interface Reload {
  /** Revisions that are served from now on and were not before. */
  served: string[]
  /** Flows whose files could not be taken: what they had been before stays in force. */
  refused: string[]
  /** Errors of the refused, warnings of the others. */
  problems: FlowProblem[]
}

/** How one flow stands in this daemon. */
export interface FlowState {
  name: string
  revision: string
  /** What its file is, if it ever was good. */
  file: string | null
  canary: { revision: string; share: number } | null
  /** Revisions whose dialogues end at their next turn. */
  recalled: string[]
  /**
   * What would serve, had it not been recalled: `revision` serves instead of it. The same as `revision`: there is no
   * other, and every dial gets the words of the recall.
   */
  replaced: string | null
  /** The last decision, if there is one. */
  release: Release | null
  /** What is wrong with its files as they are now: they are not what serves. */
  problems: FlowProblem[]
}

export interface Flows extends FlowRegistry {
  /** Reads files and decisions again. All changes take effect at once; never rejects for what stands in the files. */
  reload(): Promise<Reload>
  /**
   * What is in force, by name; `broken`: where the first error of its files is, which are not what serves; `recalled`:
   * what a recall did to what new dials get.
   */
  names(): { name: string; revision: string; broken?: string; recalled?: string }[]
  state(): FlowState[]
  /** Revisions that a purge must leave: in force, on trial, or what a file is. */
  wanted(): string[]
}

/**
 * Reads the folder once; whoever holds it calls `reload` when files or decisions may have changed. Rejects where the
 * decisions cannot be read: without them a recalled revision might serve.
 */
export async function openFlows(options: FlowsOptions): Promise<{ flows: Flows; first: Reload }> {
  const flows = registry(options)
  return { flows, first: await flows.reload() }
}

/** A consistent view: replaced as a whole, never changed. */
interface View {
  loaded: ReadonlyMap<string, LoadedFlow>
  current: ReadonlyMap<string, CompiledFlow>
  canaries: ReadonlyMap<string, Canary & { flow: CompiledFlow }>
  /** By name: see FlowState. */
  replaced: ReadonlyMap<string, string>
  decisions: Decisions
  /** Problems of decisions: told once, though they stand at every reload. */
  standing: readonly FlowProblem[]
}

function registry(options: FlowsOptions): Flows {
  const services = new Map((options.services ?? []).map((flow) => [flow.name, flow]))
  const kept = keptRevisions([...services.values()], options)
  const testers = new Set(options.testers)
  let view: View = {
    loaded: new Map(),
    current: services,
    canaries: new Map(),
    replaced: new Map(),
    decisions: NOTHING_DECIDED,
    standing: [],
  }
  let reloading: Promise<unknown> = Promise.resolve()

  /** Whoever is on a recalled revision, and however it came into force, gets its words and nothing else of it. */
  const allowed = (flow: CompiledFlow | undefined) => {
    const recall = flow && view.decisions.recalls.get(flow.revision)
    return recall ? recalledFlow(flow, recall.texts) : flow
  }

  const reload = async (): Promise<Reload> => {
    const before = view
    const folder = await readFolder(options, before.loaded)
    const { refused, problems } = news(before.loaded, folder)
    const standing: FlowProblem[] = []
    const decisions = await decisionsOf(options, folder, before.decisions, standing)
    const entries = new Map([...folder.entries].map(([name, entry]) => [name, entry.flow]))
    for (const flow of entries.values()) if (flow) kept.remember(flow)
    const replaced = new Map<string, string>()
    const choose = choosing({
      options,
      decisions,
      before: before.current,
      services,
      find: kept.find,
      problems: standing,
      replaced,
    })
    const current = new Map(services)
    const canaries = new Map<string, Canary & { flow: CompiledFlow }>()
    for (const name of new Set([...entries.keys(), ...decisions.releases.keys()])) {
      const flow = await choose.current(name, entries.get(name))
      if (flow) current.set(name, flow)
      const canary = await choose.canary(name)
      if (canary) canaries.set(name, canary)
    }
    const served = [...current.values()]
      .filter((flow) => before.current.get(flow.name)?.revision !== flow.revision)
      .map((flow) => flow.revision)
    const told = new Set(before.standing.map(({ where, what }) => `${where} ${what}`))
    const report: Reload = {
      served,
      refused,
      problems: [
        ...folder.problems,
        ...problems,
        ...standing.filter(({ where, what }) => !told.has(`${where} ${what}`)),
        ...(await archiveNew(folder.entries, current, options.archive)),
      ],
    }
    view = { loaded: folder.entries, current, canaries, replaced, decisions, standing }
    kept.trim(wantedOf(view))
    if (report.served.length + report.problems.length > 0) options.onReload?.(report)
    return report
  }

  return {
    current(name, msisdn) {
      const canary = msisdn === undefined ? undefined : view.canaries.get(name)
      if (canary && (testers.has(msisdn!) || isInCanary(canary, msisdn!))) return canary.flow
      return allowed(view.current.get(name))
    },
    pinned: async (revision) => allowed(await kept.find(revision)),
    names: () =>
      stateOf(view).map(({ name, revision, replaced, problems: [first] }) => ({
        name,
        revision,
        ...(first ? { broken: first.where } : {}),
        ...(replaced === null ? {} : { recalled: recalledNote(replaced, revision) }),
      })),
    state: () => stateOf(view),
    wanted: () => [...wantedOf(view)],
    calls: (backend) => [...view.current.values()].some((flow) => flow.backends.includes(backend)),
    // One after the other, so that a slow one cannot put an older state in force.
    reload: () => {
      const done = reloading.then(reload)
      reloading = done.catch(() => undefined)
      return done
    },
  }
}

function stateOf({ current, loaded, canaries, replaced, decisions }: View): FlowState[] {
  return [...current.values()]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, revision }) => {
      const canary = canaries.get(name)
      const entry = loaded.get(name)
      return {
        name,
        revision,
        file: entry?.flow?.revision ?? null,
        release: decisions.releases.get(name) ?? null,
        replaced: replaced.get(name) ?? null,
        canary: canary ? { revision: canary.revision, share: canary.share } : null,
        recalled: [...decisions.recalls.values()]
          .filter((recall) => recall.name === name)
          .map((recall) => recall.revision),
        problems: (entry?.problems ?? []).filter((problem) => problem.severity === 'error'),
      }
    })
}

function recalledNote(replaced: string, revision: string): string {
  return replaced === revision
    ? `${replaced} was recalled, and the archive has no other revision: every dial gets the text of the recall`
    : `${replaced} was recalled: ${revision} serves instead`
}

function wantedOf({ current, loaded, canaries }: View): Set<string> {
  const flows = [
    ...current.values(),
    ...[...loaded.values()].map((entry) => entry.flow),
    ...[...canaries.values()].map(({ flow }) => flow),
  ]
  return new Set(flows.flatMap((flow) => (flow ? [flow.revision] : [])))
}

/** Revisions in memory, and the way to those that are not. */
function keptRevisions(services: readonly CompiledFlow[], { archive, types, readable = false }: FlowsOptions) {
  const revisions = new Map(services.map((flow) => [flow.revision, flow]))
  const remember = (flow: CompiledFlow) => {
    revisions.delete(flow.revision)
    revisions.set(flow.revision, flow)
    return flow
  }
  let wanted: ReadonlySet<string> = new Set(services.map((flow) => flow.revision))
  const trim = (inUse: ReadonlySet<string>) => {
    wanted = inUse
    const idle = [...revisions.keys()].filter((revision) => !wanted.has(revision))
    for (const revision of idle.slice(0, -REVISIONS_KEPT_MAX)) revisions.delete(revision)
  }
  const load = async (revision: string): Promise<CompiledFlow | undefined> => {
    const stored = await archive?.get(revision)
    if (stored === undefined) return undefined
    const { flow, definition } = compileFlow(JSON.parse(stored) as FlowSource, undefined, types)
    if (readable && asksSecret(definition)) return undefined
    // Another engine may read the same file otherwise: then it is not what the dialogue began with.
    if (flow.revision !== revision) return undefined
    remember(flow)
    trim(wanted)
    return flow
  }
  // After a restart all dialogues of a revision may answer at once: one of them loads it, the others wait for that.
  const loading = new Map<string, Promise<CompiledFlow | undefined>>()
  return {
    remember,
    trim,
    async find(revision: string): Promise<CompiledFlow | undefined> {
      const known = revisions.get(revision) ?? loading.get(revision)
      if (known) return known
      const found = load(revision).finally(() => loading.delete(revision))
      loading.set(revision, found)
      return found
    },
  }
}

/** What is wrong with files that changed. */
function news(loaded: ReadonlyMap<string, LoadedFlow>, { entries }: Folder): Pick<Reload, 'refused' | 'problems'> {
  const changed = [...entries].filter(([name, entry]) => entry.files !== '' && loaded.get(name)?.files !== entry.files)
  const isRefused = ({ problems }: LoadedFlow) => problems.some(({ severity }) => severity === 'error')
  return {
    refused: changed.filter(([, entry]) => isRefused(entry)).map(([name]) => name),
    problems: changed.flatMap(([, entry]) => entry.problems),
  }
}

/** The decisions as they stand; while they cannot be read, as they were. */
async function decisionsOf(
  { decisions, mode }: FlowsOptions,
  folder: Folder,
  last: Decisions,
  problems: FlowProblem[],
): Promise<Decisions> {
  if (!decisions) return last
  try {
    const read = await decisions.read()
    if (mode !== 'released') return read
    const fresh = [...folder.entries].filter(([name, { flow }]) => flow && !read.releases.get(name)?.active)
    for (const [name, { flow }] of fresh) await decisions.adopt(name, flow!.revision)
    return fresh.length ? await decisions.read() : read
  } catch (error) {
    if (last === NOTHING_DECIDED) {
      const why = `flow releases cannot be read: ${(error as Error).message}`
      throw new UsageError(`${why} (without them a recalled flow could serve: start again when Postgres answers)`)
    }
    problems.push({
      severity: 'warning',
      where: 'flow releases',
      what: `could not be read: ${(error as Error).message}`,
      remedy: 'earlier decisions stay in force; the next reload tries again',
    })
    return last
  }
}

/** Puts what the files are into the archive; what could not be put is tried again at the next reload. */
async function archiveNew(
  entries: ReadonlyMap<string, LoadedFlow>,
  current: ReadonlyMap<string, CompiledFlow>,
  archive: FlowArchive | undefined,
): Promise<FlowProblem[]> {
  const problems: FlowProblem[] = []
  for (const entry of entries.values()) {
    if (!archive || entry.archived || !entry.flow) continue
    const { revision, name } = entry.flow
    const serves = current.get(name)?.revision === revision
    try {
      await archive.put(revision, name, JSON.stringify(portable(entry.source)), { serves })
      entry.archived = true
    } catch (error) {
      const what = `could not be archived: ${(error as Error).message}`
      problems.push({ severity: 'warning', where: revision, what, remedy: 'the next reload tries again' })
    }
  }
  return problems
}

/** Without the folder that the files happened to be in. */
export function portable({ parts, ...flow }: FlowSource): FlowSource {
  const bare = (path: string) => path.replace(/^.*[\\/]/, '')
  const files = ({ file, text, catalogues }: FlowFiles) => ({
    file: bare(file),
    text,
    catalogues: catalogues.map((found) => ({ file: bare(found.file), text: found.text })),
  })
  return parts ? { ...files(flow), parts: parts.map(files) } : files(flow)
}

/** Reads files and decisions again: the view that replaces the previous one, and what changed. */
import { createHash } from 'node:crypto'
import { UsageError } from '../../base/index.ts'
import type { FlowProblem } from '../check/index.ts'
import type { CompiledFlow, FlowArchive } from '../engine/index.ts'
import type { Folder, FolderOptions, LoadedFlow } from '../load/index.ts'
import { archiveNew } from './archiving.ts'
import { choosing } from './choosing.ts'
import type { KeptRevisions } from './kept-revisions.ts'
import { NOTHING_DECIDED, type Canary, type Decisions, type DecisionsRead, type PublishMode } from './release.ts'
import type { View } from './view.ts'

export interface ReadingOptions extends FolderOptions {
  archive?: FlowArchive
  /** The decisions of operators, shared by all daemons. Without it only the files count. */
  decisions?: DecisionsRead
  /** Default `files`. */
  mode?: PublishMode
}

/** The result of a reload. */
export interface Reload {
  /** Revisions that serve from now on and did not before. */
  served: string[]
  /** Those of them that come from a file, and not from a decision. */
  taken: Taken[]
  /** Flows whose files were refused: their previous revision stays in force. */
  refused: string[]
  /** Errors of the refused flows, warnings of the others. */
  problems: FlowProblem[]
}

/** A file whose flow serves from now on. */
export interface Taken {
  flow: string
  revision: string
  /** What this daemon served before. Null: it has just started. */
  before: string | null
  file: string
  /** SHA-256 of the file, as `sha256sum` prints it. */
  hash: string
}

interface Sources {
  services: ReadonlyMap<string, CompiledFlow>
  kept: KeptRevisions
  /** Reads the files. */
  read(before: ReadonlyMap<string, LoadedFlow>): Promise<Folder>
}

export async function nextView(
  before: View,
  options: ReadingOptions,
  { services, kept, read }: Sources,
): Promise<{ view: View; report: Reload }> {
  const folder = await read(before.loaded)
  const { refused, problems } = changesOf(before.loaded, folder)
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
  const news = [...current.values()].filter((flow) => before.current.get(flow.name)?.revision !== flow.revision)
  const served = news.map((flow) => flow.revision)
  const told = new Set(before.standing.map(({ where, what }) => `${where} ${what}`))
  const report: Reload = {
    served,
    taken: news.flatMap((flow) => takenFrom(folder.entries.get(flow.name), flow, { before, decisions })),
    refused,
    problems: [
      ...folder.problems,
      ...problems,
      ...standing.filter(({ where, what }) => !told.has(`${where} ${what}`)),
      ...(await archiveNew(folder.entries, current, options.archive)),
    ],
  }
  return { view: { loaded: folder.entries, current, canaries, replaced, decisions, standing }, report }
}

/** What the next view would be: nothing is written, decided or remembered. */
export async function trialView(before: View, options: ReadingOptions, sources: Sources): Promise<View> {
  const { archive: _archive, decisions, ...rest } = options
  const reading = decisions ? { decisions: { ...decisions, adopt: async () => undefined } } : {}
  const kept = { ...sources.kept, remember: () => undefined }
  return (await nextView(before, { ...rest, ...reading }, { ...sources, kept })).view
}

/** Nothing if a decision put the revision in force: the history has that decision. */
function takenFrom(
  entry: LoadedFlow | undefined,
  { name, revision }: CompiledFlow,
  { before, decisions }: Pick<View, 'decisions'> & { before: View },
): Taken[] {
  if (entry?.flow?.revision !== revision || decisions.releases.get(name)?.active === revision) return []
  const { file, text } = entry.source
  const hash = createHash('sha256').update(text).digest('hex')
  return [{ flow: name, revision, before: before.current.get(name)?.revision ?? null, file, hash }]
}

/** What is wrong with files that changed. */
function changesOf(loaded: ReadonlyMap<string, LoadedFlow>, { entries }: Folder): Pick<Reload, 'refused' | 'problems'> {
  const changed = [...entries].filter(([name, entry]) => entry.files !== '' && loaded.get(name)?.files !== entry.files)
  const isRefused = ({ problems }: LoadedFlow) => problems.some(({ severity }) => severity === 'error')
  return {
    refused: changed.filter(([, entry]) => isRefused(entry)).map(([name]) => name),
    problems: changed.flatMap(([, entry]) => entry.problems),
  }
}

/** The current decisions; while they cannot be read, the previous ones. */
async function decisionsOf(
  { decisions, mode }: ReadingOptions,
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

/**
 * The flows in force: what new dials get, and the revisions with which open dialogues began. The files say what a flow
 * is. Decisions of operators (release.ts) say what serves instead.
 */
import type { CompiledFlow, FlowRegistry } from '../engine/index.ts'
import type { FlowProblem } from '../check/index.ts'
import { SUBSCRIBER } from '../language/index.ts'
import { flowFolder, type FlowFolder, recompileFolder } from '../load/index.ts'
import type { DeclaredBackend } from '../read/index.ts'
import { keptRevisions, type KeptRevisions } from './kept-revisions.ts'
import { nextView, trialView, type ReadingOptions, type Reload } from './next-view.ts'
import { recalledFlow } from './recall.ts'
import { isInCanary } from './release.ts'
import { firstView, stateOf, wantedOf, type FlowState, type View } from './view.ts'

export interface FlowsOptions extends ReadingOptions {
  /** MSISDNs that take part in every trial. */
  testers?: readonly string[]
  /** Flows written in TypeScript. A file of the same name takes precedence. */
  services?: readonly CompiledFlow[]
  /** Called after every reload that changed something or found a problem: for the log and the metrics. */
  onReload?: (reload: Reload) => void
}

export interface Flows extends FlowRegistry {
  /**
   * Reads files and decisions again. All changes take effect at once. Never rejects because of the content of the
   * files.
   */
  reload(): Promise<Reload>
  /** The same, but without reading files that did not change: for callers that ask every few seconds. */
  look(): Promise<Reload>
  /** Other back ends, or other flows written in TypeScript. Nothing changes before `commit`. */
  prepare(change: FlowsChange): Promise<PreparedFlows>
  /**
   * What is in force, by name. `broken`: where the first error of its files is, if the files are not what serves.
   * `recalled`: how a recall changed what new dials get.
   */
  names(): { name: string; revision: string; broken?: string; recalled?: string }[]
  state(): FlowState[]
  /** Revisions that a purge must keep: in force, on trial, or what a file is. */
  wanted(): string[]
}

export interface FlowsChange {
  backends: readonly string[]
  declared: readonly DeclaredBackend[]
  services: readonly CompiledFlow[]
}

export interface PreparedFlows {
  /** What new dials would get. */
  inForce: readonly CompiledFlow[]
  /** Errors of files, as they would be. */
  problems: readonly FlowProblem[]
  commit(): Promise<Reload>
}

/**
 * Reads the folder once. The caller calls `reload` when files or decisions may have changed. Rejects if the decisions
 * cannot be read: without them a recalled revision might serve.
 */
export async function openFlows(options: FlowsOptions): Promise<{ flows: Flows; first: Reload }> {
  const flows = registry(options)
  return { flows, first: await flows.reload() }
}

const byName = (flows: readonly CompiledFlow[]) => new Map(flows.map((flow) => [flow.name, flow]))

function registry(options: FlowsOptions): Flows {
  const services = byName(options.services ?? [])
  const state: RegistryState = { own: { ...options }, services, view: firstView(services) }
  const kept = keptRevisions([...services.values()], options)
  const testers = new Set(options.testers)
  const folder = flowFolder(state.own)
  let reloading: Promise<unknown> = Promise.resolve()

  /**
   * A dialogue on a recalled revision gets the text of the recall and nothing else, however the revision came into
   * force.
   */
  const allowed = (flow: CompiledFlow | undefined) => {
    const recall = flow && state.view.decisions.recalls.get(flow.revision)
    return recall ? recalledFlow(flow, recall.texts) : flow
  }

  const reload = async (read: FlowFolder['read']): Promise<Reload> => {
    const { view: next, report } = await nextView(state.view, state.own, { services: state.services, kept, read })
    state.view = next
    kept.trim(wantedOf(state.view))
    if (report.served.length + report.problems.length > 0) options.onReload?.(report)
    return report
  }

  // Reloads run one after the other, so that a slow one cannot put an older state in force.
  const inTurn = (read: FlowFolder['read'], first = (): void => undefined): Promise<Reload> => {
    const done = reloading.then(() => (first(), reload(read)))
    reloading = done.catch(() => undefined)
    return done
  }

  return {
    prepare: (change) => preparedFlows(change, state, { folder, kept, inTurn }),
    current(name, msisdn) {
      const canary = msisdn === undefined ? undefined : state.view.canaries.get(name)
      if (canary && (testers.has(msisdn!) || isInCanary(canary, msisdn!))) return canary.flow
      return allowed(state.view.current.get(name))
    },
    pinned: async (revision) => allowed(await kept.find(revision)),
    loaded: (revision) => allowed(kept.known(revision)),
    names: () =>
      stateOf(state.view).map(({ name, revision, replaced, problems: [first] }) => ({
        name,
        revision,
        ...(first ? { broken: first.where } : {}),
        ...(replaced === null ? {} : { recalled: recalledNote(replaced, revision) }),
      })),
    state: () => stateOf(state.view),
    wanted: () => [...wantedOf(state.view)],
    mayChooseLanguage: () => letsChoose(state.view),
    reload: () => inTurn(folder.read),
    look: () => inTurn(folder.look),
  }
}

/** Asked for each dial. */
function letsChoose({ current, canaries }: View): boolean {
  for (const flow of current.values()) if (flow.backends.includes(SUBSCRIBER)) return true
  for (const { flow } of canaries.values()) if (flow.backends.includes(SUBSCRIBER)) return true
  return false
}

/** What `prepare` changes. */
interface RegistryState {
  own: FlowsOptions
  services: ReadonlyMap<string, CompiledFlow>
  view: View
}

interface Reading {
  folder: FlowFolder
  kept: KeptRevisions
  inTurn(read: FlowFolder['read'], first: () => void): Promise<Reload>
}

async function preparedFlows(
  change: FlowsChange,
  state: RegistryState,
  { folder, kept, inTurn }: Reading,
): Promise<PreparedFlows> {
  const { own, view: base } = state
  const next = { ...own, backends: change.backends, declared: change.declared }
  const isSame = same(own.backends, change.backends) && same(own.declared, change.declared)
  const read = isSame ? folder.read : (before: View['loaded']) => recompileFolder(next, before)
  const files = await read(base.loaded)
  const services = byName(change.services)
  const trial = await trialView(base, next, { services, kept, read: async () => files })
  const take = () => {
    Object.assign(own, { backends: change.backends, declared: change.declared })
    state.services = services
    for (const flow of change.services) kept.remember(flow)
  }
  return {
    inForce: [...trial.current.values()],
    problems: [...trial.loaded.values()].flatMap(({ problems }) => problems.filter(isError)),
    commit: () => inTurn(async (before) => (before === base.loaded ? files : read(before)), take),
  }
}

const isError = ({ severity }: FlowProblem) => severity === 'error'
const same = (a: unknown, b: unknown) => JSON.stringify(a ?? []) === JSON.stringify(b ?? [])

function recalledNote(replaced: string, revision: string): string {
  return replaced === revision
    ? `${replaced} was recalled, and the archive has no other revision: every dial gets the text of the recall`
    : `${replaced} was recalled: ${revision} serves instead`
}

/**
 * The flows in force: what new dials get, and the revisions with which open dialogues began. The files say what a flow
 * is. Decisions of operators (release.ts) say what serves instead.
 */
import type { CompiledFlow, FlowRegistry } from '../engine/index.ts'
import { flowFolder, type FlowFolder } from '../load/index.ts'
import { keptRevisions } from './kept-revisions.ts'
import { nextView, type ReadingOptions, type Reload } from './next-view.ts'
import { recalledFlow } from './recall.ts'
import { isInCanary } from './release.ts'
import { firstView, stateOf, wantedOf, type FlowState } from './view.ts'

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
  /**
   * What is in force, by name. `broken`: where the first error of its files is, if the files are not what serves.
   * `recalled`: how a recall changed what new dials get.
   */
  names(): { name: string; revision: string; broken?: string; recalled?: string }[]
  state(): FlowState[]
  /** Revisions that a purge must keep: in force, on trial, or what a file is. */
  wanted(): string[]
}

/**
 * Reads the folder once. The caller calls `reload` when files or decisions may have changed. Rejects if the decisions
 * cannot be read: without them a recalled revision might serve.
 */
export async function openFlows(options: FlowsOptions): Promise<{ flows: Flows; first: Reload }> {
  const flows = registry(options)
  return { flows, first: await flows.reload() }
}

function registry(options: FlowsOptions): Flows {
  const services = new Map((options.services ?? []).map((flow) => [flow.name, flow]))
  const kept = keptRevisions([...services.values()], options)
  const testers = new Set(options.testers)
  const folder = flowFolder(options)
  let view = firstView(services)
  let reloading: Promise<unknown> = Promise.resolve()

  /**
   * A dialogue on a recalled revision gets the text of the recall and nothing else, however the revision came into
   * force.
   */
  const allowed = (flow: CompiledFlow | undefined) => {
    const recall = flow && view.decisions.recalls.get(flow.revision)
    return recall ? recalledFlow(flow, recall.texts) : flow
  }

  const reload = async (read: FlowFolder['read']): Promise<Reload> => {
    const { view: next, report } = await nextView(view, options, { services, kept, read })
    view = next
    kept.trim(wantedOf(view))
    if (report.served.length + report.problems.length > 0) options.onReload?.(report)
    return report
  }

  // Reloads run one after the other, so that a slow one cannot put an older state in force.
  const inTurn = (read: FlowFolder['read']): Promise<Reload> => {
    const done = reloading.then(() => reload(read))
    reloading = done.catch(() => undefined)
    return done
  }

  return {
    current(name, msisdn) {
      const canary = msisdn === undefined ? undefined : view.canaries.get(name)
      if (canary && (testers.has(msisdn!) || isInCanary(canary, msisdn!))) return canary.flow
      return allowed(view.current.get(name))
    },
    pinned: async (revision) => allowed(await kept.find(revision)),
    loaded: (revision) => allowed(kept.known(revision)),
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
    reload: () => inTurn(folder.read),
    look: () => inTurn(folder.look),
  }
}

function recalledNote(replaced: string, revision: string): string {
  return replaced === revision
    ? `${replaced} was recalled, and the archive has no other revision: every dial gets the text of the recall`
    : `${replaced} was recalled: ${revision} serves instead`
}

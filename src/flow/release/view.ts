/** The flows at one moment: what serves, what is on trial, and why. Pure. */
import type { FlowProblem } from '../check/index.ts'
import type { CompiledFlow } from '../engine/index.ts'
import type { LoadedFlow } from '../load/index.ts'
import { NOTHING_DECIDED, type Canary, type Decisions, type Release } from './release.ts'

/** A consistent view. It is replaced as a whole and never changed. */
export interface View {
  loaded: ReadonlyMap<string, LoadedFlow>
  current: ReadonlyMap<string, CompiledFlow>
  canaries: ReadonlyMap<string, Canary & { flow: CompiledFlow }>
  /** Keyed by flow name: see FlowState. */
  replaced: ReadonlyMap<string, string>
  decisions: Decisions
  /** Problems of decisions. They are reported once, though every reload finds them. */
  standing: readonly FlowProblem[]
}

/** The view before anything was read: only the flows written in TypeScript. */
export function firstView(services: ReadonlyMap<string, CompiledFlow>): View {
  return {
    loaded: new Map(),
    current: services,
    canaries: new Map(),
    replaced: new Map(),
    decisions: NOTHING_DECIDED,
    standing: [],
  }
}

/** The state of one flow in this daemon. */
export interface FlowState {
  name: string
  revision: string
  /** The revision of its file, if the file was ever valid. */
  file: string | null
  canary: { revision: string; share: number } | null
  /** Recalled revisions: their dialogues end at the next turn. */
  recalled: string[]
  /**
   * The recalled revision that would serve: `revision` serves in its place. If it equals `revision`, there is no other,
   * and every dial gets the text of the recall.
   */
  replaced: string | null
  /** The last decision, if there is one. */
  release: Release | null
  /** What is wrong with its current files: they are not what serves. */
  problems: FlowProblem[]
}

export function stateOf({ current, loaded, canaries, replaced, decisions }: View): FlowState[] {
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

/** Revisions that are in force, on trial, or what a file is. */
export function wantedOf({ current, loaded, canaries }: View): Set<string> {
  const flows = [
    ...current.values(),
    ...[...loaded.values()].map((entry) => entry.flow),
    ...[...canaries.values()].map(({ flow }) => flow),
  ]
  return new Set(flows.flatMap((flow) => (flow ? [flow.revision] : [])))
}

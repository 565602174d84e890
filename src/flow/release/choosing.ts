/**
 * Chooses which revision of a flow is in force and which is on trial, from the files, the decisions and the archive.
 */
import type { FlowProblem } from '../check/index.ts'
import { inForce, type Canary, type Decisions, type DecisionsRead, type PublishMode } from './release.ts'
import type { CompiledFlow } from '../engine/index.ts'

export interface Choosing {
  options: { mode?: PublishMode; decisions?: DecisionsRead }
  decisions: Decisions
  /** What was in force before. */
  before: ReadonlyMap<string, CompiledFlow>
  services: ReadonlyMap<string, CompiledFlow>
  find(revision: string): Promise<CompiledFlow | undefined>
  /** Every problem is added here. */
  problems: FlowProblem[]
  /** Flow name → the recalled revision that would serve. */
  replaced: Map<string, string>
}

/** If a revision is missing, the one that was in force before stays, and there is a problem. */
export function choosing({ options, decisions, before, services, find, problems, replaced }: Choosing) {
  const { recalls, releases } = decisions
  const had = (revision: string, name: string) => published({ find, problems }, revision, name)

  /**
   * What serves in place of `recalled`: another revision; or, if there is none, `recalled` itself, which only shows the
   * text of the recall.
   */
  async function instead(recalled: string, name: string): Promise<CompiledFlow | undefined> {
    replaced.set(name, recalled)
    for (const revision of await unrecalled({ options, problems }, name, before.get(name))) {
      const flow = recalls.has(revision) ? undefined : await had(revision, name)
      if (!flow) continue
      problems.push({
        severity: 'warning',
        where: recalled,
        what: `was recalled: ${revision} serves instead`,
        remedy: `fix or remove the file; flow publish ${recalled} undoes the recall`,
      })
      return flow
    }
    problems.push({
      severity: 'warning',
      where: recalled,
      what: 'was recalled, and the archive has no other revision: every dial gets the text of the recall',
      remedy: `put a fixed file in its place; flow publish ${recalled} undoes the recall`,
    })
    return had(recalled, name)
  }

  return {
    /** A recalled revision only if there is no other. */
    async current(name: string, file: CompiledFlow | undefined): Promise<CompiledFlow | undefined> {
      const stands = before.get(name)
      const fallback = stands && stands !== services.get(name) ? stands : file
      const revision = inForce(releases.get(name), file?.revision, options.mode ?? 'files') ?? fallback?.revision
      if (revision === undefined) return undefined
      if (recalls.has(revision)) return instead(revision, name)
      const flow = revision === file?.revision ? file : await had(revision, name)
      if (flow || !fallback) return flow
      return recalls.has(fallback.revision) ? instead(fallback.revision, name) : fallback
    },
    async canary(name: string): Promise<(Canary & { flow: CompiledFlow }) | undefined> {
      const canary = releases.get(name)?.canary
      if (!canary || recalls.has(canary.revision)) return undefined
      const flow = await had(canary.revision, name)
      return flow && { ...canary, flow }
    },
  }
}

/** Reads a revision from the archive. A missing revision is a problem. */
async function published(
  { find, problems }: Pick<Choosing, 'find' | 'problems'>,
  revision: string,
  name: string,
): Promise<CompiledFlow | undefined> {
  const flow = await find(revision).catch(() => undefined)
  if (flow?.name === name) return flow
  problems.push({
    severity: 'error',
    where: revision,
    what: 'the published revision is missing from the archive',
    remedy: 'look for it in the table flow_revision; this version must be able to read it',
  })
  return undefined
}

/** Newest first. What this daemon happened to serve does not count, so that all daemons choose the same. */
async function unrecalled(
  { options, problems }: Pick<Choosing, 'options' | 'problems'>,
  name: string,
  stands: CompiledFlow | undefined,
): Promise<string[]> {
  try {
    return (await options.decisions?.unrecalled(name)) ?? []
  } catch (error) {
    problems.push({
      severity: 'warning',
      where: name,
      what: `its revisions could not be read: ${(error as Error).message}`,
      remedy: 'the revision that serves now stays, unless it was recalled; the next reload tries again',
    })
    return stands ? [stands.revision] : []
  }
}

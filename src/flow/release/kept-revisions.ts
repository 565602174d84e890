/** Compiled revisions: those in memory, and how the others are loaded. */
import type { CompiledFlow, FlowArchive } from '../engine/index.ts'
import { asksSecret, compileFlow, type FolderOptions } from '../load/index.ts'
import type { FlowSource } from '../read/index.ts'

/** How many compiled revisions stay in memory besides those in force. Others are compiled again from the archive. */
export const REVISIONS_KEPT_MAX = 50

export interface KeptRevisions {
  remember(flow: CompiledFlow): void
  /** Drops the oldest revisions that are not in use, beyond REVISIONS_KEPT_MAX. */
  trim(inUse: ReadonlySet<string>): void
  /** The revision, if it is in memory. */
  known(revision: string): CompiledFlow | undefined
  find(revision: string): Promise<CompiledFlow | undefined>
}

export function keptRevisions(
  services: readonly CompiledFlow[],
  { archive, types, readable = false }: Pick<FolderOptions, 'types' | 'readable'> & { archive?: FlowArchive },
): KeptRevisions {
  const revisions = new Map(services.map((flow) => [flow.revision, flow]))
  const remember = (flow: CompiledFlow) => {
    revisions.delete(flow.revision)
    revisions.set(flow.revision, flow)
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
    // Another engine may read the same file in another way. The result is then not what the dialogue began with.
    if (flow.revision !== revision) return undefined
    remember(flow)
    trim(wanted)
    return flow
  }
  // After a restart, all dialogues of a revision may answer at once: one of them loads it, the others wait.
  const loading = new Map<string, Promise<CompiledFlow | undefined>>()
  return {
    remember,
    trim,
    known: (revision) => revisions.get(revision),
    async find(revision: string): Promise<CompiledFlow | undefined> {
      const known = revisions.get(revision) ?? loading.get(revision)
      if (known) return known
      const found = load(revision).finally(() => loading.delete(revision))
      loading.set(revision, found)
      return found
    },
  }
}

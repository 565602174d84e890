/** Writes the current files into the archive, so that any daemon can compile a revision from there. */
import type { FlowProblem } from '../check/index.ts'
import type { CompiledFlow, FlowArchive } from '../engine/index.ts'
import type { LoadedFlow } from '../load/index.ts'
import type { FlowFiles, FlowSource } from '../read/index.ts'

/** Puts the files into the archive. What could not be written is tried again at the next reload. */
export async function archiveNew(
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

/** The source without the folder in which the files are. */
export function portable({ parts, backends, ...flow }: FlowSource): FlowSource {
  const bare = (path: string) => path.replace(/^.*[\\/]/, '')
  const files = ({ file, text, catalogues }: FlowFiles) => ({
    file: bare(file),
    text,
    catalogues: catalogues.map((found) => ({ file: bare(found.file), text: found.text })),
  })
  return {
    ...files(flow),
    ...(parts ? { parts: parts.map(files) } : {}),
    ...(backends ? { backends: backends.map(({ file, text }) => ({ file: bare(file), text })) } : {}),
  }
}

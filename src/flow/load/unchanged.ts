/**
 * A folder of flow files that is looked at again and again. Files that the file system reports as unchanged are not
 * read again. But that report is not trusted too soon, and not for ever.
 */
import { readFolder, type Folder, type FolderOptions, type LoadedFlow } from './folder.ts'
import { stampOf } from '../read/index.ts'

/**
 * Files that were just written may be written again within one tick of the file system; the coarsest tick is two
 * seconds (FAT). So a stamp is trusted only if the files were read at least this long after the stamp was first seen.
 */
const TICK_MS = 2_000
/**
 * How long a stamp is trusted. It catches file systems that do not report a change (network mounts, a clock set back).
 */
const BELIEVED_MS = 60_000

export interface FlowFolder {
  /** Reads all files. */
  read(before: ReadonlyMap<string, LoadedFlow>): Promise<Folder>
  /** The same, but without reading files that did not change. */
  look(before: ReadonlyMap<string, LoadedFlow>): Promise<Folder>
}

export function flowFolder(options: FolderOptions): FlowFolder {
  const { now } = options
  let seen: { stamp: string; firstMs: number; readMs: number } | undefined

  async function read(before: ReadonlyMap<string, LoadedFlow>, stamp: string | undefined): Promise<Folder> {
    const startedMs = now?.() ?? 0
    const folder = await readFolder(options, before)
    // A folder that was unreadable may be readable again, and no stamp would show it.
    if (stamp === undefined || folder.problems.length > 0) seen = undefined
    else seen = { stamp, firstMs: seen?.stamp === stamp ? seen.firstMs : startedMs, readMs: startedMs }
    return folder
  }

  const isBelieved = (stamp: string | undefined): boolean =>
    seen !== undefined &&
    now !== undefined &&
    stamp === seen.stamp &&
    seen.readMs - seen.firstMs >= TICK_MS &&
    now() - seen.readMs < BELIEVED_MS

  return {
    // Takes the stamp first: a change while the files are read then shows up as another stamp at the next look.
    read: async (before) => read(before, await stampOf(options.folder)),
    async look(before) {
      const stamp = await stampOf(options.folder)
      return isBelieved(stamp) ? { entries: before, problems: [] } : read(before, stamp)
    },
  }
}

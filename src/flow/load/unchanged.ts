/**
 * A folder of flow files that is looked at again and again. What the file system calls unchanged is not read; but it is
 * not believed for ever, nor too soon.
 */
import { readFolder, type Folder, type FolderOptions, type LoadedFlow } from './folder.ts'
import { stampOf } from '../read/index.ts'

/**
 * Files that were written a moment ago may be written again within the same tick of the file system, the coarsest of
 * which is two seconds (FAT): they are believed once they were read that long after they were first seen as they are.
 */
const TICK_MS = 2_000
/** A file system that tells nothing of a change (over a network, or after a clock was set back) is caught by then. */
const BELIEVED_MS = 60_000

export interface FlowFolder {
  /** Reads all files. */
  read(before: ReadonlyMap<string, LoadedFlow>): Promise<Folder>
  /** The same, but does not read files that were not changed. */
  look(before: ReadonlyMap<string, LoadedFlow>): Promise<Folder>
}

export function flowFolder(options: FolderOptions): FlowFolder {
  const { now } = options
  let seen: { stamp: string; firstMs: number; readMs: number } | undefined

  async function read(before: ReadonlyMap<string, LoadedFlow>, stamp: string | undefined): Promise<Folder> {
    const startedMs = now?.() ?? 0
    const folder = await readFolder(options, before)
    // A folder that could not be read may be readable again, and no stamp would say so.
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
    // The stamp first: what changes while the files are read is another stamp at the next look.
    read: async (before) => read(before, await stampOf(options.folder)),
    async look(before) {
      const stamp = await stampOf(options.folder)
      return isBelieved(stamp) ? { entries: before, problems: [] } : read(before, stamp)
    },
  }
}

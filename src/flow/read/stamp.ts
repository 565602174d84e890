/** Whether files have changed, without reading them. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { PARTS } from './loader.ts'

/**
 * What the file system says of the YAML files in a folder of flows, and of its parts: the same as before where nothing
 * was written. Of each the time of its last change (ctime) counts, which no program can set back, and its number, which
 * is another one in a folder that a link now leads to. undefined: it does not say, so they have to be read.
 */
export async function stampOf(folder: string): Promise<string | undefined> {
  try {
    const parts = await stampsIn(join(folder, PARTS)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return []
    })
    return [...(await stampsIn(folder)), '', ...parts].join('\n')
  } catch {
    return undefined
  }
}

async function stampsIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).toSorted()
  return Promise.all(
    names.map(async (name) => {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(join(folder, name), { bigint: true })
      return [name, dev, ino, size, mtimeNs, ctimeNs].join(' ')
    }),
  )
}

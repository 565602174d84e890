/** Tells whether files have changed, without reading them. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BACKENDS, PARTS } from './loader.ts'

/**
 * What the file system says about the YAML files in a folder of flows, its parts and back ends: the same as before if
 * nothing was written. It has the time of each file's last change (ctime), which no program can set back, and its inode
 * number, which differs if a link now leads to another folder. Undefined: the file system does not say, so the files
 * must be read.
 */
export async function stampOf(folder: string): Promise<string | undefined> {
  try {
    const within = async (name: string) =>
      stampsIn(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
        return []
      })
    return [...(await stampsIn(folder)), '', ...(await within(PARTS)), '', ...(await within(BACKENDS))].join('\n')
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

/** A folder of flows: `<flow>.yaml`, with catalogues `<flow>.<language>.yaml` beside it. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FlowSource } from './read.ts'

/** The names of the flows in a folder, in order. */
export async function flowNames(folder: string): Promise<string[]> {
  const files = await readdir(folder)
  return files.flatMap((file) => /^([a-z][a-z0-9-]*)\.ya?ml$/.exec(file)?.[1] ?? []).toSorted()
}

/** The files of one flow. Rejects if they cannot be read. */
export async function sourceOf(folder: string, name: string): Promise<FlowSource> {
  const files = await readdir(folder)
  const file = files.find((found) => found === `${name}.yaml` || found === `${name}.yml`) ?? `${name}.yaml`
  const others = files
    .filter((found) => found.startsWith(`${name}.`) && /^[a-z][a-z0-9-]*\.[A-Za-z0-9-]+\.ya?ml$/.test(found))
    .toSorted()
  const read = async (found: string) => ({
    file: join(folder, found),
    text: await readFile(join(folder, found), 'utf8'),
  })
  return { ...(await read(file)), catalogues: await Promise.all(others.map(read)) }
}

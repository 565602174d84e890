/** A folder of flows: `<flow>.yaml`, with catalogues `<flow>.<language>.yaml` beside it. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { partsNamed, type FlowFiles, type FlowSource } from './read.ts'

/** Where the parts are, within the folder. */
const PARTS = 'parts'

/** The names of the flows in a folder, in order. */
export async function flowNames(folder: string): Promise<string[]> {
  const files = await readdir(folder)
  return files.flatMap((file) => /^([a-z][a-z0-9-]*)\.ya?ml$/.exec(file)?.[1] ?? []).toSorted()
}

/** The files of one flow, with all parts that it leads to; those that are not there are left to the check. Rejects if it cannot be read. */
export async function sourceOf(folder: string, name: string): Promise<FlowSource> {
  const flow = await filesOf(folder, name)
  const parts = new Map<string, FlowFiles | undefined>()
  const next = partsNamed(flow)
  for (const part of next) {
    if (parts.has(part)) continue
    const found = await filesOf(join(folder, PARTS), part).catch(absent)
    parts.set(part, found)
    if (found) next.push(...partsNamed(found))
  }
  const found = [...parts.values()].filter((part) => part !== undefined)
  return found.length === 0 ? flow : { ...flow, parts: found }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

async function filesOf(folder: string, name: string): Promise<FlowFiles> {
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

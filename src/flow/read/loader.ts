/** A folder of flows: `<flow>.yaml` with the catalogues `<flow>.<language>.yaml` beside it. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { partsNamed, type FlowFiles, type FlowSource } from './read.ts'
import { FLOW_FILE_OCTETS_MAX } from '../language/index.ts'

/** The subfolder of the parts. */
export const PARTS = 'parts'

/** The names of the flows in a folder, sorted. */
export async function flowNames(folder: string): Promise<string[]> {
  const files = await readdir(folder)
  return files.flatMap((file) => /^([a-z][a-z0-9-]*)\.ya?ml$/.exec(file)?.[1] ?? []).toSorted()
}

/** The part files in a folder that none of these flows uses, sorted. */
export async function unusedParts(folder: string, flows: readonly FlowSource[]): Promise<string[]> {
  const names = await flowNames(join(folder, PARTS)).catch(absent)
  const used = new Set(flows.flatMap(({ parts = [] }) => parts.map(({ file }) => file)))
  const files = await Promise.all((names ?? []).map((name) => filesOf(join(folder, PARTS), name)))
  return files.flatMap(({ file }) => (used.has(file) ? [] : [file]))
}

/** A character has at most this many octets in UTF-8. A longer file is refused without being read. */
const OCTETS_OF_CHARACTER_MAX = 4

/**
 * The files of one flow, with all parts that it uses. The check reports parts that do not exist. Rejects if the flow
 * cannot be read, or if it is too long.
 */
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
  const read = async (found: string) => {
    const path = join(folder, found)
    const { size } = await stat(path)
    if (size > FLOW_FILE_OCTETS_MAX * OCTETS_OF_CHARACTER_MAX)
      throw new Error(`${path} has ${size} octets: too long for a flow`)
    return { file: path, text: await readFile(path, 'utf8') }
  }
  return { ...(await read(file)), catalogues: await Promise.all(others.map(read)) }
}

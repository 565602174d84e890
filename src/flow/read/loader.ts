/** A folder of flows: `<flow>.yaml` with the catalogues `<flow>.<language>.yaml` beside it. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { partsNamed, type FlowFiles, type FlowSource } from './read.ts'
import { FLOW_FILE_OCTETS_MAX } from '../language/index.ts'

/** The subfolder of the parts. */
export const PARTS = 'parts'
/** The subfolder of what back ends say of their operations. */
export const BACKENDS = 'backends'

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
  const backends = await backendsIn(join(folder, BACKENDS), [flow, ...found])
  // The same object: what was parsed of it is used when the flow is read.
  return Object.assign(flow, found.length === 0 ? {} : { parts: found }, backends.length === 0 ? {} : { backends })
}

/** A back end that describes itself: as if its file were in the folder `backends`. */
export interface DeclaredBackend {
  name: string
  operations: object
}

/**
 * The source with what back ends say themselves. A file beside the flow goes before it. It becomes part of the source,
 * so that a revision means the same wherever it is compiled.
 */
export function withBackends(source: FlowSource, declared: readonly DeclaredBackend[]): FlowSource {
  const own = new Set((source.backends ?? []).map(({ file }) => file.replace(/^.*[\\/]|\.ya?ml$/g, '')))
  const texts = [source, ...(source.parts ?? [])].map(({ text }) => text)
  const added = declared
    .filter(({ name }) => !own.has(name) && texts.some((text) => text.includes(`${name}.`)))
    .map(({ name, operations }) => ({
      file: `module/${name}.yaml`,
      text: JSON.stringify({ backend: name, spec: 1, operations }, null, 2),
    }))
  return added.length === 0 ? source : { ...source, backends: [...(source.backends ?? []), ...added] }
}

/** The files of the back ends that these files mention. */
async function backendsIn(folder: string, files: readonly FlowFiles[]): Promise<{ file: string; text: string }[]> {
  const names = (await flowNames(folder).catch(absent)) ?? []
  const called = names.filter((name) => files.some(({ text }) => text.includes(`${name}.`)))
  const found = await Promise.all(called.map((name) => filesOf(folder, name)))
  return found.map(({ file, text }) => ({ file, text }))
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

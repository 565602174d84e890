/** A folder of flow files that is read again and again: what each flow is by its files, and what is wrong with them. */
import { createHash } from 'node:crypto'
import { ProblemsError, type Problem, inPieces } from '../../base/index.ts'
import type { FlowProblem } from '../check/index.ts'
import { compilingFlow } from './compile.ts'
import { secretsOf, type FlowDefinition, type ScreenTypes } from '../language/index.ts'
import { flowNames, sourceOf, withBackends, type DeclaredBackend, type FlowSource } from '../read/index.ts'
import type { CompiledFlow } from '../engine/index.ts'

/** A flow, as its files were when they were last read. */
export interface LoadedFlow {
  /** The hash of the files: they are compiled only when it changes. '' if the files are gone. */
  files: string
  /** The compiled files. While the files are broken: what they were before. */
  flow: CompiledFlow | undefined
  source: FlowSource
  problems: FlowProblem[]
  archived: boolean
}

export interface Folder {
  entries: ReadonlyMap<string, LoadedFlow>
  problems: FlowProblem[]
}

export interface FolderOptions {
  folder: string
  /** The names of the back ends that the daemon has. */
  backends?: readonly string[]
  /** Back ends that say themselves what they can be asked. */
  declared?: readonly DeclaredBackend[] | undefined
  /** The screen types. Default: the built-in ones. */
  types?: ScreenTypes | undefined
  /** The dialogue store would hold pressed keys in clear text, so flows that ask for a secret are refused. */
  readable?: boolean
  /**
   * Resolves after this many milliseconds. Files that change meanwhile are still being written. Between two pieces of
   * compiling, turns are played. Without it everything is done at once.
   */
  pause?: (ms: number) => Promise<void>
  /** For durations. Without it, every look reads every file. */
  now?: () => number
}

export function asksSecret(definition: FlowDefinition): boolean {
  return secretsOf(definition).size > 0
}

/** Why a flow that asks for a secret is refused when stored keys are readable. */
export function secretInClear(file: string): Problem {
  const what = 'the flow asks for a secret, and the dialogue store would hold it in clear text'
  return { where: `${file}:1:1`, what, remedy: 'set privacy.storeKeyFile' }
}

/** Never rejects because of the content of the files. Files that are the same as in `before` are not compiled again. */
export async function readFolder(options: FolderOptions, before: ReadonlyMap<string, LoadedFlow>): Promise<Folder> {
  const { folder } = options
  const entries = new Map<string, LoadedFlow>()
  const problems: FlowProblem[] = []
  const names = await flowNames(folder).catch((error: unknown) => {
    problems.push(unreadable(folder, error))
    return [...before.keys()]
  })
  for (const name of names) {
    const last = before.get(name)
    try {
      entries.set(name, await readEntry(options, name, last))
    } catch (error) {
      const problem = unreadable(`${folder}/${name}.yaml:1:1`, error)
      entries.set(
        name,
        last?.files === problem.what ? last : refusing({ ...NOTHING, ...last, files: problem.what }, [problem]),
      )
    }
  }
  for (const [name, last] of before) {
    if (entries.has(name)) continue
    entries.set(name, { ...last, files: '' })
    if (last.files === '') continue
    const what = 'the file of this flow is gone: its last revision serves until the daemon stops'
    problems.push({ severity: 'warning', where: `${folder}/${name}`, what })
  }
  return { entries, problems }
}

/**
 * Compiles all files again, because what they may call has changed. As with `readFolder`, a file that is refused, or
 * gone, keeps the flow that it had.
 */
export async function recompileFolder(
  options: FolderOptions,
  before: ReadonlyMap<string, LoadedFlow>,
): Promise<Folder> {
  const read = await readFolder(options, new Map())
  const entries = new Map([...before].map(([name, last]): [string, LoadedFlow] => [name, { ...last, files: '' }]))
  for (const [name, entry] of read.entries) {
    const last = before.get(name)
    const archived = last?.archived === true && last.flow?.revision === entry.flow?.revision
    entries.set(name, { ...entry, flow: entry.flow ?? last?.flow, archived: entry.archived || archived })
  }
  return { entries, problems: read.problems }
}

function unreadable(where: string, error: unknown): FlowProblem {
  return { severity: 'error', where, what: `cannot be read: ${(error as Error).message}` }
}

/** A flow that never existed. */
const NOTHING: LoadedFlow = {
  files: '',
  flow: undefined,
  source: { file: '', text: '', catalogues: [] },
  problems: [],
  archived: true,
}

/** Broken files keep the previous flow, with the new problems. */
function refusing(last: LoadedFlow, problems: FlowProblem[]): LoadedFlow {
  return { ...last, problems }
}

/** Editors and copies need a few milliseconds to write a flow. */
const SETTLE_MS = 100

async function readEntry(options: FolderOptions, name: string, last: LoadedFlow | undefined): Promise<LoadedFlow> {
  const read = async () => withBackends(await sourceOf(options.folder, name), options.declared ?? [])
  const source = await read()
  const files = hashOf(source)
  if (last?.files === files) return last
  if (last && options.pause) {
    await options.pause(SETTLE_MS)
    // Half a file may be a valid flow that nobody meant. The next look sees the whole file.
    if (hashOf(await read()) !== files) return last
  }
  return compileEntry({ source, files, name, last }, options)
}

function hashOf(source: FlowSource): string {
  return createHash('sha256').update(JSON.stringify(source)).digest('hex')
}

interface Compiling {
  source: FlowSource
  files: string
  name: string
  last: LoadedFlow | undefined
}

async function compileEntry({ source, files, name, last }: Compiling, options: FolderOptions): Promise<LoadedFlow> {
  const { backends, types, readable = false, pause } = options
  const refused = (problems: FlowProblem[]) => refusing({ ...NOTHING, source, ...last, files }, problems)
  try {
    const { flow, warnings, definition } = await inPieces(
      'flow-check',
      compilingFlow(source, backends, types),
      async () => pause?.(0),
    )
    if (readable && asksSecret(definition)) return refused([{ severity: 'error', ...secretInClear(source.file) }])
    if (flow.name === name) return { files, source, flow, problems: warnings, archived: false }
    const what = `the flow is called '${flow.name}', but its file '${name}'`
    return refused([{ severity: 'error', where: `${source.file}:1:1`, what, remedy: 'give both the same name' }])
  } catch (error) {
    if (error instanceof ProblemsError)
      return refused(error.problems.map((problem) => ({ severity: 'error', ...problem })))
    const what = `the flow does not compile: ${(error as Error).message}`
    return refused([{ severity: 'error', where: `${source.file}:1:1`, what }])
  }
}

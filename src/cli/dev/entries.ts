/** The folder of flows that is watched: what each flow is by its files, and what is wrong with them. */
import { join } from 'node:path'
import { inPieces, ProblemsError } from '../../base/index.ts'
import { checkSource, type FlowProblem } from '../../flow/check/index.ts'
import type { Walked } from '../../flow/explore/index.ts'
import { compilingFlow, type Compilation } from '../../flow/load/index.ts'
import { flowNames, type FlowSource, sourceOf, stampOf, withBackends } from '../../flow/read/index.ts'
import { declaredBy } from '../../daemon/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { type Checking, examinedFlow } from '../check/check.ts'
import { knownBackends } from '../check/settings-check.ts'
import { talkProblems, talkStamp, talkText } from './talks.ts'

export interface WatchedFlow {
  name: string
  /** The files of the flow, compiled. While they are broken or gone: what they were before. */
  compilation: Compilation | undefined
  is: 'good' | 'broken' | 'gone'
  /** Of the files as they are saved. */
  problems: readonly FlowProblem[]
  /** How far `check` walked. Undefined: it still walks, or it cannot. */
  walked: Walked | undefined
  isChecking: boolean
}

export interface WatchOptions {
  folder: string
  /** Only this flow. Undefined: all in the folder. */
  only?: string | undefined
  checking: Checking
  clock: Clock
  /** Something was saved, or a check has ended. `flow`: this flow has another revision now. */
  onChange(flow?: WatchedFlow): void
}

/** How often the file system is asked. */
const LOOK_MS = 100
/** Files that change all the time are read at least this often: editors write a file in several steps. */
const SETTLE_MS = 400
/** A file may be written twice within one tick of the file system, which does not tell. So it is read once more. */
const TICK_MS = 2_000

interface Entry extends WatchedFlow {
  /** The text of all files. */
  text: string
  source: FlowSource | undefined
}

export class FlowEntries {
  /** Why the folder cannot be read. */
  problem: string | undefined
  private readonly entries = new Map<string, Entry>()
  private readonly options: WatchOptions
  private stamp: string | undefined = ''
  private seen: { stamp: string | undefined; sinceMs: number } | undefined
  private againMs = Infinity
  private isStopped = false
  private callOff = () => {}
  /** The flow whose check is running, and those that wait. */
  private readonly unchecked = new Set<Entry>()
  private isChecking = false

  constructor(options: WatchOptions) {
    this.options = options
  }

  get all(): readonly WatchedFlow[] {
    return [...this.entries.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  get(name: string): WatchedFlow | undefined {
    return this.entries.get(name)
  }

  /** Reads the folder, and then again whenever something in it is saved. */
  async start(): Promise<void> {
    this.stamp = await this.stampNow()
    await this.read()
    this.next()
  }

  stop(): void {
    this.isStopped = true
    this.callOff()
  }

  private next(): void {
    if (this.isStopped) return
    this.callOff = this.options.clock.after(LOOK_MS, () => void this.look().then(() => this.next()))
  }

  private async look(): Promise<void> {
    const stamp = await this.stampNow()
    const nowMs = this.options.clock.now()
    if (stamp === this.stamp && nowMs < this.againMs) return
    if (stamp !== this.stamp && !this.isSettled(stamp, nowMs)) return
    this.againMs = stamp === this.stamp ? Infinity : nowMs + TICK_MS
    this.stamp = stamp
    this.seen = undefined
    await this.read()
  }

  private async stampNow(): Promise<string | undefined> {
    const { folder } = this.options
    const [flows, talks] = await Promise.all([stampOf(folder), talkStamp(folder)])
    return flows === undefined ? undefined : `${flows}\n\n${talks}`
  }

  private isSettled(stamp: string | undefined, nowMs: number): boolean {
    const { seen } = this
    this.seen = { stamp, sinceMs: seen?.sinceMs ?? nowMs }
    return seen !== undefined && (seen.stamp === stamp || nowMs - seen.sinceMs >= SETTLE_MS)
  }

  private async read(): Promise<void> {
    const { folder, only } = this.options
    const before = this.problem
    const names = await flowNames(folder).catch((error: Error) => error)
    this.problem = names instanceof Error ? `${folder} cannot be read: ${names.message}` : undefined
    const wanted = names instanceof Error ? [] : names.filter((name) => only === undefined || name === only)
    let isChanged = before !== this.problem
    for (const name of wanted) isChanged = (await this.readEntry(name)) || isChanged
    for (const entry of this.entries.values()) {
      if (wanted.includes(entry.name) || entry.is === 'gone') continue
      isChanged = true
      this.unchecked.delete(entry)
      Object.assign(entry, { is: 'gone', text: '', problems: [this.goneProblem(entry)], isChecking: false })
    }
    if (isChanged) this.options.onChange()
    void this.check()
  }

  private goneProblem({ name, compilation }: Entry): FlowProblem {
    const what = compilation
      ? `the file is gone: the phone goes on with ${compilation.flow.revision}`
      : 'the file is gone'
    return { severity: 'error', rule: 'gone', where: join(this.options.folder, `${name}.yaml`), what }
  }

  /** Whether the files differ from what they were. */
  private async readEntry(name: string): Promise<boolean> {
    const { folder, checking } = this.options
    const read = await sourceOf(folder, name).catch((error: Error) => error)
    const source = read instanceof Error ? undefined : withBackends(read, declaredBy(checking.modules))
    const text = read instanceof Error ? read.message : JSON.stringify([source, talkText(folder, name)])
    const last = this.entries.get(name)
    if (last?.text === text) return false
    const entry: Entry = last ?? { name, compilation: undefined, walked: undefined, is: 'broken', ...NOT_READ }
    this.entries.set(name, entry)
    Object.assign(entry, { text, source, is: 'broken', walked: undefined, isChecking: false })
    if (!source) {
      const what = `cannot be read: ${text}`
      entry.problems = [{ severity: 'error', rule: 'file', where: join(folder, `${name}.yaml`), what }]
      return true
    }
    await this.compile(entry, source)
    return true
  }

  private async compile(entry: Entry, source: FlowSource): Promise<void> {
    const { checking, onChange } = this.options
    const backends = knownBackends(checking.settings)
    try {
      const compilation = await this.inPieces(compilingFlow(source, backends, checking.types))
      const isNew = compilation.flow.revision !== entry.compilation?.flow.revision
      Object.assign(entry, { compilation, is: 'good', problems: compilation.problems, isChecking: true })
      this.unchecked.add(entry)
      if (isNew) onChange(entry)
    } catch (error) {
      this.unchecked.delete(entry)
      entry.problems =
        error instanceof ProblemsError
          ? checkSource(source, backends, checking.types)
          : thrown(error as Error, source.file)
    }
  }

  /** What `check` finds, one flow after the other. What is saved meanwhile is checked after that. */
  private async check(): Promise<void> {
    if (this.isChecking) return
    this.isChecking = true
    for (const entry of this.unchecked) {
      this.unchecked.delete(entry)
      const { name, source, compilation, text } = entry
      if (!source || !compilation) continue
      const { folder, checking, onChange } = this.options
      const run = <T>(pieces: Generator<undefined, T>) => this.inPieces(unlessStale(pieces, () => entry.text !== text))
      const found = await examinedFlow({ folder, name, source }, compilation, checking, run).catch((error: Error) => ({
        problems: [...compilation.problems, ...thrown(error, join(folder, name))],
        walked: undefined,
      }))
      const talked = await talkProblems(folder, compilation, () => this.isStopped || entry.text !== text)
      if (this.isStopped) break
      if (entry.text !== text) continue
      Object.assign(entry, { problems: [...found.problems, ...talked], walked: found.walked, isChecking: false })
      onChange()
    }
    this.isChecking = false
  }

  private inPieces<T>(pieces: Generator<undefined, T>): Promise<T> {
    return inPieces('flow-check', pieces, () => new Promise((done) => setImmediate(done)))
  }
}

const NOT_READ = { problems: [], isChecking: false, text: '', source: undefined }

class Stale extends Error {}

/** Ends the work at its next pause if its files were saved again. */
function* unlessStale<T>(pieces: Generator<undefined, T>, isStale: () => boolean): Generator<undefined, T> {
  for (;;) {
    if (isStale()) throw new Stale()
    const { done, value } = pieces.next()
    if (done) return value as T
    yield
  }
}

/** A talk beside the flow that cannot be read, or a fault of the check itself. */
function thrown(error: Error, where: string): FlowProblem[] {
  if (error instanceof ProblemsError) return error.problems.map((problem) => ({ severity: 'error', ...problem }))
  return [{ severity: 'error', rule: 'check', where, what: `the check failed: ${error.message}` }]
}

/** Adds, changes, removes, stops and starts lines while the others keep running. */
import type { LinesChange } from '../../admin/index.ts'
import type { ConfiguredLine } from '../../config/index.ts'
import { readLine, type LineSource } from './line.ts'
import type { LinesDeps, Running } from './running.ts'
import type { Trials } from './trials.ts'

export interface LineTable {
  /** The lines in force, including stopped ones. */
  running: Map<string, Running>
  trials: Trials
  make(own: ConfiguredLine, source: LineSource): Running
  retire(old: Running): void
  /** Puts settings in force while the binds stay. */
  tune(one: Running, settings: ConfiguredLine, source: LineSource): void
  /** The caps of the running lines are those of their settings from now on. */
  follow(): void
  /** Writes to the log and the metrics. */
  tell(what: string, name: string): void
}

interface Planned {
  change: LinesChange
  sources: ReadonlyMap<string, LineSource>
}

/** What `applyLines` would do. Throws if a line cannot be made. */
export function planLines(next: readonly ConfiguredLine[], { settings }: LinesDeps, table: LineTable): Planned {
  const { running, trials } = table
  const sources = new Map(next.map((line) => [line.name, readLine(line, settings.dialects)]))
  const removed = [...running.keys()].filter((name) => !sources.has(name))
  const change: LinesChange = { added: [], changed: [], rebound: [], removed, kept: [] }
  for (const [name, source] of sources) {
    const now = trials.of(name)?.next ?? running.get(name)
    const isRebound = now?.source.print !== source.print
    if (!now) change.added.push(name)
    else change[isRebound || now.source.tuning !== source.tuning ? 'changed' : 'kept'].push(name)
    if (now && isRebound && !now.halted) change.rebound.push(name)
  }
  return { change, sources }
}

/** See `Lines.apply`. */
export function applyLines(next: readonly ConfiguredLine[], deps: LinesDeps, table: LineTable): LinesChange {
  const { settings } = deps
  const { running, trials } = table
  const { change, sources } = planLines(next, deps, table)
  const isNew = ({ name }: ConfiguredLine) =>
    (trials.of(name)?.next ?? running.get(name))?.source.print !== sources.get(name)?.print
  const made = next.filter(isNew).map((line) => table.make(line, sources.get(line.name)!))
  const tuned = next
    .filter((line) => !isNew(line) && retune(line, sources.get(line.name)!, table))
    .map(({ name }) => name)
  settings.lines.splice(0, settings.lines.length, ...next)
  for (const name of change.removed) removeLine(name, table)
  for (const name of tuned) table.tell('changed', name)
  for (const one of made) putLine(one, table)
  table.follow()
  return change
}

/** Puts settings in force that need no new bind. True: some of them differ. */
function retune(line: ConfiguredLine, source: LineSource, { running, trials, tune }: LineTable): boolean {
  const one = trials.of(line.name)?.next ?? running.get(line.name)!
  const before = one.source.tuning
  tune(one, line, source)
  return source.tuning !== before
}

function removeLine(name: string, { running, trials, tell, retire }: LineTable): void {
  const old = running.get(name)!
  running.delete(name)
  trials.of(name)?.callOff()
  tell('removed', name)
  if (!old.halted) retire(old)
}

/** Starts it at once if no line of this name serves; otherwise tries it first. */
function putLine(one: Running, { running, trials, tell, tune }: LineTable): void {
  const { name } = one.settings
  const old = running.get(name)
  if (old && !old.halted) {
    // The change was undone before its trial, so there is nothing to try.
    if (old.source.print === one.source.print) {
      tune(old, one.settings, one.source)
      trials.of(name)?.callOff()
    } else trials.begin(name, one)
    return
  }
  const what = old ? 'changed' : 'added'
  running.set(name, one)
  tell(what, name)
  one.halted = old?.halted ?? false
  if (!one.halted) one.line.start()
}

/** False: there is no such line. */
export function haltLine(name: string, { running, trials, tell, retire }: LineTable): boolean {
  const one = running.get(name)
  if (!one) return false
  if (one.halted) return true
  one.halted = true
  const trial = trials.of(name)
  if (trial) {
    // It starts again with the settings that were requested last.
    trial.callOff()
    trial.next.halted = true
    running.set(name, trial.next)
  }
  tell('stopped', name)
  retire(one)
  return true
}

/** False: there is no such line. */
export function resumeLine(name: string, { running, make, tell }: LineTable): boolean {
  const one = running.get(name)
  if (!one) return false
  if (!one.halted) return true
  // The stopped line may still be closing.
  const fresh = make(one.settings, one.source)
  running.set(name, fresh)
  tell('started', name)
  fresh.line.start()
  return true
}

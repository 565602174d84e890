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
  /** The caps of the running lines are those of their settings from now on. */
  follow(): void
  /** Writes to the log and the metrics. */
  tell(what: string, name: string): void
}

/** See `Lines.apply`. */
export function applyLines(next: readonly ConfiguredLine[], { settings }: LinesDeps, table: LineTable): LinesChange {
  const { running, trials } = table
  const sources = new Map(next.map((line) => [line.name, readLine(line, settings.dialects)]))
  const isNew = ({ name }: ConfiguredLine) =>
    (trials.of(name)?.next ?? running.get(name))?.source.print !== sources.get(name)?.print
  const made = next.filter(isNew).map((line) => table.make(line, sources.get(line.name)!))
  const others = next.filter((line) => !isNew(line))
  const recapped = others.filter((line) => recap(line, table)).map(({ name }) => name)
  const kept = others.map(({ name }) => name).filter((name) => !recapped.includes(name))
  settings.lines.splice(0, settings.lines.length, ...next)
  const removed = [...running.keys()].filter((name) => !sources.has(name))
  for (const name of removed) removeLine(name, table)
  for (const name of recapped) table.tell('changed', name)
  const change: LinesChange = { added: [], changed: recapped, removed, kept }
  for (const one of made) change[putLine(one, table)].push(one.settings.name)
  table.follow()
  return change
}

/** Puts its settings in force. True: it has another cap than before. */
function recap(line: ConfiguredLine, { running, trials }: LineTable): boolean {
  const one = trials.of(line.name)?.next ?? running.get(line.name)!
  const before = JSON.stringify(one.settings.submits)
  one.settings = line
  return JSON.stringify(line.submits) !== before
}

function removeLine(name: string, { running, trials, tell, retire }: LineTable): void {
  const old = running.get(name)!
  running.delete(name)
  trials.of(name)?.callOff()
  tell('removed', name)
  if (!old.halted) retire(old)
}

/** Starts it at once if no line of this name serves; otherwise tries it first. */
function putLine(one: Running, { running, trials, tell }: LineTable): 'added' | 'changed' {
  const { name } = one.settings
  const old = running.get(name)
  if (old && !old.halted) {
    // The change was undone before its trial, so there is nothing to try.
    if (old.source.print === one.source.print) {
      old.settings = one.settings
      trials.of(name)?.callOff()
    } else trials.begin(name, one)
    return 'changed'
  }
  const what = old ? 'changed' : 'added'
  running.set(name, one)
  tell(what, name)
  one.halted = old?.halted ?? false
  if (!one.halted) one.line.start()
  return what
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

/** The running lines. They may be added, changed, stopped and removed while the others keep running. */
import type { ConfiguredLine } from '../../config/index.ts'
import type { LineRefusal, LinesChange, OperatedLines } from '../../admin/index.ts'
import type { Line, LineLoad } from '../../smpp/index.ts'
import { LineCaps } from './caps.ts'
import { applyLines, planLines, haltLine, resumeLine, type LineTable } from './changes.ts'
import { createDepartures } from './departures.ts'
import { lineFigures, type BindFigure } from './figures.ts'
import { readLine } from './line.ts'
import { lineMaker, lineTuner, type LinesDeps, type Running } from './running.ts'
import { createTrials } from './trials.ts'

export interface Lines extends OperatedLines {
  /** Lines that take submits: not stopped and not closing. */
  readonly all: readonly Line[]
  get(name: string): Line | undefined
  anyBound(): boolean
  boundCount(): number
  binds(): BindFigure[]
  /** Of the lines that serve, by name. */
  loads(): ReadonlyMap<string, LineLoad>
  start(): void
  /** See `Line.stop`. */
  stop(untilMs: number, goneMs: number): Promise<void>
  /** Resolves when every line that is tried now has a verdict, with the lines that keep their old settings. */
  settled(): Promise<LineRefusal[]>
  /** What `apply` would change. Throws as it does. */
  plan(next: readonly ConfiguredLine[]): LinesChange
  /**
   * Changes the lines to those of `next`, which become `settings.lines`. A line that is not in it goes. A changed line
   * is tried, and replaces the old one if it is bound (replacement.ts). The others are not affected. Throws, and
   * changes nothing, if one cannot be made.
   */
  apply(next: readonly ConfiguredLine[]): LinesChange
}

export function createLines(deps: LinesDeps): Lines {
  const { settings, log, metrics } = deps
  const running = new Map<string, Running>()
  const departures = createDepartures(deps)
  let isStopping = false
  const trials = createTrials(deps, { running, leave: departures.leave, take, isStopping: () => isStopping })
  const caps = new LineCaps(deps)
  const make = lineMaker(deps, caps, (one) => running.get(one.settings.name) === one)
  const follow = () => caps.follow([...running.values()].map((one) => one.settings))
  const table: LineTable = { running, trials, make, retire: departures.retire, tune: lineTuner(deps), follow, tell }
  for (const line of settings.lines) running.set(line.name, make(line, readLine(line, settings.dialects)))
  follow()

  /** The tried settings are in force from now on. */
  function take(old: Running, next: Running): void {
    const { name } = next.settings
    running.set(name, next)
    follow()
    tell('changed', name)
    for (const { bind, state } of next.line.states()) deps.onState?.(name, bind, state)
    departures.retire(old)
  }

  function tell(what: string, name: string): void {
    metrics.count('line_changes_total', { line: name, what })
    log.info({ line: name, what }, 'line changed')
    deps.onChange?.(name, what)
  }

  const all = () => [...running.values(), ...trials.all().map(({ next }) => next), ...departures.all()]
  const serving = () => [...running.values()].filter((one) => !one.halted)
  const tried = () => Promise.all(trials.all().map(({ over }) => over))

  return {
    ...lineFigures(serving, all),
    get all() {
      return serving().map(({ line }) => line)
    },
    caps: () => caps.states(),
    loads: () =>
      new Map(serving().flatMap(({ settings: { name }, line }) => (line.load ? [[name, line.load()] as const] : []))),
    get: (name) => (running.get(name)?.halted ? undefined : running.get(name)?.line),
    start: () => serving().forEach(({ line }) => line.start()),
    async stop(untilMs, goneMs) {
      isStopping = true
      for (const trial of trials.all()) trial.callOff()
      const stopped = [...running.values(), ...departures.all()].map(({ line }) => line.stop(untilMs, goneMs))
      await Promise.all([...stopped, departures.over(), tried()])
      await caps.stop()
    },
    settled: async () => (await tried()).filter((one) => one !== undefined),
    plan: (next) => planLines(next, deps, table).change,
    apply: (next) => applyLines(next, deps, table),
    halt: (name) => haltLine(name, table),
    resume: (name) => resumeLine(name, table),
  }
}

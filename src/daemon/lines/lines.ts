/** The lines that run. They may be added, changed, stopped and removed while the others go on. */
import type { ConfiguredLine, Settings } from '../../config/index.ts'
import { makeLine, printOf } from './line.ts'
import type { BindState, LineRefusal, LinesChange, OperatedLines } from '../../admin/index.ts'
import { trialLog, tryOut } from './replacement.ts'
import type { Log, Metrics } from '../../base/index.ts'
import type { Tap, Connect, LateResponse } from '../../smpp/session/index.ts'
import type { BindRow, Line, LinkPort, Pdu } from '../../smpp/index.ts'
import type { Chance, Clock } from '../../ussd/index.ts'

export interface Lines extends OperatedLines {
  /** Those that take submits: neither stopped nor on their way out. */
  readonly all: readonly Line[]
  get(name: string): Line | undefined
  anyBound(): boolean
  boundCount(): number
  binds(): BindFigure[]
  start(): void
  stop(untilMs: number): Promise<void>
  /**
   * Makes the lines those of `next`, which become `settings.lines`. One that is not in it goes; a changed one is tried,
   * and takes the old one's place if it is bound (replacement.ts); the others do not notice. Throws, and changes nothing,
   * if one cannot be made.
   */
  apply(next: readonly ConfiguredLine[]): LinesChange
}

/** For metrics: binds by name, of the lines that an operator has not stopped. */
export interface BindFigure {
  line: string
  bind: string
  up: boolean
  /** Another daemon, or somebody, holds the bind. */
  standby: boolean
}

export interface LinesDeps {
  settings: Settings
  clock: Clock
  chance: Chance
  log: Log
  metrics: Metrics
  instance: string
  onRequest(pdu: Pdu, line: Line, link: LinkPort): Promise<void>
  /** A response that came after its deadline. */
  onLate(late: LateResponse, line: string): Promise<void>
  onState?(line: string, bind: string, state: string): void
  tap?: Tap | undefined
  /** Default: TCP or TLS. */
  connect?: Connect | undefined
}

interface Running {
  settings: ConfiguredLine
  print: string
  line: Line
  /** Requests of the SMSC that are being answered. */
  underWay: number
  halted: boolean
  /** It has yet to show that it can be bound. */
  onTrial: boolean
  heard?: (() => void) | undefined
}

const LOOK_MS = 20

/** A changed line that is being tried. */
interface Trying {
  next: Running
  isOff: boolean
  callOff(): void
  over: Promise<LineRefusal | undefined>
}

export function createLines(deps: LinesDeps): Lines {
  const { settings, clock, log, metrics } = deps
  const running = new Map<string, Running>()
  const leaving = new Set<Running>()
  const going = new Set<Promise<void>>()
  let generation = 0
  let isStopping = false
  const trials = createTrials(deps, { running, leave, take, isStopping: () => isStopping })
  for (const line of settings.lines) running.set(line.name, make(line, printOf(line, settings.dialects)))

  function make(own: ConfiguredLine, print: string): Running {
    // Links of one name must not be taken for each other's.
    const instance = `${deps.instance}${generation++ || ''}`
    return makeRunning(own, deps, { print, instance, isServing: (one) => running.get(own.name) === one })
  }

  /** What it was told is answered first; then it unbinds. */
  async function leave(old: Running): Promise<void> {
    const untilMs = clock.now() + settings.stopMs
    while (old.underWay > 0 && clock.now() < untilMs) await pause()
    await old.line.stop(untilMs)
  }

  function retire(old: Running): void {
    leaving.add(old)
    const gone = leave(old)
      .catch((error: unknown) => log.error({ err: error, line: old.settings.name }, 'a line did not stop'))
      .finally(() => {
        leaving.delete(old)
        going.delete(gone)
      })
    going.add(gone)
  }

  function take(old: Running, next: Running): void {
    const { name } = next.settings
    running.set(name, next)
    tell('changed', name)
    for (const { bind, state } of next.line.states()) deps.onState?.(name, bind, state)
    retire(old)
  }

  const pause = () => new Promise<void>((done) => clock.after(LOOK_MS, done))
  /** Whoever has binds. */
  const all = () => [...running.values(), ...trials.all().map(({ next }) => next), ...leaving]
  const serving = () => [...running.values()].filter((one) => !one.halted)
  const tell = (what: string, name: string) => {
    metrics.count('line_changes_total', { line: name, what })
    log.info({ line: name, what }, 'line changed')
  }

  return {
    get all() {
      return serving().map(({ line }) => line)
    },
    get: (name) => (running.get(name)?.halted ? undefined : running.get(name)?.line),
    anyBound: () => serving().some(({ line }) => line.bound()),
    boundCount: () =>
      all()
        .flatMap(({ line }) => line.states())
        .filter((bind) => bind.state.startsWith('bound')).length,
    binds: () =>
      serving().flatMap(({ settings: { name } }) => {
        const figures = new Map<string, BindFigure>()
        for (const {
          settings: { name: other },
          line,
        } of all()) {
          if (other !== name) continue
          for (const { bind, state } of line.states()) {
            const before = figures.get(bind)
            figures.set(bind, {
              line: name,
              bind,
              up: state === 'bound' || before?.up === true,
              standby: state === 'standby' || before?.standby === true,
            })
          }
        }
        return [...figures.values()]
      }),
    states: () => {
      const rows: Record<string, BindState[]> = {}
      for (const {
        settings: { name },
        line,
        halted,
      } of all()) {
        const binds = halted ? [] : line.states().map(stateOf)
        rows[name] = [...(rows[name] ?? []), ...binds]
      }
      return rows
    },
    start: () => serving().forEach(({ line }) => line.start()),
    async stop(untilMs) {
      isStopping = true
      for (const trial of trials.all()) trial.callOff()
      const tried = trials.all().map(({ over }) => over)
      await Promise.all([...[...running.values()].map(({ line }) => line.stop(untilMs)), ...going, ...tried])
    },
    settled: async () => (await Promise.all(trials.all().map(({ over }) => over))).filter((one) => one !== undefined),
    apply(next) {
      const prints = new Map(next.map((line) => [line.name, printOf(line, settings.dialects)]))
      const isNew = ({ name }: ConfiguredLine) =>
        (trials.of(name)?.next ?? running.get(name))?.print !== prints.get(name)
      const made = next.filter(isNew).map((line) => make(line, prints.get(line.name)!))
      const change: LinesChange = {
        added: [],
        changed: [],
        removed: [],
        kept: next.filter((line) => !isNew(line)).map(({ name }) => name),
      }
      settings.lines.splice(0, settings.lines.length, ...next)
      for (const [name, old] of running) {
        if (prints.has(name)) continue
        running.delete(name)
        trials.of(name)?.callOff()
        change.removed.push(name)
        tell('removed', name)
        if (!old.halted) retire(old)
      }
      for (const one of made) {
        const { name } = one.settings
        const old = running.get(name)
        change[old ? 'changed' : 'added'].push(name)
        if (old && !old.halted) {
          // Taken back before it was taken: nothing is to be tried.
          if (old.print === one.print) trials.of(name)?.callOff()
          else trials.begin(name, one)
          continue
        }
        running.set(name, one)
        tell(old ? 'changed' : 'added', name)
        one.halted = old?.halted ?? false
        if (!one.halted) one.line.start()
      }
      return change
    },
    halt(name) {
      const one = running.get(name)
      if (!one) return false
      if (one.halted) return true
      one.halted = true
      const trial = trials.of(name)
      if (trial) {
        // What was asked for last is what it starts with again.
        trial.callOff()
        trial.next.halted = true
        running.set(name, trial.next)
      }
      tell('stopped', name)
      retire(one)
      return true
    },
    resume(name) {
      const one = running.get(name)
      if (!one) return false
      if (!one.halted) return true
      // The one that was stopped may still be on its way out.
      const fresh = make(one.settings, one.print)
      running.set(name, fresh)
      tell('started', name)
      fresh.line.start()
      return true
    },
  }
}

/** `isServing`: it is the one of its name that serves. */
function makeRunning(
  own: ConfiguredLine,
  deps: LinesDeps,
  { print, instance, isServing }: { print: string; instance: string; isServing(one: Running): boolean },
): Running {
  const { settings, log, metrics } = deps
  const made: Running = {
    settings: own,
    print,
    underWay: 0,
    halted: false,
    onTrial: false,
    line: makeLine(own, {
      ...deps,
      dialects: settings.dialects,
      counters: metrics,
      log: trialLog(log, () => made.onTrial),
      instance,
      onState: (bind, state) => {
        if (isServing(made)) deps.onState?.(own.name, bind, state)
        made.heard?.()
      },
      onRequest: async (pdu, link) => {
        made.underWay++
        try {
          await deps.onRequest(pdu, made.line, link)
        } finally {
          made.underWay--
        }
      },
      onLate: (late) =>
        void deps
          .onLate(late, own.name)
          .catch((error: unknown) => log.warn({ err: error, line: own.name }, 'late submit_sm_resp not stored')),
    }),
  }
  return made
}

interface TrialsDeps {
  running: ReadonlyMap<string, Running>
  leave(old: Running): Promise<void>
  /** Puts the new one in the old one's place. */
  take(old: Running, next: Running): void
  isStopping(): boolean
}

/** Changed lines that are being tried. */
function createTrials({ settings, clock, log, metrics }: LinesDeps, { running, leave, take, isStopping }: TrialsDeps) {
  const trials = new Map<string, Trying>()

  /** One at a time for a line: what was tried before is called off first. */
  function begin(name: string, next: Running): void {
    const before = trials.get(name)
    before?.callOff()
    next.onTrial = true
    const trying: Trying = {
      next,
      callOff: () => (trying.isOff = true),
      isOff: false,
      over: Promise.resolve(undefined),
    }
    trying.over = (async () => {
      await before?.over
      const old = running.get(name)
      if (!old || trying.isOff) return undefined
      const trial = tryOut(old, next, {
        clock,
        log,
        leave: () => leave(old),
        isWanted: () => !isStopping() && !old.halted && running.get(name) === old,
      })
      trying.callOff = () => trial.callOff()
      const verdict = await trial.verdict
      const isWon = verdict.is === 'taken' || verdict.is === 'unproven'
      next.onTrial = false
      if (isWon && running.get(name) === old && !isStopping()) take(old, next)
      else if (isWon) await next.line.stop(clock.now())
      if (verdict.is === 'unproven') log.warn(verdict.refusal, 'the line is changed, and not bound yet')
      if (verdict.is !== 'refused') return undefined
      const at = settings.lines.indexOf(next.settings)
      if (at >= 0) settings.lines[at] = old.settings
      metrics.count('line_changes_total', { line: name, what: 'refused' })
      log.error(verdict.refusal, 'the new settings of the line are not taken: it serves on with the old ones')
      return verdict.refusal
    })()
      .catch((error: unknown) => {
        log.error({ err: error, line: name }, 'a line could not be replaced')
        return undefined
      })
      .finally(() => {
        if (trials.get(name) === trying) trials.delete(name)
      })
    trials.set(name, trying)
  }

  return { of: (name: string) => trials.get(name), all: () => [...trials.values()], begin }
}

function stateOf({ down, since, ...row }: BindRow): BindState {
  return { ...row, since: new Date(since).toISOString(), ...down }
}

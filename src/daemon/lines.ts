/** The lines that run. They may be added, changed, stopped and removed while the others go on. */
import type { LineSettings, Settings } from '../config/schema.ts'
import { makeLine, printOf } from './line.ts'
import type { Log } from '../log-port.ts'
import type { Metrics } from '../metrics.ts'
import type { Tap } from '../smpp/link.ts'
import type { Connect } from '../smpp/socket.ts'
import type { BindDown, BindRow, Line, Link, Pdu } from '../smpp/types.ts'
import type { Late } from '../smpp/window.ts'
import type { Chance, Clock } from '../ussd/types.ts'

export interface Lines {
  /** Those that take submits: neither stopped nor on their way out. */
  readonly all: readonly Line[]
  get(name: string): Line | undefined
  anyBound(): boolean
  boundCount(): number
  binds(): BindFigure[]
  /** Also those that are stopped (no binds) or on their way out. */
  states(): Record<string, BindState[]>
  start(): void
  stop(untilMs: number): Promise<void>
  /**
   * Makes the lines those of `next`, which become `settings.lines`. One that is not in it goes; a changed one is bound anew
   * before the old binds go, where the SMSC allows that; the others do not notice. Throws, and changes nothing, if one
   * cannot be made.
   */
  apply(next: readonly LineSettings[]): LinesChange
  /** Unbinds a line politely, and keeps it so until `resume` or a restart. False: there is none of that name. */
  halt(name: string): boolean
  resume(name: string): boolean
}

/** As people and programs read it: `since` in ISO 8601, the reasons beside the rest. */
export type BindState = Omit<BindRow, 'since' | 'down'> & Partial<BindDown> & { since: string }

/** For metrics: binds by name, of the lines that an operator has not stopped. */
export interface BindFigure {
  line: string
  bind: string
  up: boolean
  /** Another daemon, or somebody, holds the bind. */
  standby: boolean
}

/** Names of lines. */
export interface LinesChange {
  added: string[]
  changed: string[]
  removed: string[]
  kept: string[]
}

export interface LinesParts {
  settings: Settings
  clock: Clock
  chance: Chance
  log: Log
  metrics: Metrics
  instance: string
  onRequest(pdu: Pdu, line: Line, link: Link): Promise<void>
  /** A response that came after its deadline. */
  onLate(late: Late, line: string): Promise<void>
  onState?(line: string, bind: string, state: string): void
  tap?: Tap | undefined
  /** Default: TCP or TLS. */
  connect?: Connect | undefined
}

interface Running {
  settings: LineSettings
  print: string
  line: Line
  /** Requests of the SMSC that are being answered. */
  underWay: number
  halted: boolean
}

/** The old binds of a changed line stay this long for the new ones to be up; then they make room: one may be all that is allowed. */
const OVERLAP_MS = 10_000
const LOOK_MS = 20

export function createLines(parts: LinesParts): Lines {
  const { settings, clock, log, metrics } = parts
  const running = new Map<string, Running>()
  const leaving = new Set<Running>()
  const going = new Set<Promise<void>>()
  let generation = 0
  for (const line of settings.lines) running.set(line.name, make(line, printOf(line, settings.dialects)))

  function make(own: LineSettings, print: string): Running {
    const made: Running = {
      settings: own, print, underWay: 0, halted: false,
      line: makeLine(own, {
        ...parts, dialects: settings.dialects, counters: metrics,
        // Links of one name must not be taken for each other's.
        instance: `${parts.instance}${generation++ || ''}`,
        onState: (bind, state) => parts.onState?.(own.name, bind, state),
        onRequest: async (pdu, link) => {
          made.underWay++
          try {
            await parts.onRequest(pdu, made.line, link)
          } finally {
            made.underWay--
          }
        },
        onLate: (late) => void parts.onLate(late, own.name).catch((error: unknown) =>
          log.warn({ err: error, line: own.name }, 'a late response is not kept')),
      }),
    }
    return made
  }

  /** What it was told is answered first; then it unbinds. */
  function retire(old: Running, otherwise?: Line): void {
    leaving.add(old)
    const gone = (async () => {
      const madeMs = clock.now() + OVERLAP_MS
      const makesRoom = () => otherwise === undefined || otherwise.bound() || clock.now() >= madeMs
      while (!makesRoom()) await pause()
      const untilMs = clock.now() + settings.stopMs
      while (old.underWay > 0 && clock.now() < untilMs) await pause()
      await old.line.stop(untilMs)
    })().catch((error: unknown) => log.error({ err: error, line: old.settings.name }, 'a line did not stop')).finally(() => {
      leaving.delete(old)
      going.delete(gone)
    })
    going.add(gone)
  }

  const pause = () => new Promise<void>((done) => clock.after(LOOK_MS, done))
  const serving = () => [...running.values()].filter((one) => !one.halted)
  const tell = (what: string, name: string) => {
    metrics.count('line_changes_total', { line: name, what })
    log.info({ line: name, what }, 'line changed')
  }

  return {
    get all() {
      return serving().map(({ line }) => line)
    },
    get: (name) => running.get(name)?.halted ? undefined : running.get(name)?.line,
    anyBound: () => serving().some(({ line }) => line.bound()),
    boundCount: () => [...running.values(), ...leaving].flatMap(({ line }) => line.states())
      .filter((bind) => bind.state.startsWith('bound')).length,
    binds: () => serving().flatMap(({ settings: { name } }) => {
      const figures = new Map<string, BindFigure>()
      for (const { settings: { name: other }, line } of [...running.values(), ...leaving]) {
        if (other !== name) continue
        for (const { bind, state } of line.states()) {
          const before = figures.get(bind)
          figures.set(bind, {
            line: name, bind, up: state === 'bound' || before?.up === true, standby: state === 'standby' || before?.standby === true,
          })
        }
      }
      return [...figures.values()]
    }),
    states: () => {
      const rows: Record<string, BindState[]> = {}
      for (const { settings: { name }, line, halted } of [...running.values(), ...leaving]) {
        const binds = halted ? [] : line.states().map(stateOf)
        rows[name] = [...rows[name] ?? [], ...binds]
      }
      return rows
    },
    start: () => serving().forEach(({ line }) => line.start()),
    async stop(untilMs) {
      await Promise.all([...[...running.values()].map(({ line }) => line.stop(untilMs)), ...going])
    },
    apply(next) {
      const prints = new Map(next.map((line) => [line.name, printOf(line, settings.dialects)]))
      const isNew = ({ name }: LineSettings) => running.get(name)?.print !== prints.get(name)
      const made = next.filter(isNew).map((line) => make(line, prints.get(line.name)!))
      const change: LinesChange = { added: [], changed: [], removed: [], kept: next.filter((line) => !isNew(line)).map(({ name }) => name) }
      settings.lines.splice(0, settings.lines.length, ...next)
      for (const [name, old] of running) {
        if (prints.has(name)) continue
        running.delete(name)
        change.removed.push(name)
        tell('removed', name)
        if (!old.halted) retire(old)
      }
      for (const one of made) {
        const { name } = one.settings
        const old = running.get(name)
        running.set(name, one)
        change[old ? 'changed' : 'added'].push(name)
        tell(old ? 'changed' : 'added', name)
        one.halted = old?.halted ?? false
        if (one.halted) continue
        one.line.start()
        if (old) retire(old, one.line)
      }
      return change
    },
    halt(name) {
      const one = running.get(name)
      if (!one) return false
      if (one.halted) return true
      one.halted = true
      tell('stopped', name)
      retire(one)
      return true
    },
    resume(name) {
      const one = running.get(name)
      if (!one) return false
      if (!one.halted) return true
      // A line that has stopped does not start again.
      const fresh = make(one.settings, one.print)
      running.set(name, fresh)
      tell('started', name)
      fresh.line.start()
      return true
    },
  }
}

function stateOf({ down, since, ...row }: BindRow): BindState {
  return { ...row, since: new Date(since).toISOString(), ...down }
}

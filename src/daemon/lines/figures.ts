/** The state of the lines' binds, for metrics, /ready and operators. */
import type { BindState } from '../../admin/index.ts'
import type { BindRow } from '../../smpp/index.ts'
import type { Running } from './running.ts'

/** For metrics: binds by name, of the lines that an operator has not stopped. */
export interface BindFigure {
  line: string
  bind: string
  up: boolean
  /** Another daemon, or another program, holds the bind. */
  standby: boolean
}

/** `all`: every line with binds, including lines under trial or closing. */
export function lineFigures(serving: () => Running[], all: () => Running[]) {
  /** The binds of one line. If two lines of that name exist, a bind is up if one of them has it. */
  function figuresOf(name: string): BindFigure[] {
    const figures = new Map<string, BindFigure>()
    const rows = all().flatMap((one) => (one.settings.name === name ? one.line.states() : []))
    for (const { bind, state } of rows) {
      const before = figures.get(bind)
      figures.set(bind, {
        line: name,
        bind,
        up: state === 'bound' || before?.up === true,
        standby: state === 'standby' || before?.standby === true,
      })
    }
    return [...figures.values()]
  }

  return {
    anyBound: () => serving().some(({ line }) => line.bound()),
    boundCount: () =>
      all()
        .flatMap(({ line }) => line.states())
        .filter((bind) => bind.state.startsWith('bound')).length,
    binds: () => serving().flatMap(({ settings }) => figuresOf(settings.name)),
    states() {
      const rows: Record<string, BindState[]> = {}
      for (const { settings, line, halted } of all()) {
        const binds = halted ? [] : line.states().map(stateOf)
        rows[settings.name] = [...(rows[settings.name] ?? []), ...binds]
      }
      return rows
    },
  }
}

function stateOf({ down, since, nextMs, ...row }: BindRow): BindState {
  const next = nextMs === undefined ? {} : { next: new Date(nextMs).toISOString() }
  return { ...row, since: new Date(since).toISOString(), ...next, ...down }
}

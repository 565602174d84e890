/** Where messages come in and go out: the lines, the HTTP ingress, and the recorder that sees what passes on lines. */
import { createIngress, type ServedIngress } from './ingress.ts'
import { createLines, type Lines, type LinesDeps } from './lines/index.ts'
import { createDaemonRecorder, type DaemonRecorder } from './recorder.ts'
import type { Runtime } from './runtime.ts'
import type { Line } from '../smpp/index.ts'

export interface Connections {
  recorder: DaemonRecorder
  lines: Lines
  ingress: ServedIngress
  /** The line with this name; also that of the HTTP ingress. */
  line(name: string): Line | undefined
}

/** Connects nothing yet: `lines.start()` and `ingress.open()` do that. */
export function createConnections(
  runtime: Runtime,
  {
    shares,
    connect,
    ...told
  }: Pick<LinesDeps, 'onRequest' | 'onLate' | 'onOutage' | 'onChange' | 'connect' | 'shares'>,
): Connections {
  const { settings, clock, log, key } = runtime
  const has = (line: string) => lines.get(line) !== undefined
  const recorder = createDaemonRecorder(settings, { now: clock.now, key, log, has })
  const { tap, onState } = recorder
  const lines = createLines({ ...runtime, ...told, tap, onState, connect, shares })
  const ingress = createIngress({ ...runtime, onRequest: told.onRequest })
  return { recorder, lines, ingress, line: (name) => (name === ingress.line?.name ? ingress.line : lines.get(name)) }
}

/** The flight recorder of the settings, and what the admin server may read from it. */
import type { TraceTold } from '../admin/index.ts'
import type { Settings } from '../config/index.ts'
import type { Log } from '../base/index.ts'
import {
  createDrops,
  traceCapture,
  traceText,
  createMasking,
  createRecorder,
  type Recorder,
  type TraceAsked,
} from '../tools/recorder/index.ts'
import type { Tap } from '../smpp/session/index.ts'

export interface DaemonRecorder {
  tap?: Tap
  mark: Recorder['mark']
  trace(line: string, asked: TraceAsked): TraceTold | null
  onState(line: string, bind: string, state: string): void
  stop(): Promise<void>
}

interface RecorderDeps {
  now(): number
  key: Buffer
  log: Log
  /** Lines come and go while the daemon runs. */
  has(line: string): boolean
}

/** `key` makes masked numbers the same in every capture of this daemon. */
export function createDaemonRecorder(settings: Settings, { now, key, log, has }: RecorderDeps): DaemonRecorder {
  const { pdus, octets, dropDir, dropFiles } = settings.trace
  const recorder = createRecorder({
    limits: { pdusMax: pdus, octetsMax: octets },
    now,
    masking: createMasking(key, settings.services),
  })
  const drops =
    dropDir === undefined || pdus === 0
      ? undefined
      : createDrops({ recorder, dir: dropDir, filesMax: dropFiles, now, log })
  return {
    ...(recorder.tap ? { tap: recorder.tap } : {}),
    mark: recorder.mark,
    trace(line, asked) {
      if (!has(line)) return null
      const recorded = recorder.trace(line, asked)
      return { pdus: recorded.length, pcap: () => traceCapture(recorded), text: () => traceText(recorded) }
    },
    onState: (...state) => drops?.onState(...state),
    stop: async () => drops?.idle(),
  }
}

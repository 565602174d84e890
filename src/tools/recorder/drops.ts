/** Captures of what led to the loss of a bind: masked, in one folder, limited in number. */
import { mkdir, readdir, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../base/index.ts'
import { traceCapture } from './export.ts'
import type { Recorder } from './recorder.ts'

export interface DropsDeps {
  recorder: Recorder
  dir: string
  filesMax: number
  now(): number
  log: Log
}

export interface Drops {
  /** Gets every state of every bind. */
  onState(line: string, bind: string, state: string): void
  /** Resolves when no file is being written. */
  idle(): Promise<void>
}

const UNBIND = 0x06
/** How many of the last PDUs are searched for the SMSC's unbind. Our response and responses in flight may follow it. */
const LAST_WORDS = 8
const NAME = /^[a-z0-9-]+_\d{8}T\d{9}Z\.pcap$/

/** A drop: a bind leaves the state `bound`, and neither we nor the SMSC have sent unbind. */
export function createDrops(deps: DropsDeps): Drops {
  const { recorder, log } = deps
  const states = new Map<string, string>()
  let writing = Promise.resolve()

  function dropped(line: string, bind: string): void {
    const recorded = recorder.trace(line)
    const last = recorded.findLast((it) => it.link.startsWith(`${bind}#`))?.link
    const words = recorded.filter((it) => it.link === last).slice(-LAST_WORDS)
    const left = words.some((it) => it.from === 'smsc' && it.octets.readUInt32BE(4) === UNBIND)
    if (left || recorded.length === 0) return
    const name = `${line}_${new Date(deps.now()).toISOString().replace(/[-:.]/g, '')}.pcap`
    const capture = traceCapture(recorded)
    writing = writing
      .then(() => keep(deps, name, capture))
      .catch((error: unknown) =>
        log.warn({ err: error, line, dir: deps.dir }, 'the trace of a dropped line cannot be kept'),
      )
  }

  return {
    onState(line, bind, state) {
      const before = states.get(bind)
      states.set(bind, state)
      if (before === 'bound' && (state === 'waiting' || state === 'connecting')) dropped(line, bind)
    },
    idle: () => writing,
  }
}

async function keep({ dir, filesMax, log }: DropsDeps, name: string, capture: Buffer): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await writeFile(join(dir, name), capture, { mode: 0o600 })
  log.warn({ file: join(dir, name), octets: capture.length }, 'line dropped: its trace is kept')
  // Sorted by time, which is at the end of the name. Other files are not ours.
  const ours = (await readdir(dir)).filter((it) => NAME.test(it)).toSorted((a, b) => stamp(a).localeCompare(stamp(b)))
  for (const old of ours.slice(0, Math.max(0, ours.length - filesMax))) await unlink(join(dir, old))
}

function stamp(name: string): string {
  return name.slice(name.lastIndexOf('_'))
}

/**
 * Lines that turn new dials away and stay bound: for maintenance of what is behind them. They are kept in a file of the
 * data folder, because a restart in the middle of that must not let dials in.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { LineHold } from '../../admin/index.ts'
import type { Log } from '../../base/index.ts'

export interface LineHolds {
  /** Undefined: the line takes dials. */
  of(line: string): LineHold | undefined
  hold(line: string, hold: LineHold): void
  /** False: it was not held. */
  release(line: string): boolean
}

const FILE = 'held-lines.json'

const heldSchema = z.record(
  z.string(),
  z.strictObject({ since: z.string(), by: z.string(), text: z.string().nullable() }),
)

export function createLineHolds({ data, log }: { data: string; log: Log }): LineHolds {
  const file = join(data, FILE)
  const held = new Map(Object.entries(heldIn(file, log)))
  for (const [line, { since, by }] of held)
    log.warn(
      { line, since, by, remedy: 'ussd-connector lines --release LINE' },
      'the line is held: new dials are turned away',
    )

  function write(): void {
    try {
      writeFileSync(`${file}.new`, JSON.stringify(Object.fromEntries(held)), { mode: 0o600 })
      renameSync(`${file}.new`, file)
    } catch (error) {
      log.error({ err: error, file }, 'held lines are not written: a restart would forget this')
    }
  }

  return {
    of: (line) => held.get(line),
    hold(line, hold) {
      held.set(line, hold)
      write()
    },
    release(line) {
      const was = held.delete(line)
      if (was) write()
      return was
    },
  }
}

/** What cannot be read holds nothing: the log says so, and the operator sees the lines take dials. */
function heldIn(file: string, log: Log): z.infer<typeof heldSchema> {
  try {
    return heldSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      log.error({ err: error, file, remedy: 'hold the lines again, if they should be' }, 'held lines cannot be read')
    return {}
  }
}

/**
 * Files of call detail records for mediation: every few minutes one for each partner, also an empty one. First rows get
 * the number of their file in a committed transaction, then the file is written under another name, synced and renamed.
 * A daemon that dies meanwhile leaves a file that the next writer writes again, octet by octet the same.
 */
import { failpoint, type Counters, type Log, type Sql } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'
import type { FileTimes } from './file-times.ts'
import { writeWhole } from './file-write.ts'
import { fileNameOf } from './file-format.ts'
import {
  cutFile,
  FILE_ROWS_MAX,
  fileWritten,
  holdsFiles,
  isCutDue,
  lastFile,
  rowsOfFile,
  unwrittenFiles,
  type CutFile,
  type Feed,
} from './file-rows.ts'

export interface FilesDeps {
  sql: Sql
  feeds: readonly Feed[]
  dir: string
  everyMs: number
  times: FileTimes
  /** The name of this daemon: it goes on with its own lease after a restart. */
  instance: string
  clock: Clock
  log: Log
  counters: Counters
}

/** Several rounds fit in it: a writer that dies is followed within a minute. */
export const FILES_LEASE_MS = 60_000

/** One round: cuts what is due, and writes what is cut. Only one daemon at a time does anything. */
export async function writeFiles(deps: FilesDeps): Promise<number> {
  const { sql, instance, feeds, times } = deps
  if (!(await holdsFiles(sql, instance, FILES_LEASE_MS))) {
    times.isOthers()
    return 0
  }
  for (const feed of feeds) await cutDue(deps, feed)
  let written = 0
  for (const file of await unwrittenFiles(sql)) {
    failpoint('file-cut')
    await writeFile(deps, file)
    written++
    if (!(await holdsFiles(sql, instance, FILES_LEASE_MS))) break
  }
  return written
}

async function cutDue({ sql, clock, everyMs, times }: FilesDeps, feed: Feed): Promise<void> {
  const last = await lastFile(sql, feed.partner)
  if (last?.isWritten) times.found(feed.partner, last.cutMs)
  const nowMs = clock.now()
  if (!isCutDue(last?.cutMs, nowMs, everyMs)) return
  let seq = last?.seq ?? 0
  while ((await cutFile(sql, feed, ++seq, nowMs)) >= FILE_ROWS_MAX) continue
}

async function writeFile({ sql, dir, clock, log, counters, times }: FilesDeps, file: CutFile): Promise<void> {
  const name = fileNameOf(file)
  const { format, unit } = file
  const { rows, sha256 } = await writeWhole({ dir, name, format, unit }, rowsOfFile(sql, file.id))
  failpoint('file-renamed')
  await fileWritten(sql, file.id, sha256, clock.now())
  times.wrote(file.partner, file.cut_at.getTime())
  counters.count('records_files_total', { partner: file.partner })
  log.info({ file: name, rows }, 'file of call detail records written')
}

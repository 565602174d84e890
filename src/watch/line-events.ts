/**
 * The history of lines, in `line_event`: what was down, from when to when, why. Rows are written by and by, never where
 * they happen: while Postgres is unreachable they wait in memory, and the oldest go when there are too many.
 */
import { statement, type Counters, type Log, type Sql } from '../base/index.ts'
import type { OutageTold } from '../smpp/index.ts'
import type { Clock } from '../ussd/index.ts'

/** As `lines --history` and /v1/lines/NAME/events show it. */
export interface LineEventRow {
  at: Date
  instance: string
  line: string
  bind: string | null
  /** down, up, closed: of a bind; added, changed, removed, stopped, started, refused: of the line. */
  event: string
  peer: string | null
  why: string | null
  detail: string | null
  /** When the outage began; of `closed`: when it was bound. */
  since: Date | null
  /** Tries that failed. */
  tries: number
}

export interface LineEventsDeps {
  sql: Sql
  clock: Clock
  log: Log
  counters: Counters
  /** The name of this daemon, and its run: together they make the ids of rows unique. */
  name: string
  instance: string
}

export interface LineEvents {
  outage(line: string, told: OutageTold): void
  change(line: string, what: string): void
  /** The newest of one line, of all daemons. */
  of(line: string, most: number): Promise<LineEventRow[]>
  /** Writes what is left, once. */
  stop(): Promise<void>
}

/** Rows that may wait: hours of a line with sixteen binds that flap every ten seconds. */
const WAITING_MAX = 10_000
const ROWS_EACH = 500
const DETAIL_MAX = 200
const SOON_MS = 1_000
const AGAIN_MS = 5_000

const WRITE_EVENTS = statement<{ id: string }>(
  'line-event-write',
  `
  INSERT INTO line_event (id, at, instance, line, bind, event, peer, why, detail, since, tries)
  SELECT id, at, instance, line, bind, event, peer, why, detail, since, tries
  FROM json_to_recordset(CAST(:rows AS json)) AS row(
    id text, at timestamptz, instance text, line text, bind text, event text, peer text, why text, detail text,
    since timestamptz, tries int)
  ON CONFLICT (id) DO NOTHING`,
)

const EVENTS_OF = statement<LineEventRow>(
  'line-event-read',
  `
  SELECT at, instance, line, bind, event, peer, why, detail, since, tries FROM line_event
  WHERE line = CAST(:line AS text) ORDER BY at DESC, id DESC LIMIT CAST(:most AS int)`,
)

function outageRow(line: string, { bind, is: event, peer, why, detail, sinceMs, tries }: OutageTold) {
  const short = detail?.slice(0, DETAIL_MAX) ?? null
  return { line, bind, event, peer, why: why ?? null, detail: short, since: isoOf(sinceMs), tries }
}

type Waiting = Omit<LineEventRow, 'at' | 'since'> & { id: string; at: string; since: string | null }

export function createLineEvents(deps: LineEventsDeps): LineEvents {
  const { sql, clock, log, counters, name, instance } = deps
  const waiting: Waiting[] = []
  let count = 0
  let cancel: (() => void) | undefined
  let writing = Promise.resolve()
  let isAway = false

  function put(row: Omit<Waiting, 'id' | 'at' | 'instance'>): void {
    waiting.push({ id: `${instance}-${++count}`, at: isoOf(clock.now()), instance: name, ...row })
    if (waiting.length > WAITING_MAX) {
      waiting.shift()
      counters.count('limits_total', { limit: 'line_events_waiting' })
    }
    if (!cancel) later(SOON_MS)
  }

  function later(ms: number): void {
    cancel = clock.after(ms, () => {
      writing = write().then((isDone) => {
        cancel = undefined
        if (waiting.length > 0) later(isDone ? 0 : AGAIN_MS)
      })
    })
  }

  /** Never rejects. False: Postgres did not take them. */
  async function write(): Promise<boolean> {
    const rows = waiting.slice(0, ROWS_EACH)
    try {
      await WRITE_EVENTS(sql, { rows: JSON.stringify(rows) })
    } catch (error) {
      if (!isAway) log.warn({ err: error, waiting: waiting.length }, 'the history of lines waits for Postgres')
      isAway = true
      return false
    }
    isAway = false
    const written = new Set(rows)
    waiting.splice(0, waiting.length, ...waiting.filter((row) => !written.has(row)))
    return true
  }

  return {
    outage: (line, told) => put(outageRow(line, told)),
    change: (line, event) =>
      put({ line, bind: null, event, peer: null, why: null, detail: null, since: null, tries: 0 }),
    of: (line, most) => EVENTS_OF(sql, { line, most }),
    async stop() {
      cancel?.()
      await writing
      cancel?.()
      if (waiting.length > 0) await write()
    },
  }
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}

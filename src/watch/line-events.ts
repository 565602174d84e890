/**
 * The history of lines, in `line_event`: what was down, from when to when, why. While Postgres is unreachable rows wait
 * in memory, and the oldest go when there are too many.
 */
import { statement, type Counters, type Log, type Sql } from '../base/index.ts'
import type { OutageTold } from '../smpp/index.ts'
import type { Clock } from '../ussd/index.ts'
import { rangeOf, type RangeAsked } from './ranges.ts'
import { createWaitingRows } from './waiting-rows.ts'

/** As `lines --history` and /v1/lines/NAME/events show it. */
export interface LineEventRow {
  at: Date
  instance: string
  line: string
  bind: string | null
  /** down, up, closed: of a bind; added, changed, removed, stopped, started, held, released, refused: of the line. */
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

export interface EventsAsked extends RangeAsked {
  /** Null: all. */
  line: string | null
}

export interface LineEvents {
  outage(line: string, told: OutageTold): void
  change(line: string, what: string): void
  /** The newest of one line, of all daemons. */
  of(line: string, most: number): Promise<LineEventRow[]>
  /** The newest of all lines, or of one, within a time. `before`: those that are older than this row. */
  within(asked: EventsAsked): Promise<(LineEventRow & { id: string })[]>
  /** Writes what is left, once. */
  stop(): Promise<void>
}

/** Rows that may wait: hours of a line with sixteen binds that flap every ten seconds. */
const WAITING_MAX = 10_000
const DETAIL_MAX = 200

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

const EVENTS_WITHIN = statement<LineEventRow & { id: string }>(
  'line-event-within',
  `
  SELECT id, at, instance, line, bind, event, peer, why, detail, since, tries FROM line_event
  WHERE at >= CAST(:from AS timestamptz) AND at <= CAST(:until AS timestamptz)
    AND (at, id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS text))
  ORDER BY at DESC, id DESC LIMIT CAST(:most AS int)`,
)

const LINE_EVENTS_WITHIN = statement<LineEventRow & { id: string }>(
  'line-event-within-line',
  `
  SELECT id, at, instance, line, bind, event, peer, why, detail, since, tries FROM line_event
  WHERE line = CAST(:line AS text)
    AND at >= CAST(:from AS timestamptz) AND at <= CAST(:until AS timestamptz)
    AND (at, id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS text))
  ORDER BY at DESC, id DESC LIMIT CAST(:most AS int)`,
)

function eventsWithin(sql: Sql, { line, ...range }: EventsAsked) {
  const asked = rangeOf(range)
  return line === null ? EVENTS_WITHIN(sql, asked) : LINE_EVENTS_WITHIN(sql, { ...asked, line })
}

function outageRow(line: string, { bind, is: event, peer, why, detail, sinceMs, tries }: OutageTold) {
  const short = detail?.slice(0, DETAIL_MAX) ?? null
  return { line, bind, event, peer, why: why ?? null, detail: short, since: new Date(sinceMs).toISOString(), tries }
}

type Waiting = Omit<LineEventRow, 'at' | 'instance' | 'since'> & { since: string | null }

export function createLineEvents({ sql, clock, log, counters, name, instance }: LineEventsDeps): LineEvents {
  const rows = createWaitingRows<Waiting>({
    clock,
    counters,
    name,
    instance,
    max: WAITING_MAX,
    limit: 'line_events_waiting',
    onAway: (err, waiting) => log.warn({ err, waiting }, 'the history of lines waits for Postgres'),
    write: (some) => WRITE_EVENTS(sql, { rows: JSON.stringify(some) }),
  })
  return {
    outage: (line, told) => rows.put(outageRow(line, told)),
    change: (line, event) =>
      rows.put({ line, bind: null, event, peer: null, why: null, detail: null, since: null, tries: 0 }),
    of: (line, most) => EVENTS_OF(sql, { line, most }),
    within: (asked) => eventsWithin(sql, asked),
    stop: rows.stop,
  }
}

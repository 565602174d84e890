/**
 * The history of flows, in `flow_event`: who decided what, and which file each daemon took. The store of decisions
 * writes a decision together with its row. What this daemon took from a file is written here, by and by: while Postgres
 * is unreachable it waits in memory.
 */
import { statement, type Counters, type Log, type Sql } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'
import { rangeOf, type RangeAsked } from './ranges.ts'
import { createWaitingRows } from './waiting-rows.ts'

/** As `flow history` and /v1/flows/NAME/history show it. */
export interface FlowEventRow {
  at: Date
  flow: string
  /**
   * publish, rollback, canary, canary-end, recall: of an operator; serve: publish or rollback by an earlier build,
   * which does not say; adopt: the first file of a flow in mode `released`; file: a daemon took a file.
   */
  did: string
  revision: string | null
  /** What served before. */
  before: string | null
  /** Of a trial, in hundredths of a per cent. */
  share: number | null
  by: string
  reason: string
  /** The daemon that took the file, or that was asked. */
  instance: string
  file: string | null
  /** SHA-256 of the file. */
  hash: string | null
}

/** A file whose flow serves from now on. */
export interface FileTaken {
  flow: string
  revision: string
  before: string | null
  file: string
  hash: string
}

export interface FlowEventsDeps {
  sql: Sql
  clock: Clock
  log: Log
  counters: Counters
  /** The name of this daemon, and its run: together they make the ids of rows unique. */
  name: string
  instance: string
}

export interface FlowEventsAsked extends RangeAsked {
  /** Null: all. */
  flow: string | null
}

export interface FlowEvents {
  taken(file: FileTaken): void
  /** The newest of one flow, of all daemons. */
  of(flow: string, most: number): Promise<FlowEventRow[]>
  /** The newest of all flows, or of one, within a time. `before`: those that are older than this row. */
  within(asked: FlowEventsAsked): Promise<(FlowEventRow & { id: string })[]>
  /** Writes what is left, once. */
  stop(): Promise<void>
}

/** Files that may wait: each of 100 flows edited ten times while Postgres is unreachable. */
const WAITING_MAX = 1_000

/** A restart takes the same file again: the last row of this daemon says so, and there is no new one. */
const WRITE_TAKEN = statement<{ id: string }>(
  'flow-event-taken',
  `
  INSERT INTO flow_event (id, at, flow, did, revision, before, by, instance, file, hash)
  SELECT id, at, flow, 'file', revision, before, 'file', instance, file, hash
  FROM json_to_recordset(CAST(:rows AS json)) AS row(
    id text, at timestamptz, flow text, revision text, before text, instance text, file text, hash text)
  WHERE NOT EXISTS (
    SELECT 1 FROM (
      SELECT e.revision, e.hash FROM flow_event e
      WHERE e.flow = row.flow AND e.did = 'file' AND e.instance = row.instance
      ORDER BY e.at DESC, e.id DESC LIMIT 1) last
    WHERE last.revision = row.revision AND last.hash = row.hash)
  ON CONFLICT (id) DO NOTHING`,
)

const EVENTS_OF_FLOW = statement<FlowEventRow>(
  'flow-event-read',
  `
  SELECT at, flow, did, revision, before, share, by, reason, instance, file, hash FROM flow_event
  WHERE flow = CAST(:flow AS text) ORDER BY at DESC, id DESC LIMIT CAST(:most AS int)`,
)

const WITHIN = (of: string) => `
  SELECT id, at, flow, did, revision, before, share, by, reason, instance, file, hash FROM flow_event
  WHERE ${of}at >= CAST(:from AS timestamptz) AND at <= CAST(:until AS timestamptz)
    AND (at, id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS text))
  ORDER BY at DESC, id DESC LIMIT CAST(:most AS int)`

const FLOW_EVENTS_WITHIN = statement<FlowEventRow & { id: string }>('flow-event-within', WITHIN(''))
const ONE_FLOW_WITHIN = statement<FlowEventRow & { id: string }>(
  'flow-event-within-flow',
  WITHIN('flow = CAST(:flow AS text) AND '),
)

function flowEventsWithin(sql: Sql, { flow, ...range }: FlowEventsAsked) {
  const asked = rangeOf(range)
  return flow === null ? FLOW_EVENTS_WITHIN(sql, asked) : ONE_FLOW_WITHIN(sql, { ...asked, flow })
}

export function createFlowEvents({ sql, clock, log, counters, name, instance }: FlowEventsDeps): FlowEvents {
  const rows = createWaitingRows<FileTaken>({
    clock,
    counters,
    name,
    instance,
    max: WAITING_MAX,
    limit: 'flow_events_waiting',
    onAway: (err, waiting) => log.warn({ err, waiting }, 'the history of flows waits for Postgres'),
    write: (some) => WRITE_TAKEN(sql, { rows: JSON.stringify(some) }),
  })
  return {
    taken: rows.put,
    of: (flow, most) => EVENTS_OF_FLOW(sql, { flow, most }),
    within: (asked) => flowEventsWithin(sql, asked),
    stop: rows.stop,
  }
}

/** The statements of `flow_funnel`: sums of screens, added to, read and removed (docs/RECORDS.md). */
import { type SqlRunner, statement } from '../base/index.ts'
import {
  ANSWERED_WITHIN,
  answeredWithin,
  FINE_DAYS,
  type FunnelRange,
  type FunnelRow,
  FUNNEL_SPANS,
  piecesOf,
  rangeOfSums,
} from './funnel.ts'

const COLUMNS = 'flow, span, at, revision, screen, reached, place, times, ended, chosen, cut'

/** Two objects of counts as one. */
const merged = (column: string) => `(
    SELECT COALESCE(jsonb_object_agg(key, n), '{}') FROM (
      SELECT key, sum(CAST(value AS bigint)) AS n
      FROM (SELECT * FROM jsonb_each_text(f.${column}) UNION ALL SELECT * FROM jsonb_each_text(excluded.${column})) AS both_of
      GROUP BY key) AS summed)`

/** In the order of the key: two daemons at once wait for each other, and never in a circle. */
const ADD = statement<never>(
  'funnel-add',
  `
  INSERT INTO flow_funnel AS f (${COLUMNS})
  SELECT ${COLUMNS} FROM json_to_recordset(CAST(:rows AS json)) AS r(flow text, span int, at timestamptz, revision text,
    screen text, reached bigint, place bigint, times bigint[], ended jsonb, chosen jsonb, cut bigint)
  ORDER BY flow, span, at, revision, screen
  ON CONFLICT (flow, span, at, revision, screen) DO UPDATE SET
    reached = f.reached + excluded.reached, place = f.place + excluded.place, cut = f.cut + excluded.cut,
    times = ARRAY(SELECT a + b FROM unnest(f.times, excluded.times) WITH ORDINALITY AS t(a, b, n) ORDER BY n),
    ended = ${merged('ended')}, chosen = ${merged('chosen')}`,
)

/** Adds to the sums, in the transaction of the records. */
export async function addToFunnel(trx: SqlRunner, rows: readonly FunnelRow[]): Promise<void> {
  if (rows.length > 0) await ADD(trx, { rows: JSON.stringify(rows) })
}

/** Sums removed by one statement: some hundredths of a second. */
const FORGET_ROWS = 5_000

const FORGET = statement<{ n: number }>(
  'funnel-forget',
  `
  WITH gone AS (
    DELETE FROM flow_funnel WHERE ctid IN (
      SELECT ctid FROM flow_funnel WHERE span = CAST(:span AS int) AND at < CAST(:before AS timestamptz)
      LIMIT ${FORGET_ROWS})
    RETURNING 1)
  SELECT CAST(count(*) AS int) AS n FROM gone`,
)

const DAY_MS = 86_400_000

/** Removes sums that are too old. Answers how many; what remains goes in the next round. */
export async function forgetFunnel(sql: SqlRunner, { nowMs, days }: { nowMs: number; days: number }): Promise<number> {
  let gone = 0
  for (const span of FUNNEL_SPANS) {
    const kept = span === FUNNEL_SPANS[0] ? Math.min(days, FINE_DAYS) : days
    // A sum of a day goes when its last moment is old.
    const [row] = await FORGET(sql, { span, before: new Date(nowMs - kept * DAY_MS - span * 1_000) })
    gone += row!.n
  }
  return gone
}

export interface FunnelAsked extends FunnelRange {
  /** The name of the flow. */
  flow: string
  /** Of which revision. Absent: of all. */
  revision?: string | undefined
  /** Ends of the range that are older than five-minute sums are full hours. */
  nowMs: number
}

export interface FunnelScreen {
  screen: string
  /** Dialogues that came to it, however often. */
  reached: number
  /** Answers: a dialogue that came to it twice may have answered twice. */
  answered: number
  /** Dialogues that ended here, by reason: `completed` where it is a last screen. */
  left: Record<string, number>
  /** By key; `*`: typed, or no line of the screen; `ack`: a notification; `+`: keys of more than two characters. */
  chosen: Record<string, number>
  /** Answers by time: up to each of `answeredWithin` of the funnel, and longer. */
  times: number[]
  /** Seconds within which half, and nine of ten, answered. Null: nobody did, or it took over two minutes. */
  halfS: number | null
  mostS: number | null
}

export interface RevisionFunnel {
  revision: string
  dialogues: number
  /** All dialogues, by reason: also those that ended on no screen. */
  ended: Record<string, number>
  /** Dialogues with more steps than a record keeps: the screens after them are not counted. */
  cut: number
  /** In the order in which dialogues come to them. */
  screens: FunnelScreen[]
}

export interface Funnel {
  flow: string
  /** The range that was added up, which may be wider than was asked for. */
  sinceMs: number
  untilMs: number
  /** The bounds of `times`, in seconds. */
  answeredWithin: readonly number[]
  /** The most dialogues first. */
  revisions: RevisionFunnel[]
  /** There were more screens than are told. */
  isCut: boolean
}

/** Screens of all revisions that one question gets: six flows of the largest size. */
export const FUNNEL_ROWS_MAX = 9_000

const TIMES = [...ANSWERED_WITHIN, null].map((_, slot) => `CAST(sum(times[${slot + 1}]) AS float8)`).join(', ')

interface Summed {
  revision: string
  screen: string
  reached: number
  place: number
  cut: number
  times: number[]
  ended: Record<string, number>
  chosen: Record<string, number>
}

const counted = (column: string) => `
  SELECT revision, screen, jsonb_object_agg(key, n) AS ${column} FROM (
    SELECT revision, screen, key, sum(CAST(value AS bigint)) AS n FROM hit, jsonb_each_text(hit.${column})
    GROUP BY revision, screen, key) AS keys
  GROUP BY revision, screen`

/**
 * By the key of the table: as many rows as the pieces have, whatever else is there. OFFSET 0 keeps the server from
 * reading all sums of the flow instead, which it would take for cheaper.
 */
const READ = statement<Summed>(
  'funnel-read',
  `
  WITH hit AS MATERIALIZED (
    SELECT f.* FROM jsonb_to_recordset(CAST(:pieces AS jsonb)) AS p(span int, since timestamptz, until timestamptz)
    CROSS JOIN LATERAL (
      SELECT * FROM flow_funnel
      WHERE flow = CAST(:flow AS text) AND span = p.span AND at >= p.since AND at < p.until
        AND (CAST(:revision AS text) IS NULL OR revision = CAST(:revision AS text))
      OFFSET 0) f
  ), all_of AS (
    SELECT revision, screen, CAST(sum(reached) AS float8) AS reached, CAST(sum(place) AS float8) AS place,
      CAST(sum(cut) AS float8) AS cut, ARRAY[${TIMES}] AS times
    FROM hit GROUP BY revision, screen
  ), ended_of AS (${counted('ended')}
  ), chosen_of AS (${counted('chosen')}
  )
  SELECT revision, screen, reached, place, cut, times, COALESCE(ended, '{}') AS ended, COALESCE(chosen, '{}') AS chosen
  FROM all_of LEFT JOIN ended_of USING (revision, screen) LEFT JOIN chosen_of USING (revision, screen)
  ORDER BY screen <> '', reached DESC, revision, screen LIMIT ${FUNNEL_ROWS_MAX + 1}`,
)

/** The funnel of a flow: one statement, over sums alone. Rejects if Postgres is unreachable. */
export async function funnelOf(sql: SqlRunner, { flow, revision, nowMs, ...asked }: FunnelAsked): Promise<Funnel> {
  const range = rangeOfSums(asked, nowMs)
  const pieces = piecesOf(range).map(({ span, fromMs, toMs }) => ({
    span,
    since: new Date(fromMs).toISOString(),
    until: new Date(toMs).toISOString(),
  }))
  const found = await READ(sql, { flow, revision: revision ?? null, pieces: JSON.stringify(pieces) })
  const rows = found.slice(0, FUNNEL_ROWS_MAX)
  return {
    flow,
    ...range,
    answeredWithin: ANSWERED_WITHIN,
    revisions: rows.filter(({ screen }) => screen === '').map((whole) => revisionOf(whole, rows)),
    isCut: found.length > FUNNEL_ROWS_MAX,
  }
}

/**
 * One revision, and the others as one beside it: the first of `wanted` of which there are dialogues, else that with the
 * most. `named`: what the others are called if they are several.
 */
export function besideRest(
  revisions: readonly RevisionFunnel[],
  wanted: readonly (string | null | undefined)[],
  named: (count: number) => string,
): { first: RevisionFunnel; rest?: RevisionFunnel } {
  const has = (name: string | null | undefined) => revisions.find(({ revision }) => revision === name)
  const first = wanted.map(has).find(Boolean) ?? revisions[0]!
  const others = revisions.filter((one) => one !== first)
  if (others.length === 0) return { first }
  return { first, rest: others.length === 1 ? others[0]! : restOf(named(others.length), others) }
}

/** Several revisions as one: the rest, beside a trial. */
export function restOf(name: string, all: readonly RevisionFunnel[]): RevisionFunnel {
  const screens = new Map<string, FunnelScreen>()
  for (const one of all.flatMap(({ screens: own }) => own)) {
    const known = screens.get(one.screen)
    screens.set(one.screen, known ? together(known, one) : one)
  }
  return {
    revision: name,
    dialogues: all.reduce((sum, { dialogues }) => sum + dialogues, 0),
    ended: all.map(({ ended }) => ended).reduce(summed, {}),
    cut: all.reduce((sum, { cut }) => sum + cut, 0),
    screens: [...screens.values()],
  }
}

function together(one: FunnelScreen, other: FunnelScreen): FunnelScreen {
  const times = one.times.map((n, slot) => n + other.times[slot]!)
  return {
    screen: one.screen,
    reached: one.reached + other.reached,
    answered: one.answered + other.answered,
    left: summed(one.left, other.left),
    chosen: summed(one.chosen, other.chosen),
    times,
    halfS: answeredWithin(times, 0.5),
    mostS: answeredWithin(times, 0.9),
  }
}

function summed(one: Record<string, number>, other: Record<string, number>): Record<string, number> {
  const sum = { ...one }
  for (const [key, n] of Object.entries(other)) sum[key] = (sum[key] ?? 0) + n
  return sum
}

function revisionOf({ revision, reached, ended, cut }: Summed, rows: readonly Summed[]): RevisionFunnel {
  const own = rows.filter((row) => row.revision === revision && row.screen !== '')
  const placeOf = ({ place, reached: all }: Summed) => place / Math.max(1, all)
  return {
    revision,
    dialogues: reached,
    ended,
    cut,
    screens: own.toSorted((a, b) => placeOf(a) - placeOf(b) || b.reached - a.reached).map(screenIn),
  }
}

function screenIn({ screen, reached, times, ended: left, chosen }: Summed): FunnelScreen {
  return {
    screen,
    reached,
    answered: Object.values(chosen).reduce((sum, n) => sum + n, 0),
    left,
    chosen,
    times,
    halfS: answeredWithin(times, 0.5),
    mostS: answeredWithin(times, 0.9),
  }
}

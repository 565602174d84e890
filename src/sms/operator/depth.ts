/**
 * How deep the outbox is, and how long the oldest has waited: looked at once in a while, so that a scrape costs the
 * database nothing. Each line and kind is counted in the index of due SMS, up to a bound.
 */
import { statement, type SqlRunner } from '../../base/index.ts'
import { DUE_GROUPS } from '../outbox/index.ts'
import type { Clock } from '../../ussd/index.ts'

/**
 * Of one line and kind, and of those without a response: more are not counted, so that a look takes some milliseconds.
 */
export const OUTBOX_COUNTED_MAX = 20_000

export interface OutboxDepth {
  /** '' for any line. */
  line: string
  /** They may leave now. */
  due: number
  /** Their moment is to come. */
  later: number
  /** Since when the oldest of `due` may leave; null: none. */
  oldestMs: number | null
}

interface DepthRow {
  line: string
  due: number
  later: number
  oldest: Date | null
}

const counted = (condition: string) => `
    SELECT CAST(count(*) AS int) AS n, min(wake_at) AS oldest FROM (
      SELECT wake_at FROM sms_outbox WHERE line = groups.line AND kind = groups.kind AND state = 'due' AND wake_at ${condition}
      ORDER BY wake_at, id LIMIT ${OUTBOX_COUNTED_MAX}) bounded`

const DEPTH = statement<DepthRow>(
  'sms-depth',
  `
  ${DUE_GROUPS}
  SELECT groups.line, CAST(sum(now.n) AS int) AS due, CAST(sum(later.n) AS int) AS later, min(now.oldest) AS oldest
  FROM groups CROSS JOIN LATERAL (${counted('<= CAST(:now AS timestamptz)')}) now
    CROSS JOIN LATERAL (${counted('> CAST(:now AS timestamptz)')}) later
  GROUP BY groups.line`,
)

const UNANSWERED = statement<{ ambiguous: number; submitting: number }>(
  'sms-depth-unanswered',
  `
  SELECT CAST(count(*) FILTER (WHERE state = 'ambiguous') AS int) AS ambiguous,
    CAST(count(*) FILTER (WHERE state = 'submitting') AS int) AS submitting
  FROM (SELECT state FROM sms_outbox WHERE state IN ('submitting', 'ambiguous') LIMIT ${OUTBOX_COUNTED_MAX}) bounded`,
)

/** `ambiguous`: sent without a response. `submitting`: being sent now. */
export interface OutboxSeen {
  atMs: number
  lines: readonly OutboxDepth[]
  ambiguous: number
  submitting: number
}

export interface DepthWatch {
  /** Rejects if Postgres is unreachable. */
  look(): Promise<void>
  /** As the last look found it; null: nobody has looked yet. */
  lately(): OutboxSeen | null
}

export function depthWatch({ sql, clock }: { sql: SqlRunner; clock: Pick<Clock, 'now'> }): DepthWatch {
  let found: OutboxSeen | null = null
  return {
    lately: () => found,
    async look() {
      const atMs = clock.now()
      const rows = await DEPTH(sql, { now: new Date(atMs) })
      const [unanswered] = await UNANSWERED(sql, {})
      const lines = rows.map(({ oldest, ...row }) => ({ ...row, oldestMs: oldest?.getTime() ?? null }))
      found = { atMs, lines, ...unanswered! }
    },
  }
}

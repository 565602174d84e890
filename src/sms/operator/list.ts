/**
 * SMS as an operator lists them: by state or by subscriber, page by page, without their texts. No list reads the table.
 */
import { statement, type SqlRunner } from '../../base/index.ts'
import { DUE_GROUPS, OWNER } from '../outbox/index.ts'

/** The states by which SMS are listed: those that somebody has to look at, and what is still to leave. */
export const LISTED_STATES = ['failed', 'expired', 'ambiguous', 'submitting', 'due'] as const
export type ListedState = (typeof LISTED_STATES)[number]

/** How many a page has: a screen or two; and at most, so that an answer stays under a megabyte. */
export const SMS_PAGE = { usual: 50, most: 1_000 }

/** Where the next page begins: behind this one, in the order of the list. `at` is to the microsecond. */
export interface SmsPlace {
  at: string
  id: string
}

export interface SmsAsked {
  state: ListedState
  /**
   * failed, expired: since they were given up · ambiguous, submitting: since they were sent · due: that leave from then
   * on.
   */
  sinceMs: number | null
  /** Before then. */
  untilMs: number | null
  after: SmsPlace | null
  limit: number
}

export interface ListedSms {
  id: string
  kind: string
  owner: string
  state: string
  msisdn: string
  line: string
  parts: number
  attempts: number
  due_at: Date
  wake_at: Date
  submitted_at: Date | null
  settled_at: Date | null
  status: number | null
  error: string | null
  /**
   * By what the list is ordered: when it was given up, when the wait of an ambiguous one ends, when a due one leaves.
   */
  at: string
}

const COLUMNS = `o.id, o.kind, ${OWNER} AS owner, o.state, o.msisdn, COALESCE(o.sent_line, o.line) AS line, o.parts,
  o.attempts, o.due_at, o.wake_at, o.submitted_at, o.settled_at, o.last_status AS status, o.last_error AS error`

/** The newest first. Its index is that of migration 026. */
const GIVEN_UP = statement<ListedSms>(
  'sms-list-given-up',
  `
  SELECT ${COLUMNS}, CAST(o.settled_at AS text) AS at FROM sms_outbox o
  WHERE state IN ('failed', 'expired') AND state = CAST(:state AS text) AND settled_at >= CAST(:since AS timestamptz)
    AND settled_at < CAST(:until AS timestamptz) AND (settled_at, id) < (CAST(:at AS timestamptz), CAST(:id AS bigint))
  ORDER BY settled_at DESC, id DESC LIMIT CAST(:limit AS int)`,
)

/** Those first whose wait for a receipt or a response ends first. They are few: what the windows of lines hold. */
const sentList = (state: 'ambiguous' | 'submitting') =>
  statement<ListedSms>(
    `sms-list-${state}`,
    `
  SELECT ${COLUMNS}, CAST(o.wake_at AS text) AS at FROM sms_outbox o
  WHERE state = '${state}' AND submitted_at >= CAST(:since AS timestamptz) AND submitted_at < CAST(:until AS timestamptz)
    AND (wake_at, id) > (CAST(:at AS timestamptz), CAST(:id AS bigint))
  ORDER BY wake_at, id LIMIT CAST(:limit AS int)`,
  )

/** Those first that leave first, of every line and kind: one look at the index for each. */
const DUE_LIST = statement<ListedSms>(
  'sms-list-due',
  `
  ${DUE_GROUPS}, page AS (
    SELECT found.id FROM groups CROSS JOIN LATERAL (
      SELECT id, wake_at FROM sms_outbox
      WHERE line = groups.line AND kind = groups.kind AND state = 'due' AND wake_at >= CAST(:since AS timestamptz)
        AND wake_at < CAST(:until AS timestamptz) AND (wake_at, id) > (CAST(:at AS timestamptz), CAST(:id AS bigint))
      ORDER BY wake_at, id LIMIT CAST(:limit AS int)) found
    ORDER BY found.wake_at, found.id LIMIT CAST(:limit AS int)
  )
  SELECT ${COLUMNS}, CAST(o.wake_at AS text) AS at FROM sms_outbox o WHERE o.id = ANY(ARRAY(SELECT id FROM page)) ORDER BY o.wake_at, o.id`,
)

const LISTS = {
  failed: GIVEN_UP,
  expired: GIVEN_UP,
  ambiguous: sentList('ambiguous'),
  submitting: sentList('submitting'),
  due: DUE_LIST,
}

/** Of failed ones, the newest: more are not read to say why SMS fail. */
export const REASONS_OF_MAX = 1_000
const REASONS_MAX = 12

/** How many failed for one reason: as `ListedSms` has it. */
export interface FailedFor {
  status: number | null
  error: string | null
  n: number
}

const FAILED_FOR = statement<FailedFor>(
  'sms-failed-for',
  `
  SELECT status, error, CAST(count(*) AS int) AS n FROM (
    SELECT last_status AS status, last_error AS error FROM sms_outbox
    WHERE state IN ('failed', 'expired') AND state = 'failed' AND settled_at >= CAST(:since AS timestamptz)
      AND settled_at < CAST(:until AS timestamptz)
    ORDER BY settled_at DESC, id DESC LIMIT ${REASONS_OF_MAX}) newest
  GROUP BY status, error ORDER BY n DESC, error, status LIMIT ${REASONS_MAX}`,
)

const OF_SUBSCRIBER = statement<ListedSms>(
  'sms-of-subscriber',
  `
  SELECT ${COLUMNS}, CAST(o.created_at AS text) AS at FROM sms_outbox o WHERE msisdn = :msisdn ORDER BY id DESC LIMIT ${SMS_PAGE.usual}`,
)

/** The newest SMS of one subscriber. */
export function smsOfSubscriber(sql: SqlRunner, msisdn: string): Promise<ListedSms[]> {
  return OF_SUBSCRIBER(sql, { msisdn })
}

/** `next`: where the next page begins; null: this was the last. */
export interface SmsPage {
  sms: ListedSms[]
  next: SmsPlace | null
}

export async function pageOfSms(sql: SqlRunner, asked: SmsAsked): Promise<SmsPage> {
  const { state, after, limit } = asked
  const isNewestFirst = LISTS[state] === GIVEN_UP
  const start = { at: isNewestFirst ? 'infinity' : '-infinity', id: '0' }
  const found = await LISTS[state](sql, {
    ...(isNewestFirst ? { state } : {}),
    ...spanOf(asked),
    ...(after ?? start),
    limit: limit + 1,
  })
  const sms = found.slice(0, limit)
  const last = found.length > limit ? sms.at(-1)! : undefined
  return { sms, next: last ? { at: last.at, id: last.id } : null }
}

/** Why they failed, the most frequent reason first: of the newest `REASONS_OF_MAX`. */
export function failedFor(sql: SqlRunner, asked: Pick<SmsAsked, 'sinceMs' | 'untilMs'>): Promise<FailedFor[]> {
  return FAILED_FOR(sql, spanOf(asked))
}

function spanOf({ sinceMs, untilMs }: Pick<SmsAsked, 'sinceMs' | 'untilMs'>) {
  return {
    since: sinceMs === null ? '-infinity' : new Date(sinceMs),
    until: untilMs === null ? 'infinity' : new Date(untilMs),
  }
}

/**
 * Deferred answers as rows of `ussd_late`. A row belongs to one daemon while its lease lasts, and is removed with its
 * answer.
 */
import { type SqlRunner, statement } from '../base/index.ts'

export interface DeferredRow {
  epoch: string
  msisdn: string
  line: string
  line_group: string
  code: string
  turn: number
  call: number
  revision: string
  snapshot: string
  opened_at: Date
  until_at: Date
  offer: string | null
  takeovers: number
}

const COLUMNS =
  'epoch, msisdn, line, line_group, code, turn, call, revision, snapshot, opened_at, until_at, offer, takeovers'

const WRITTEN = `${COLUMNS}, lease, lease_until`.split(', ')

const INSERT = statement(
  'late-hold',
  `
  INSERT INTO ussd_late (${WRITTEN.join(', ')}) VALUES (${WRITTEN.map((column) => `:${column}`).join(', ')})
  ON CONFLICT (epoch) DO UPDATE SET ${WRITTEN.map((column) => `${column} = excluded.${column}`).join(', ')}`,
)

/** A turn that is played again after a crash holds the same row. */
export async function insertDeferred(sql: SqlRunner, row: DeferredRow, lease: string, leaseUntil: Date): Promise<void> {
  await INSERT(sql, { ...row, lease, lease_until: leaseUntil })
}

export const RENEW = statement<{ epoch: string }>(
  'late-renew',
  `
  UPDATE ussd_late SET lease_until = CAST(:until AS timestamptz)
  WHERE lease = :lease AND epoch IN (SELECT jsonb_array_elements_text(CAST(:epochs AS jsonb)))
  RETURNING epoch`,
)

/** Rows whose daemon is gone. */
export const TAKE_OVER = statement<DeferredRow>(
  'late-take-over',
  `
  WITH pick AS (
    SELECT epoch FROM ussd_late WHERE lease_until <= CAST(:now AS timestamptz)
    ORDER BY lease_until LIMIT CAST(:limit AS int) FOR UPDATE SKIP LOCKED
  )
  UPDATE ussd_late l SET lease = CAST(:lease AS text), lease_until = CAST(:until AS timestamptz), takeovers = l.takeovers + 1
  FROM pick WHERE l.epoch = pick.epoch
  RETURNING ${COLUMNS.replaceAll(/(\w+)/g, 'l.$1')}`,
)

/**
 * Stored before the octets are sent: a daemon that takes the row over must not show it again. No row: another daemon
 * has it now.
 */
export const OFFER = statement<{ epoch: string }>(
  'late-offer',
  `
  UPDATE ussd_late SET offer = CAST(:offer AS text) WHERE epoch = :epoch AND lease = :lease RETURNING epoch`,
)

export const SETTLE_DEFERRED = statement<{ epoch: string }>(
  'late-settle',
  `
  DELETE FROM ussd_late WHERE epoch = :epoch AND lease = :lease RETURNING epoch`,
)

/**
 * Gives up the rows of this daemon, so that another need not wait for their leases to end. This does not count as a
 * takeover.
 */
export const LET_GO = statement<{ epoch: string }>(
  'late-let-go',
  `
  UPDATE ussd_late SET lease_until = CAST(:now AS timestamptz), takeovers = takeovers - 1 WHERE lease = :lease RETURNING epoch`,
)

/** It failed here, but this daemon keeps running: this does not count as a takeover. */
export const LIVED = statement<{ epoch: string }>(
  'late-lived',
  `
  UPDATE ussd_late SET takeovers = takeovers - 1 WHERE epoch = :epoch AND lease = :lease RETURNING epoch`,
)

export const GIVE_UP = statement<DeferredRow>(
  'late-give-up',
  `
  DELETE FROM ussd_late WHERE until_at <= CAST(:before AS timestamptz)
  RETURNING ${COLUMNS}`,
)

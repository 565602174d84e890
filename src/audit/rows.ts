/** The tables `audit` and `audit_begin`. */
import { statement, type Sql, type SqlRunner } from '../base/index.ts'
import { rangeOf, type RangeAsked } from '../watch/index.ts'
import { chained, NO_ROW, type AuditRow, type AuditWaiting, type ChainHead } from './chain.ts'

/** Daemons of one name, and commands beside them, write one after the other. */
const LOCK_CHAIN = statement(
  'audit-lock',
  `SELECT pg_advisory_xact_lock(hashtext('audit ' || CAST(:instance AS text)))`,
)

const HEAD_OF = statement<Stored<ChainHead>>(
  'audit-head',
  `
  (SELECT seq, hash FROM audit WHERE instance = CAST(:instance AS text) ORDER BY seq DESC LIMIT 1)
  UNION ALL (SELECT seq, hash FROM audit_begin WHERE instance = CAST(:instance AS text))
  ORDER BY seq DESC LIMIT 1`,
)

const KNOWN = statement<{ id: string }>(
  'audit-known',
  `SELECT id FROM audit WHERE id IN (SELECT json_array_elements_text(CAST(:ids AS json)))`,
)

const APPEND = statement<{ id: string }>(
  'audit-append',
  `
  INSERT INTO audit (id, instance, seq, at, who, role, what, subscriber, detail, prev, hash)
  SELECT id, instance, seq, at, who, role, what, subscriber, detail, prev, hash
  FROM json_to_recordset(CAST(:rows AS json)) AS row(
    id text, instance text, seq bigint, at timestamptz, who text, role text, what text, subscriber text, detail text,
    prev text, hash text)`,
)

const COLUMNS = 'id, instance, seq, at, who, role, what, subscriber, detail, prev, hash'

const SINCE = statement<Stored<AuditRow>>(
  'audit-since',
  `
  SELECT ${COLUMNS} FROM audit
  WHERE at >= CAST(:since AS timestamptz) AND (CAST(:who AS text) = '' OR who = CAST(:who AS text))
    AND (CAST(:subscriber AS text) = '' OR subscriber = CAST(:subscriber AS text))
  ORDER BY at DESC, instance, seq DESC LIMIT CAST(:most AS int)`,
)

const WITHIN = statement<Stored<AuditRow>>(
  'audit-within',
  `
  SELECT ${COLUMNS} FROM audit
  WHERE at >= CAST(:from AS timestamptz) AND at <= CAST(:until AS timestamptz)
    AND (at, id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS text))
  ORDER BY at DESC, id DESC LIMIT CAST(:most AS int)`,
)

const AFTER = statement<Stored<AuditRow>>(
  'audit-after',
  `
  SELECT ${COLUMNS} FROM audit WHERE instance = CAST(:instance AS text) AND seq > CAST(:seq AS bigint)
  ORDER BY seq LIMIT CAST(:most AS int)`,
)

const CHAINS = statement<{ instance: string; seq: string | null; hash: string | null; at: Date | null }>(
  'audit-chains',
  `
  SELECT instance, begun.seq, begun.hash, begun.at
  FROM (SELECT instance FROM audit UNION SELECT instance FROM audit_begin) AS known
  LEFT JOIN audit_begin AS begun USING (instance) ORDER BY instance`,
)

const OLD = statement<{ instance: string; seq: string }>(
  'audit-old',
  `
  SELECT instance, max(seq) AS seq
  FROM (SELECT instance, seq FROM audit WHERE at < CAST(:before AS timestamptz) ORDER BY at LIMIT CAST(:most AS int)) AS old
  GROUP BY instance ORDER BY instance`,
)

const BEGIN_AFTER = statement(
  'audit-begin',
  `
  INSERT INTO audit_begin (instance, seq, hash, at)
  SELECT instance, seq, hash, CAST(:at AS timestamptz) FROM audit
  WHERE instance = CAST(:instance AS text) AND seq = CAST(:seq AS bigint)
  ON CONFLICT (instance) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, at = excluded.at
  WHERE audit_begin.seq < excluded.seq`,
)

const REMOVE = statement<{ id: string }>(
  'audit-remove',
  `DELETE FROM audit WHERE instance = CAST(:instance AS text) AND seq <= CAST(:seq AS bigint) RETURNING id`,
)

/** As the driver gives it: whole numbers of 64 bits are texts. */
type Stored<Row> = Omit<Row, 'seq' | 'at'> & { seq: string | number; at?: Date }

const rowOf = ({ seq, at, ...row }: Stored<AuditRow>) =>
  ({ ...row, seq: Number(seq), at: at!.toISOString() }) as AuditRow

/** Adds rows to the end of the chain of this name, each once. Resolves with its end. */
export async function appendAudit(sql: Sql, instance: string, rows: readonly AuditWaiting[]): Promise<ChainHead> {
  return sql.transaction(async (trx) => {
    await LOCK_CHAIN(trx, { instance })
    const head = await headOf(trx, instance)
    const ids = JSON.stringify(rows.map(({ id }) => id))
    const known = new Set((await KNOWN(trx, { ids })).map(({ id }) => id))
    const linked = chained(
      rows.filter(({ id }) => !known.has(id)),
      head,
    )
    if (linked.length > 0) await APPEND(trx, { rows: JSON.stringify(linked) })
    const { seq, hash } = linked.at(-1) ?? head
    return { seq, hash }
  })
}

async function headOf(trx: SqlRunner, instance: string): Promise<ChainHead> {
  const [head] = await HEAD_OF(trx, { instance })
  return head ? { seq: Number(head.seq), hash: head.hash } : NO_ROW
}

export interface AuditAsked {
  since: Date
  /** '': everybody. */
  who: string
  /** A keyed hash. '': about anybody, and about nobody. */
  subscriber: string
  most: number
}

/** Newest first, of all daemons. */
export async function auditSince(sql: Sql, asked: AuditAsked): Promise<AuditRow[]> {
  return (await SINCE(sql, { ...asked })).map(rowOf)
}

/** The newest within a time. `before`: those that are older than this row. */
export async function auditWithin(sql: Sql, range: RangeAsked): Promise<AuditRow[]> {
  return (await WITHIN(sql, rangeOf(range))).map(rowOf)
}

/** Of one chain, in its order. */
export async function auditAfter(sql: Sql, instance: string, seq: number, most: number): Promise<AuditRow[]> {
  return (await AFTER(sql, { instance, seq, most })).map(rowOf)
}

export interface ChainBegin extends ChainHead {
  instance: string
  /** Null: nothing was removed. */
  at: Date | null
}

export async function auditChains(sql: Sql): Promise<ChainBegin[]> {
  return (await CHAINS(sql, {})).map(({ instance, seq, hash, at }) => ({
    instance,
    seq: Number(seq ?? 0),
    hash: hash ?? '',
    at,
  }))
}

/** The most rows of one purge: the next one removes the rest. */
const OLD_MAX = 5_000

/** Removes what is older, from the beginnings of chains, and keeps where they begin then. Resolves with the count. */
export async function purgeAudit(sql: Sql, before: Date, now: Date): Promise<number> {
  let removed = 0
  for (const { instance, seq } of await OLD(sql, { before, most: OLD_MAX }))
    removed += await sql.transaction(async (trx) => {
      await LOCK_CHAIN(trx, { instance })
      await BEGIN_AFTER(trx, { instance, seq, at: now })
      return (await REMOVE(trx, { instance, seq })).length
    })
  return removed
}

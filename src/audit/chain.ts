/** A row of the audit, and how each is bound to the one before it. Pure. */
import { createHash } from 'node:crypto'
import { fieldsWithoutNumbers } from '../base/index.ts'

/** What happened. `more` may have numbers of subscribers: they go no further than this room. */
export interface AuditEntry {
  who: string
  role: string
  what: string
  more: object
}

/** What is known of a row before it is in a chain. */
export interface AuditWaiting {
  id: string
  at: string
  instance: string
  who: string
  role: string
  what: string
  /** The keyed hash of the number that it is about. */
  subscriber: string | null
  /** JSON. */
  detail: string
}

export interface AuditRow extends AuditWaiting {
  seq: number
  /** The hash of the row before; '' before the first. */
  prev: string
  hash: string
}

/** The end of a chain. */
export interface ChainHead {
  seq: number
  hash: string
}

/** One chain, as it was found. */
export interface ChainVerdict {
  instance: string
  rows: number
  /** The first and the last row. */
  from: number
  to: number
  head: string
  /** When older rows were removed, as the retention says. */
  begunAt: string | null
  /** What is wrong with it, at the first place. */
  fault?: string
}

export const NO_ROW: ChainHead = { seq: 0, hash: '' }

/** Text of a reason or an error can be long; a row that is kept for years need not. */
const DETAIL_MAX = 4_000

/** Without numbers: in their place is the hash by which the log names this subscriber. */
export function auditRowOf({ who, role, what, more }: AuditEntry, key: Buffer) {
  const { msisdn: _, subscriber = null, ...rest } = fieldsWithoutNumbers({ ...more }, key)
  const detail = JSON.stringify(rest)
  const short = detail.length > DETAIL_MAX ? JSON.stringify({ cut: detail.slice(0, DETAIL_MAX) }) : detail
  return { who, role, what, subscriber: subscriber as string | null, detail: short }
}

export function chained(rows: readonly AuditWaiting[], head: ChainHead): AuditRow[] {
  let { seq, hash } = head
  return rows.map((row) => {
    const linked = { ...row, seq: ++seq, prev: hash }
    hash = hashOfAudit(linked)
    return { ...linked, hash }
  })
}

function hashOfAudit(row: Omit<AuditRow, 'hash'>): string {
  const { prev, id, instance, seq, at, who, role, what, subscriber, detail } = row
  const said = JSON.stringify([prev, id, instance, seq, at, who, role, what, subscriber, detail])
  return createHash('sha256').update(said).digest('hex')
}

/** What is wrong between the end of what was seen so far and this row. */
export function faultBetween(head: ChainHead, row: AuditRow): string | undefined {
  if (row.seq !== head.seq + 1) return `row ${head.seq + 1} is gone (after it comes ${row.seq})`
  if (row.prev !== head.hash) return `row ${row.seq} does not follow the row before it: that one was replaced`
  if (hashOfAudit(row) !== row.hash) return `row ${row.seq} (${row.at}, ${row.who}, ${row.what}) was changed`
  return undefined
}

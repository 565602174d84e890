/** What the statements of the outbox (src/sms/outbox/rows.ts, outbox.ts, forget.ts) do, without SQL. */
import type { Model } from './sql-model.ts'
import { by, type Database, type Sms, type Tables } from './tables.ts'

/** One SMS to be owed, as `smsBinding` writes it. */
export interface NewRow {
  kind: string
  body: string
  due_at: string
  expires_at: string
  quiet_zone: string | null
}

type Given = Record<string, unknown>

const at = (value: unknown) => value as Date
const isHeard = (state: string) => state === 'submitting' || state === 'ambiguous'

const readyAt = (row: Sms) => new Date(Math.max(+row.due_at, +row.wake_at))
const isReady = (row: Sms, now: Date, today: Date) => row.state === 'due' && row.due_at <= today && row.wake_at <= now
const isExpired = (row: Sms, now: Date, today: Date) =>
  row.state === 'due' && row.expires_at <= today && (row.lease === null || row.wake_at <= now)

export const OUTBOX_MODEL: Model = {
  'sms-due': ({ tables }, { now, today }) => {
    const rows = [...tables.sms.values()]
    const upkeep = rows.some(
      (row) =>
        isExpired(row, at(now), at(today)) ||
        (row.state === 'submitting' && row.wake_at <= at(now)) ||
        row.state === 'ambiguous' ||
        (row.recall_at !== null && row.recall_at <= at(now) && row.state !== 'submitting'),
    )
    return [{ send: rows.some((row) => isReady(row, at(now), at(today))), upkeep }]
  },
  'sms-claim': ({ tables }, { today, now, paused, limit, lease, until }) => {
    const lines = new Set(JSON.parse(String(paused)) as string[])
    return [...tables.sms.values()]
      .filter((row) => isReady(row, at(now), at(today)) && !lines.has(row.line))
      .toSorted(by(readyAt, (row) => row.id))
      .slice(0, Number(limit))
      .map((row) => {
        put(tables, row, { lease: String(lease), wake_at: at(until) })
        const { msisdn, text, kind, quiet_zone, due_at, expires_at, attempts, losses } = row
        const line = row.parts > 1 ? (row.sent_line ?? row.line) : row.line
        const parts = { parts: row.parts, taken: taken(tables, row) }
        return {
          id: String(row.id),
          msisdn,
          text,
          kind,
          quiet_zone,
          due_at,
          expires_at,
          attempts,
          losses,
          ...parts,
          line,
        }
      })
  },
  'sms-submit': ({ tables }, { id, lease, msisdn, now, until }) => {
    const row = tables.sms.get(Number(id))
    if (row?.state !== 'due' || row.lease !== lease) return []
    const isAway = tables.optOuts.has(String(msisdn))
    const kept = put(tables, row, {
      state: isAway ? 'cancelled' : 'submitting',
      attempts: row.attempts + (isAway ? 0 : 1),
      submitted_at: isAway ? null : at(now),
      settled_at: isAway ? at(now) : null,
      wake_at: at(until),
    })
    return [{ state: kept.state, attempts: kept.attempts }]
  },
  'sms-take-part': ({ tables }, { id, lease, line, parts, until }) =>
    change(tables, [tables.sms.get(Number(id))], (row) => row.state === 'submitting' && row.lease === lease, {
      parts: Number(parts),
      sent_line: String(line),
      wake_at: at(until),
    }),
  'sms-settle': ({ tables }, given) => {
    const row = tables.sms.get(Number(given.id))
    if (!row || row.lease !== given.lease || !isHeard(row.state)) return []
    put(tables, row, {
      state: String(given.state),
      wake_at: at(given.wake),
      attempts: row.attempts - Number(given.uncounted),
      losses: row.losses + Number(given.lost),
      last_status: given.status as number | null,
      last_error: given.error as string | null,
      sent_line: (given.line as string | null) ?? row.sent_line,
      parts: (given.parts as number | null) ?? row.parts,
      settled_at: given.final ? at(given.now) : null,
    })
    storeParts(tables, row.id, given.line ?? '', given.ids)
    return [{ id: String(row.id) }]
  },
  'sms-defer': ({ tables }, { id, lease, wake }) =>
    change(tables, [tables.sms.get(Number(id))], (row) => row.state === 'due' && row.lease === lease, {
      wake_at: at(wake),
      lease: null,
    }),
  'sms-lose': ({ tables }, { now, until }) =>
    change(
      tables,
      tables.sms.values(),
      (row) => row.state === 'submitting' && row.wake_at <= at(now),
      (row) => ({ state: 'ambiguous', losses: row.losses + 1, wake_at: at(until) }),
    ),
  'sms-expire': ({ tables }, { now, today }) =>
    change(tables, tables.sms.values(), (row) => isExpired(row, at(now), at(today)), {
      state: 'expired',
      lease: null,
      settled_at: at(now),
    }),
  'sms-ambiguous': ({ tables }, { now, limit }) =>
    [...tables.sms.values()]
      .filter(
        (row) =>
          row.state === 'ambiguous' &&
          (row.wake_at <= at(now) ||
            [...tables.orphans.values()].some(
              (one) => one.sender === row.msisdn && one.received_at >= row.submitted_at!,
            )),
      )
      .toSorted(
        by(
          (row) => row.wake_at,
          (row) => row.id,
        ),
      )
      .slice(0, Number(limit))
      .map((row) => openRow(tables, row)),
  'sms-hold': ({ tables }, { id }) => {
    const row = tables.sms.get(Number(id))
    return row?.state === 'ambiguous' ? [openRow(tables, row)] : []
  },
  'sms-resolve': ({ tables }, { id, state, wake, error, final, now }) =>
    change(tables, [tables.sms.get(Number(id))], (row) => row.state === 'ambiguous', {
      state: String(state),
      wake_at: at(wake),
      lease: null,
      last_error: error as string | null,
      settled_at: final ? at(now) : null,
    }),
  'sms-hold-back': ({ tables }, { msisdn, wake, now }) =>
    change(
      tables,
      tables.sms.values(),
      (row) =>
        row.msisdn === msisdn &&
        row.state === 'due' &&
        row.wake_at < at(wake) &&
        (row.lease === null || row.wake_at <= at(now)),
      { wake_at: at(wake) },
    ),
  'sms-recall': ({ tables }, { now, limit, until }) =>
    [...tables.sms.values()]
      .filter((row) => row.recall_at !== null && row.recall_at <= at(now) && row.state !== 'submitting')
      .toSorted(
        by(
          (row) => row.recall_at,
          (row) => row.id,
        ),
      )
      .slice(0, Number(limit))
      .map((row) => put(tables, row, { recall_at: row.state === 'accepted' ? at(until) : null }))
      .filter((row) => row.recall_at !== null)
      .map((row) => ({
        id: String(row.id),
        kind: row.kind,
        msisdn: row.msisdn,
        line: row.sent_line ?? row.line,
        message_ids: partsOf(tables, row.id)
          .filter((part) => part.state === 'accepted')
          .map((part) => part.message_id),
      })),
  'sms-recalled': ({ tables }, { id, again, gone, now }) =>
    change(
      tables,
      [tables.sms.get(Number(id))],
      (row) => row.state === 'accepted',
      (row) => ({
        recall_at: again as Date | null,
        ...(gone ? { state: 'cancelled', settled_at: at(now) } : { state: row.state }),
      }),
    ),
  'forget-receipts': ({ tables }, { before }) =>
    [...tables.orphans.values()]
      .filter((one) => one.received_at < at(before))
      .map((one) => (tables.orphans.delete(one.id), { id: String(one.id) })),
  'forget-incoming': () => [],
  'forget-sms': ({ tables }, { before }) =>
    [...tables.sms.values()]
      .filter(
        (row) =>
          row.created_at < at(before) &&
          row.expires_at < at(before) &&
          !['due', 'submitting', 'ambiguous'].includes(row.state),
      )
      .map((row) => (remove(tables, row), { id: String(row.id) })),
}

/** Owes these SMS; the same subject, kind and moment twice is one row. */
export function insertSms(
  database: Database,
  owner: { subject: string; msisdn: string; line: string },
  rows: readonly NewRow[],
  now: Date,
): void {
  const { tables } = database
  for (const { kind, body, quiet_zone, ...row } of rows) {
    const [due_at, expires_at] = [new Date(row.due_at), new Date(row.expires_at)]
    const id = database.next('sms')
    const isThere = [...tables.sms.values()].some(
      (one) => one.subject === owner.subject && one.kind === kind && +one.due_at === +due_at,
    )
    if (isThere) continue
    tables.sms.set(id, {
      ...owner,
      id,
      kind,
      text: body,
      quiet_zone,
      due_at,
      expires_at,
      state: 'due',
      wake_at: now,
      lease: null,
      attempts: 0,
      losses: 0,
      last_status: null,
      last_error: null,
      sent_line: null,
      created_at: now,
      submitted_at: null,
      settled_at: null,
      parts: 1,
      answered: null,
      recall_at: null,
    })
  }
}

/** Calls off what has not left, and has the rest called back. */
export function callOffSms(tables: Tables, subject: string, now: Date): void {
  change(tables, tables.sms.values(), (row) => row.subject === subject && ['due', 'ambiguous'].includes(row.state), {
    state: 'cancelled',
    lease: null,
    settled_at: now,
    recall_at: null,
  })
  change(
    tables,
    tables.sms.values(),
    (row) => row.subject === subject && ['accepted', 'submitting'].includes(row.state),
    { recall_at: now },
  )
}

export function put(tables: Tables, row: Sms, changes: Partial<Sms>): Sms {
  const kept = { ...row, ...changes }
  tables.sms.set(row.id, kept)
  return kept
}

/** Those that are known already stay as they are. */
export function storeParts(tables: Tables, sms: number, line: unknown, ids: unknown): void {
  for (const one of JSON.parse(String(ids)) as { part: number; message_id: string; message_key: string }[]) {
    const key = `${sms}/${one.part}`
    if (!tables.parts.has(key)) tables.parts.set(key, { sms, line: String(line), state: 'accepted', ...one })
  }
}

export function partsOf(tables: Tables, sms: number) {
  return [...tables.parts.values()].filter((part) => part.sms === sms).toSorted(by((part) => part.part))
}

function change(
  tables: Tables,
  rows: Iterable<Sms | undefined>,
  is: (row: Sms) => boolean,
  to: Partial<Sms> | ((row: Sms) => Partial<Sms>),
): Given[] {
  return [...rows]
    .filter((row) => row !== undefined)
    .filter(is)
    .map((row) => {
      put(tables, row, typeof to === 'function' ? to(row) : to)
      return { id: String(row.id), kind: row.kind }
    })
}

function remove(tables: Tables, row: Sms): void {
  tables.sms.delete(row.id)
  for (const [key, part] of tables.parts) if (part.sms === row.id) tables.parts.delete(key)
}

function taken(tables: Tables, row: Sms): number[] {
  return partsOf(tables, row.id).map((part) => part.part)
}

function openRow(tables: Tables, row: Sms) {
  const { kind, state, msisdn, losses, submitted_at, wake_at, parts } = row
  return {
    id: String(row.id),
    kind,
    state,
    msisdn,
    line: row.sent_line ?? row.line,
    losses,
    submitted_at,
    wake_at,
    parts,
    taken: taken(tables, row),
  }
}

/** What the statements of the outbox (src/sms/outbox/rows.ts, outbox.ts, forget.ts) do, without SQL. */
import { urgencyOf } from '../../src/sms/outbox/when.ts'
import type { Model } from './sql-model.ts'
import { by, type Database, type Sms, type Tables } from './tables.ts'

/** One SMS to be owed, as `smsBinding` writes it. */
export interface NewRow {
  kind: string
  body: string
  due_at: string
  expires_at: string
  quiet_zone: string | null
  module: string
  key: string | null
  hook: string | null
}

type Given = Record<string, unknown>

/** What became of one SMS, as `settleTried` writes it. */
interface SettledRow {
  id: string
  lease: string
  state: string
  wake: string
  uncounted: number
  lost: number
  status: number | null
  error: string | null
  line: string | null
  parts: number | null
  final: boolean
}

/** A list as Postgres writes it. */
const listOf = (list: unknown) => String(list).slice(1, -1).split(',')

function grouped(rows: readonly Sms[], keyOf: (row: Sms) => string): Map<string, Sms[]> {
  const groups = new Map<string, Sms[]>()
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row])
  return groups
}

/** Those that are due and that this claim still has. */
function heldRows(tables: Tables, ids: unknown, leases: unknown): Sms[] {
  return listOf(ids).flatMap((id, n) => {
    const row = tables.sms.get(Number(id))
    return row?.state === 'due' && row.lease === listOf(leases)[n] ? [row] : []
  })
}

function claimed(tables: Tables, row: Sms, share: number): Given {
  const { msisdn, text, kind, quiet_zone, due_at, expires_at, attempts, losses, parts } = row
  const line = parts > 1 ? (row.sent_line ?? row.line) : row.line
  const owner = row.owner ?? `module:${row.subject.split(':')[0]}`
  const own = {
    msisdn,
    text,
    kind,
    quiet_zone,
    due_at,
    expires_at,
    attempts,
    losses,
    parts,
    owner,
    template: null,
    tlvs: null,
  }
  return { id: String(row.id), ...own, taken: taken(tables, row), line, owed_line: row.line, share }
}

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
  'sms-claim': ({ tables }, { today, now, wants, other, lease, until }) => {
    const named = JSON.parse(String(wants)) as Record<string, number[]>
    const others = JSON.parse(String(other)) as number[]
    const mostOf = ({ line, kind }: Sms) => (named[line] ?? others)[urgencyOf(kind)]!
    const ready = [...tables.sms.values()]
      .filter((row) => isReady(row, at(now), at(today)) && mostOf(row) > 0)
      .toSorted(by(readyAt, (row) => row.id))
    // The kinds of a line get equal shares, the most urgent first; lines that are not named are one.
    const lanes = grouped(ready, ({ line }) => (line in named ? line : ''))
    return [...lanes.values()].flatMap((rows) => {
      const kinds = [...grouped(rows, ({ line, kind }) => JSON.stringify([line, kind])).values()]
      const shareOf = (row: Sms) => Math.ceil(mostOf(row) / kinds.length)
      return kinds
        .flatMap((group) => group.slice(0, shareOf(group[0]!)).map((row, nth) => ({ row, nth })))
        .toSorted(
          by(
            ({ row }) => urgencyOf(row.kind),
            ({ nth }) => nth,
            ({ row }) => readyAt(row),
            ({ row }) => row.id,
          ),
        )
        .filter(({ row }, place) => place < mostOf(row))
        .map(({ row }) => {
          const share = shareOf(row)
          put(tables, row, { lease: String(lease), wake_at: at(until) })
          return claimed(tables, row, share)
        })
    })
  },
  'sms-submit': ({ tables }, { ids, leases, now, today, until }) =>
    heldRows(tables, ids, leases).map((row) => {
      const isAway =
        !['answer', 'answer-screen', 'otp', 'transactional'].includes(row.kind) && tables.optOuts.has(row.msisdn)
      const state = isAway ? 'cancelled' : row.expires_at <= at(today) ? 'expired' : 'submitting'
      const isSent = state === 'submitting'
      const kept = put(tables, row, {
        state,
        attempts: row.attempts + (isSent ? 1 : 0),
        submitted_at: isSent ? at(now) : null,
        settled_at: isSent ? null : at(now),
        wake_at: at(until),
      })
      return { id: String(row.id), state, attempts: kept.attempts }
    }),
  'sms-take-part': ({ tables }, { id, lease, line, parts, until }) =>
    change(tables, [tables.sms.get(Number(id))], (row) => row.state === 'submitting' && row.lease === lease, {
      parts: Number(parts),
      sent_line: String(line),
      wake_at: at(until),
    }),
  'sms-settle': ({ tables }, { rows, ids, now }) => {
    const kept: { id: string }[] = []
    for (const given of JSON.parse(String(rows)) as SettledRow[]) {
      const row = tables.sms.get(Number(given.id))
      if (!row || row.lease !== given.lease || !isHeard(row.state)) continue
      put(tables, row, {
        state: given.state,
        wake_at: new Date(given.wake),
        attempts: row.attempts - given.uncounted,
        losses: row.losses + given.lost,
        last_status: given.status,
        last_error: given.error,
        sent_line: given.line ?? row.sent_line,
        parts: given.parts ?? row.parts,
        settled_at: given.final ? at(now) : null,
      })
      const own = (JSON.parse(String(ids)) as (NewPart & { sms: string })[]).filter(({ sms }) => sms === given.id)
      storeParts(
        tables,
        row.id,
        given.line ?? '',
        own.map(({ part, message_id, message_key }) => ({ part, message_id, message_key })),
      )
      kept.push({ id: String(row.id) })
    }
    return kept
  },
  'sms-defer': ({ tables }, { ids, wakes, lease }) => {
    const wakeOf = new Map(listOf(ids).map((id, n) => [Number(id), new Date(listOf(wakes)[n]!)]))
    return change(
      tables,
      [...wakeOf.keys()].map((id) => tables.sms.get(id)),
      (row) => row.state === 'due' && row.lease === lease,
      (row) => ({ wake_at: wakeOf.get(row.id)!, lease: null }),
    )
  },
  'sms-release': ({ tables }, { ids, leases }) =>
    heldRows(tables, ids, leases).map((row) => {
      put(tables, row, { wake_at: row.created_at, lease: null })
      return { id: String(row.id) }
    }),
  'sms-lose': ({ tables }, { now, until }) =>
    change(
      tables,
      tables.sms.values(),
      (row) => row.state === 'submitting' && row.wake_at <= at(now),
      (row) => ({ state: 'ambiguous', losses: row.losses + 1, wake_at: at(until) }),
    ),
  'sms-expire': ({ tables }, { now, today, limit }) =>
    change(
      tables,
      [...tables.sms.values()]
        .filter((row) => isExpired(row, at(now), at(today)))
        .toSorted(by((row) => row.expires_at))
        .slice(0, Number(limit)),
      () => true,
      { state: 'expired', lease: null, settled_at: at(now) },
    ),
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
  'sms-hold-back': ({ tables }, { full, now }) =>
    (JSON.parse(String(full)) as { msisdn: string; wake: string }[]).flatMap(({ msisdn, wake }) =>
      change(
        tables,
        tables.sms.values(),
        (row) =>
          row.msisdn === msisdn &&
          row.state === 'due' &&
          row.wake_at < new Date(wake) &&
          (row.lease === null || row.wake_at <= at(now)),
        { wake_at: new Date(wake) },
      ),
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
  'forget-sms': ({ tables }, { before }) => {
    const old = [...tables.sms.values()].filter(
      (row) =>
        row.created_at < at(before) &&
        row.expires_at < at(before) &&
        !['due', 'submitting', 'ambiguous'].includes(row.state),
    )
    for (const row of old) remove(tables, row)
    return [{ gone: old.length, last: null }]
  },
}

/** Owes these SMS; the same subject, kind and moment twice is one row. */
export function insertSms(
  database: Database,
  owner: { subject: string; msisdn: string; line: string },
  rows: readonly NewRow[],
  now: Date,
): void {
  const { tables } = database
  for (const { kind, body, quiet_zone, module, hook, ...row } of rows) {
    const key = row.key === null ? null : `${owner.subject}/${row.key}`
    const [due_at, expires_at] = [new Date(row.due_at), new Date(row.expires_at)]
    const id = database.next('sms')
    const isThere = [...tables.sms.values()].some(
      (one) =>
        (one.subject === owner.subject && one.kind === kind && +one.due_at === +due_at) ||
        (key !== null && one.owner === module && one.key === key),
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
      template: null,
      tlvs: null,
      answered: null,
      recall_at: null,
      owner: module,
      key,
      asked: null,
      hook,
      asked_at: null,
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

interface NewPart {
  part: number
  message_id: string
  message_key: string
}

/** Those that are known already stay as they are. */
export function storeParts(tables: Tables, sms: number, line: unknown, parts: readonly NewPart[]): void {
  for (const one of parts) {
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

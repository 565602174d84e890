/** What the statements of the outbox (src/sms/outbox/rows.ts, outbox.ts, forget.ts) do, without SQL. */
import { urgencyOf } from '../../src/sms/terms/when.ts'
import type { Model } from './sql-model.ts'
import { by, type Database, type Sms, type Tables } from './tables.ts'

/** One SMS to be owed, as `smsBinding` writes it. */
export interface NewRow {
  kind: string
  body: string
  due_at: string
  wake_at: string
  expires_at: string
  quiet_zone: string | null
  module: string
  key: string | null
  hook: string | null
}

type Given = Record<string, unknown>

interface CrowdOf {
  line: string
  kind: string
  msisdn: string
  alone: boolean
}

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

function grouped(rows: readonly Sms[], keyOf: (row: Sms) => string): Map<string, Sms[]> {
  const groups = new Map<string, Sms[]>()
  for (const row of rows) {
    const group = groups.get(keyOf(row))
    if (group) group.push(row)
    else groups.set(keyOf(row), [row])
  }
  return groups
}

function claimed(
  tables: Tables,
  row: Sms,
  { moment, ...shared }: { has_more: boolean; kinds: number; moment: Date },
): Given {
  const { state, lease, msisdn, text, kind, quiet_zone, expires_at, attempts, losses, parts } = row
  const line = parts > 1 ? (row.sent_line ?? row.line) : row.line
  const owner = row.owner ?? `module:${row.subject.split(':')[0]}`
  const expires_ms = expires_at.getTime()
  const own = { state, lease, msisdn, text, kind, quiet_zone, expires_ms, attempts, losses, parts, owner }
  const is_again = state === 'due' && row.wake_at <= moment
  const asked = {
    template: null,
    tlvs: null,
    moment_ms: moment.getTime(),
    since: moment.toISOString(),
    ...shared,
    is_again,
  }
  const has = taken(tables, row)
  return { id: String(row.id), ...own, ...asked, taken: has.length > 0 ? has : null, line, owed_line: row.line }
}

/** Null: wherever it stands. */
function isBehind(row: Sms, heads: unknown): boolean {
  if (heads === null) return true
  const all = JSON.parse(String(heads)) as { line: string; kind: string; since: string; id: string }[]
  const head = all.find(({ line, kind }) => line === row.line && kind === row.kind)
  if (!head) return false
  const since = new Date(head.since)
  return row.wake_at > since || (+row.wake_at === +since && row.id > Number(head.id))
}

/** What a claim makes of a due row. */
function fateOf(tables: Tables, row: Sms, given: Given): Partial<Sms> {
  const { now, today, lease, until } = given
  const quiet = JSON.parse(String(given.quiet)) as Record<string, string | null>
  const isAway =
    !['answer', 'answer-screen', 'otp', 'transactional'].includes(row.kind) && tables.optOuts.has(row.msisdn)
  if (isAway) return { state: 'cancelled', lease: null, settled_at: at(now) }
  if (row.expires_at <= at(today)) return { state: 'expired', lease: null, settled_at: at(now) }
  const isOff = row.quiet_zone !== null && quiet[row.quiet_zone] !== null
  const wake = isOff && quiet[row.quiet_zone!]
  if (isOff) return { lease: null, settled_at: null, wake_at: wake ? new Date(wake) : row.wake_at }
  const sent = { submitted_at: at(now), settled_at: null, wake_at: at(until), attempts: row.attempts + 1 }
  return { state: 'submitting', lease: String(lease), ...sent }
}

const at = (value: unknown) => value as Date
const isHeard = (state: string) => state === 'submitting' || state === 'ambiguous'

const isReady = (row: Sms, now: Date) => row.state === 'due' && row.wake_at <= now
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
    return [{ send: rows.some((row) => isReady(row, at(now))), upkeep }]
  },
  'sms-claim': ({ tables }, given) => {
    const { now, wants, other, heads } = given
    const named = JSON.parse(String(wants)) as Record<string, number>
    const ready = [...tables.sms.values()]
      .filter((row) => isReady(row, at(now)) && (named[row.line] ?? Number(other)) > 0 && isBehind(row, heads))
      .toSorted(
        by(
          (row) => row.wake_at,
          (row) => row.id,
        ),
      )
    // The most urgent kinds first, with equal shares of those that are as urgent; lines that are not named are one.
    const lanes = grouped(ready, ({ line }) => (line in named ? line : ''))
    return [...lanes].flatMap(([lane, rows]) => {
      const most = named[lane] ?? Number(other)
      const kinds = [...grouped(rows, ({ line, kind }) => JSON.stringify([line, kind])).values()]
      const alike = (urgency: number) => kinds.filter(([one]) => urgencyOf(one!.kind) === urgency).length
      const shareOf = (urgency: number) => Math.ceil(most / alike(urgency))
      return kinds
        .flatMap((group) => {
          const urgency = urgencyOf(group[0]!.kind)
          const has_more = group.length >= shareOf(urgency)
          return group.slice(0, shareOf(urgency)).map((row, nth) => ({ row, nth, urgency, has_more }))
        })
        .toSorted(
          by(
            ({ urgency }) => urgency,
            ({ nth }) => nth,
            ({ row }) => row.wake_at,
            ({ row }) => row.id,
          ),
        )
        .slice(0, most)
        .map(({ row, has_more }) => {
          const kept = put(tables, row, fateOf(tables, row, given))
          return claimed(tables, kept, { has_more, kinds: kinds.length, moment: row.wake_at })
        })
    })
  },
  'sms-put-behind': ({ tables }, { crowds, each, now, until }) =>
    (JSON.parse(String(crowds)) as CrowdOf[]).flatMap(({ line, kind, msisdn, alone }) => {
      const ahead = [...tables.sms.values()].filter(
        (row) => row.line === line && row.kind === kind && isReady(row, at(now)),
      )
      if (alone && ahead.every((row) => row.msisdn === msisdn)) return []
      const own = ahead.filter((row) => row.msisdn === msisdn && row.submitted_at === null)
      return change(tables, own.slice(0, Number(each)), () => true, { wake_at: at(until) })
    }),
  'sms-take-parts': ({ tables }, { rows, ids, until }) => {
    const kept: { id: string }[] = []
    for (const given of JSON.parse(String(rows)) as { id: string; lease: string; line: string; parts: number }[]) {
      const row = tables.sms.get(Number(given.id))
      if (row?.state !== 'submitting' || row.lease !== given.lease) continue
      put(tables, row, { parts: given.parts, sent_line: given.line, wake_at: at(until) })
      storeAccepted(tables, row.id, given.line, ids)
      kept.push({ id: String(row.id) })
    }
    return kept
  },
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
      storeAccepted(tables, row.id, given.line ?? '', ids)
      kept.push({ id: String(row.id) })
    }
    return kept
  },
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
  'sms-depth': ({ tables }, { now }) =>
    [
      ...grouped(
        [...tables.sms.values()].filter((row) => row.state === 'due'),
        ({ line }) => line,
      ),
    ].map(([line, rows]) => {
      const due = rows.filter((row) => isReady(row, at(now)))
      const oldest = due.toSorted(by((row) => row.wake_at))[0]?.wake_at ?? null
      return { line, due: due.length, later: rows.length - due.length, oldest }
    }),
  'sms-depth-unanswered': ({ tables }) => {
    const count = (state: string) => [...tables.sms.values()].filter((row) => row.state === state).length
    return [{ ambiguous: count('ambiguous'), submitting: count('submitting') }]
  },
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
    const [due_at, wake_at, expires_at] = [new Date(row.due_at), new Date(row.wake_at), new Date(row.expires_at)]
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
      wake_at,
      lease: null,
      attempts: 0,
      losses: 0,
      last_status: null,
      last_error: null,
      sent_line: null,
      recorded: false,
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
    if (!tables.parts.has(key))
      tables.parts.set(key, { ...one, sms, line: String(line), state: 'accepted', told_at: null })
  }
}

/** Those of one SMS, of the parts of many. */
function storeAccepted(tables: Tables, sms: number, line: string, ids: unknown): void {
  const own = (JSON.parse(String(ids)) as (NewPart & { sms: string })[]).filter((one) => Number(one.sms) === sms)
  const parts = own.map(({ part, message_id, message_key }) => ({ part, message_id, message_key }))
  storeParts(tables, sms, line, parts)
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
      return { id: String(row.id), kind: row.kind, msisdn: row.msisdn, line: row.line, attempts: row.attempts }
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
  const { kind, state, msisdn, attempts, losses, submitted_at, wake_at, parts } = row
  return {
    id: String(row.id),
    kind,
    state,
    msisdn,
    line: row.sent_line ?? row.line,
    attempts,
    losses,
    submitted_at,
    wake_at,
    parts,
    taken: taken(tables, row),
  }
}

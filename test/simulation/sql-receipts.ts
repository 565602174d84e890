/** What the statements of receipts (src/sms/outbox/receipt-rows.ts) do, without SQL. */
import type { Model } from './sql-model.ts'
import { partsOf, put, storeParts } from './sql-outbox.ts'
import { by, type Orphan } from './tables.ts'

const RIVAL_MS = 86_400_000

export const RECEIPTS_MODEL: Model = {
  // Transactions of the model take turns anyway.
  'receipt-lock': () => [],
  'receipt-parts': ({ tables }, { sms, line, ids }) => {
    storeParts(tables, Number(sms), line, ids)
    return []
  },
  'receipt-single-delivered': settlesSingle('delivered'),
  'receipt-single-failed': settlesSingle('failed'),
  'receipt-early': ({ tables }, { keys, own, line, sms }) => {
    const wanted = new Set(JSON.parse(String(keys)) as string[])
    const { msisdn } = tables.sms.get(Number(sms))!
    return [...tables.orphans.values()]
      .filter((one) => wanted.has(one.message_key) && (line === '' || one.line === line))
      .filter((one) => one.message_key !== own || one.sender === msisdn)
      .map((one) => (tables.orphans.delete(one.id), shown(one)))
  },
  'receipt-possible': ({ tables }, { sms, msisdn, submitted, line, reference }) =>
    [...tables.orphans.values()]
      .filter(
        (one) => one.sender === msisdn && one.received_at >= (submitted as Date) && (line === '' || one.line === line),
      )
      .filter(
        (one) =>
          one.reference === reference ||
          (one.reference === null &&
            ![...tables.sms.values()].some(
              (other) =>
                other.msisdn === one.sender &&
                other.id !== Number(sms) &&
                (other.state === 'submitting' || other.state === 'ambiguous' || other.losses > 0) &&
                other.created_at <= one.received_at &&
                other.submitted_at !== null &&
                +other.submitted_at > +one.received_at - RIVAL_MS,
            )),
      )
      .toSorted(
        by(
          (one) => one.reference,
          (one) => one.received_at,
          (one) => one.id,
        ),
      )
      .map(shown),
  'receipt-drop': ({ tables }, { ids }) => {
    for (const id of JSON.parse(String(ids)) as string[]) tables.orphans.delete(Number(id))
    return []
  },
  'receipt-keep': (database, given) => {
    const { tables } = database
    const id = database.next('orphans')
    const [line, key, sender, state] = [given.line, given.key, given.from, given.state].map(String) as [
      string,
      string,
      string,
      string,
    ]
    const isThere = [...tables.orphans.values()].some(
      (one) => one.line === line && one.message_key === key && one.sender === sender && one.state === state,
    )
    if (isThere) return []
    tables.orphans.set(id, {
      id,
      line,
      message_id: String(given.id),
      message_key: key,
      sender,
      state,
      reference: given.reference as number | null,
      error: String(given.error),
      received_at: given.now as Date,
    })
    return [{ id: String(id) }]
  },
  'receipt-part': ({ tables }, { key, line, id, from }) =>
    [...tables.parts.values()]
      .filter((part) => part.message_key === key && (part.line === line || part.line === ''))
      .toSorted(
        by(
          (part) => part.message_id !== id,
          (part) => tables.sms.get(part.sms)!.msisdn !== from,
          (part) => -part.sms,
        ),
      )
      .slice(0, 1)
      .map((part) => ({
        sms: String(part.sms),
        part: part.part,
        part_state: part.state,
        state: tables.sms.get(part.sms)!.state,
      })),
  'receipt-reference': ({ tables }, { reference, line, from }) =>
    [...tables.parts.values()]
      .filter((part) => tables.sms.get(part.sms)!.msisdn === from && (part.sms % 65_535) + 1 === reference)
      .filter((part) => part.line === line || part.line === '')
      .toSorted(
        by(
          (part) => -part.sms,
          (part) => part.state !== 'accepted',
          (part) => part.part,
        ),
      )
      .slice(0, 1)
      .map((part) => ({
        sms: String(part.sms),
        part: part.part,
        part_state: part.state,
        state: tables.sms.get(part.sms)!.state,
      })),
  'receipt-settle-part': ({ tables }, { sms, part, state }) => {
    const key = `${Number(sms)}/${Number(part)}`
    const found = tables.parts.get(key)
    if (found) tables.parts.set(key, { ...found, state: String(state) })
    return []
  },
  'receipt-part-states': ({ tables }, { sms }) =>
    partsOf(tables, Number(sms)).map(({ state }) => ({ state, parts: tables.sms.get(Number(sms))!.parts })),
  'receipt-settle': ({ tables }, { sms, state, error, now }) => {
    const row = tables.sms.get(Number(sms))
    if (row) put(tables, row, { state: String(state), last_error: error as string | null, settled_at: now as Date })
    return []
  },
  'sms-state': ({ tables }, { sms }) => {
    const row = tables.sms.get(Number(sms))
    return row ? [{ state: row.state }] : []
  },
}

/** Of an SMS in one part, with its id, on its line, from its subscriber. */
function settlesSingle(to: 'delivered' | 'failed'): Model[string] {
  return ({ tables }, { key, id, line, from, error, now }) => {
    const [part] = [...tables.parts.values()]
      .filter((one) => one.message_key === key && one.message_id === id && one.line === line)
      .filter((one) => tables.sms.get(one.sms)!.msisdn === from)
      .toSorted(by((one) => -one.sms))
    const row = part && tables.sms.get(part.sms)
    if (!part || !row || row.parts !== 1 || part.state !== 'accepted') return []
    tables.parts.set(`${part.sms}/${part.part}`, { ...part, state: to })
    if (['submitting', 'ambiguous', 'accepted'].includes(row.state))
      put(tables, row, { state: to, last_error: error as string | null, settled_at: now as Date })
    return [{ id: String(row.id) }]
  }
}

function shown({ id, line, message_id, message_key, state, error, reference }: Orphan) {
  return { id: String(id), line, message_id, message_key, state, error, reference }
}

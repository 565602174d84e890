/** What the statements of receipts (src/sms/receipts/rows.ts) do, without SQL. */
import type { Model } from './sql-model.ts'
import { partsOf, put, storeParts } from './sql-outbox.ts'
import { by, type IdFormRow, type Orphan, type Part, type Sms, type Tables } from './tables.ts'

const RIVAL_MS = 86_400_000

export const RECEIPTS_MODEL: Model = {
  // Transactions of the model take turns anyway.
  'receipt-lock': () => [],
  'receipt-parts': ({ tables }, { sms, line, ids }) => {
    storeParts(tables, Number(sms), line, JSON.parse(String(ids)))
    return []
  },
  'receipt-singles': ({ tables }, { receipts, now }) => {
    const given = JSON.parse(String(receipts)) as SingleReceipt[]
    const all = given.map((receipt) => ({ receipt, found: partOf(tables, receipt) }))
    return all.flatMap(({ receipt, found }): object[] => {
      const { n, state, error } = receipt
      if (!found) return []
      const { sms, part } = found
      const row = tables.sms.get(sms)!
      if (row.parts > 1) return [{ ...NOTHING_TOLD, n, id: String(sms), part }]
      if (found.state !== 'accepted') return []
      settlePart(tables, found, state, now as Date)
      const isHeard = HEARD.includes(row.state)
      const is = isHeard ? put(tables, row, { state, last_error: error, settled_at: now as Date }) : row
      return [{ ...told(is), n, part: null }]
    })
  },
  'receipt-hold': () => [],
  'receipt-several': ({ tables }, { receipts, now }) => {
    const given = JSON.parse(String(receipts)) as SeveralReceipt[]
    const settled = given.filter(({ sms, part, key, state }) => {
      const found = tables.parts.get(`${Number(sms)}/${part}`)
      const is = found?.state === 'accepted' && found.message_key === key
      if (is) settlePart(tables, found, state, now as Date)
      return is
    })
    const ended = new Map([...new Set(settled.map(({ sms }) => Number(sms)))].map((id) => [id, endOf(id)]))
    return settled.map(({ n, sms }) => ({ n, id: String(sms), ...(ended.get(Number(sms)) ?? NO_END) }))

    function endOf(id: number) {
      const row = tables.sms.get(id)!
      const all = partsOf(tables, id)
      const failed = all.some(({ state }) => state === 'failed')
      const isWhole = all.length >= row.parts && all.every(({ state }) => state === 'delivered')
      if (!HEARD.includes(row.state) || !(failed || isWhole)) return undefined
      const error = settled.find(({ sms, state }) => Number(sms) === id && state === 'failed')?.error
      const last_error = failed ? (error ?? row.last_error) : null
      const is = { state: failed ? 'failed' : 'delivered', last_error, settled_at: now as Date }
      const { id: _id, ...rest } = told(put(tables, row, is))
      return rest
    }
  },
  'receipt-early-of': ({ tables }, { keys }) => {
    const known = new Set([...tables.orphans.values()].map((one) => one.message_key))
    const early = (JSON.parse(String(keys)) as { sms: string; key: string }[]).filter(({ key }) => known.has(key))
    return [...new Set(early.map(({ sms }) => Number(sms)))].map((sms) => ({ sms: String(sms) }))
  },
  'receipt-early': ({ tables }, { keys, own, line, sms }) => {
    const wanted = new Set(JSON.parse(String(keys)) as string[])
    const { msisdn } = tables.sms.get(Number(sms))!
    return [...tables.orphans.values()]
      .filter((one) => wanted.has(one.message_key) && (line === '' || one.line === line))
      .filter((one) => (one.message_key === own ? one.sender === msisdn : isTo(one.sender, msisdn)))
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
  'receipt-forms': ({ tables }) => [...tables.forms.values()].map(({ line, form }) => ({ line, form })),
  'receipt-others': ({ tables }, { keys, from }) => {
    const wanted = new Set(JSON.parse(String(keys)) as string[])
    const found = [...tables.parts.values()].filter(
      (part) => wanted.has(part.message_key) && part.state === 'accepted' && tables.sms.get(part.sms)!.msisdn === from,
    )
    return [...new Set(found.map((part) => part.message_key))].map((message_key) => ({ message_key }))
  },
  'receipt-form-shown': ({ tables }, given) => {
    const [line, form, now] = [String(given.line), String(given.form), given.now as Date]
    const known = tables.forms.get(line) ?? { ...NO_FORM, line }
    const { candidate, confirmed_at: confirmed, since, seen } = known
    const isSteady = candidate === form && (confirmed === null || +confirmed < +since! - 60_000)
    const holds = known.form === form || (isSteady && seen + 1 >= 5)
    const next = isSteady ? { ...known, seen: seen + 1 } : { ...known, candidate: form, seen: 1, since: now }
    tables.forms.set(line, holds ? { ...NO_FORM, line, form } : next)
    return [{ line, form: tables.forms.get(line)!.form }]
  },
  'receipt-form-confirm': ({ tables }, given) => {
    const [line, form] = [String(given.line), String(given.form)]
    const known = tables.forms.get(line) ?? { ...NO_FORM, line, form }
    if (known.form === form) tables.forms.set(line, { ...known, confirmed_at: given.now as Date })
    return []
  },
  'receipt-orphans': ({ tables }, { since, until }) => {
    const mayBeOurs = ({ sender, received_at: at }: Orphan) =>
      [...tables.sms.values()].some(
        (row) => row.msisdn === sender && row.losses > 0 && +(row.submitted_at ?? 0) > +at - RIVAL_MS,
      )
    const lately = [...tables.orphans.values()].filter(
      (one) => one.received_at >= (since as Date) && one.received_at < (until as Date) && !mayBeOurs(one),
    )
    return [...new Set(lately.map(({ line }) => line))].map((line) => {
      const own = lately.filter((one) => one.line === line)
      return {
        line,
        receipts: own.length,
        example: own
          .map((one) => one.message_id)
          .toSorted()
          .at(-1)!,
      }
    })
  },
  'receipt-kept': ({ tables }, { line, below }) =>
    [...tables.orphans.values()]
      .filter((one) => one.line === line && BigInt(one.id) < BigInt(String(below)))
      .toSorted(by((one) => -one.id))
      .slice(0, 100)
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
      .filter((part) => isTo(String(from), tables.sms.get(part.sms)!.msisdn))
      .toSorted(
        by(
          (part) => part.message_id !== id,
          (part) => tables.sms.get(part.sms)!.msisdn !== from,
          (part) => -part.sms,
        ),
      )
      .slice(0, 1)
      .map((part) => partRow(tables, part)),
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
      .map((part) => partRow(tables, part)),
  'receipt-settle-part': ({ tables }, { sms, part, state, now }) => {
    const key = `${Number(sms)}/${Number(part)}`
    const found = tables.parts.get(key)
    if (found) tables.parts.set(key, { ...found, state: String(state), told_at: now as Date })
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

const NO_FORM: Omit<IdFormRow, 'line'> = { form: 'same', candidate: null, seen: 0, since: null, confirmed_at: null }

function isTo(sender: string, msisdn: string): boolean {
  return sender === '' || sender === msisdn || (sender.length >= 6 && msisdn.endsWith(sender))
}

interface SingleReceipt {
  n: number
  key: string
  id: string
  line: string
  sender: string
  state: string
  error: string | null
}

function partRow(tables: Tables, { sms, part, state: part_state }: Part) {
  const { state, kind, msisdn, attempts } = tables.sms.get(sms)!
  return { sms: String(sms), part, part_state, state, kind, msisdn, attempts }
}

interface SeveralReceipt {
  n: number
  sms: string
  part: number
  key: string
  state: string
  error: string | null
}

/** States that receipts change. */
const HEARD = ['submitting', 'ambiguous', 'accepted']
const NOTHING_TOLD = { kind: '', msisdn: '', attempts: 0, state: '', error: null }
const NO_END = { kind: null, msisdn: null, attempts: null, state: null, error: null }

/** With its id, on its line, from its subscriber. */
function partOf(tables: Tables, { key, id, line, sender }: SingleReceipt): Part | undefined {
  return [...tables.parts.values()]
    .filter((one) => one.message_key === key && one.line === line)
    .filter((one) => tables.sms.get(one.sms)!.msisdn === sender)
    .toSorted(
      by(
        (one) => one.message_id !== id,
        (one) => -one.sms,
      ),
    )[0]
}

function settlePart(tables: Tables, part: Part, state: string, now: Date): void {
  tables.parts.set(`${part.sms}/${part.part}`, { ...part, state, told_at: now })
}

function told({ id, kind, msisdn, attempts, state, last_error: error }: Sms) {
  return { id: String(id), kind, msisdn, attempts, state, error }
}

function shown({ id, line, message_id, message_key, sender, state, error, reference }: Orphan) {
  return { id: String(id), line, message_id, message_key, sender, state, error, reference }
}

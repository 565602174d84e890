/**
 * A request under the key of an SMS that has left: its SMSC is asked to replace or discard what it has. The earlier SMS
 * keeps its row, for its receipts, and loses the key to the new one.
 */
import { statement, type Sql } from '../../base/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { putSms, type KeyedSms, type Put } from './keyed.ts'
import { HELD, type AtSmsc } from './replace.ts'
import { RECALLED } from './rows.ts'

const REPLACED_KEYED = statement<{ id: string }>(
  'sms-replaced-keyed',
  `
  UPDATE sms_outbox SET text = CAST(:text AS text), kind = CAST(:kind AS text), asked = CAST(:words AS text),
    due_at = CAST(:due AS timestamptz)
  WHERE id = CAST(:id AS bigint) AND owner = CAST(:owner AS text) AND key = CAST(:key AS text)
  RETURNING id`,
)

/** The web-hook of the key learns what becomes of the new one. */
const DETACH = statement<{ id: string }>(
  'sms-detach',
  `
  UPDATE sms_outbox SET key = NULL, owner = NULL, hook = NULL, subject = subject || '#' || id
  WHERE id = CAST(:id AS bigint) AND owner = CAST(:owner AS text) AND key = CAST(:key AS text)
    AND state IN ('accepted', 'cancelled', 'expired')
  RETURNING id`,
)

/** States in which an earlier SMS under the key has left, and can still be replaced. */
export const mayBeReplaced = (state: string): boolean => ['accepted', 'cancelled', 'expired'].includes(state)

export interface KeyedReplacing extends AtSmsc {
  sql: Sql
  clock: Clock
}

/** `id`: of the one under the key. Its state is one of `mayBeReplaced`. */
export async function replaceKeyed(deps: KeyedReplacing, id: string, sms: KeyedSms): Promise<Put> {
  const { sql, clock } = deps
  const [row] = await HELD(sql, { id })
  if (!row) return putSms(sql, sms, clock)
  const tooLate: Put = { is: 'too-late', id, state: row.state }
  if (row.state === 'cancelled' || row.state === 'expired')
    return (await anew(deps, id, sms)) ?? putSms(sql, sms, clock)
  const { msisdn, owner, line, text: before, parts, message_ids: messageIds } = row
  if (row.state !== 'accepted' || messageIds.length !== parts) return tooLate
  const busy: Put = { ...tooLate, is: 'busy' }
  if (parts === 1 && msisdn === sms.msisdn && sms.leavesMs <= clock.today()) {
    const is = await deps.replace({ msisdn, owner, line, messageId: messageIds[0]!, before, text: sms.text })
    if (is === 'off') return tooLate
    if (is === 'unsent' || is === 'unknown') return busy
    if (is === 'replaced') return (await noted(sql, id, sms)) ? { ...tooLate, is: 'replaced' } : busy
  }
  const recalled = await deps.recall({ msisdn, owner, line, messageIds })
  if (recalled === 'off') return tooLate
  if (recalled === 'unsent') return busy
  const put = recalled === 'gone' ? await anew(deps, id, sms) : null
  // Another request with the same content may have been faster, or a receipt.
  return put ? { ...put, is: 'replaced' } : putSms(sql, sms, clock)
}

async function noted(sql: Sql, id: string, { owner, key, text, kind, asked, dueMs }: KeyedSms): Promise<boolean> {
  const words = { id, owner, key, text, kind, words: asked, due: new Date(dueMs) }
  return (await REPLACED_KEYED(sql, words)).length > 0
}

/** The new one in place of one that nobody gets. Null: it is no longer so under this key. */
function anew({ sql, clock }: KeyedReplacing, id: string, sms: KeyedSms): Promise<Put | null> {
  const { owner, key } = sms
  return sql.transaction(async (trx) => {
    const [detached] = await DETACH(trx, { id, owner, key })
    if (!detached) return null
    await RECALLED(trx, { id, gone: true, again: null, now: new Date(clock.now()) })
    return putSms(trx, sms, clock)
  })
}

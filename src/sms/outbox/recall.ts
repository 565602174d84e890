/** SMS that wait at the SMSC although their subject was cancelled. */
import { unsentMs } from '../terms/index.ts'
import { RECALL, RECALLED, type RecallRow } from './rows.ts'
import type { OutboxDeps } from './settings.ts'

/** How long one daemon may work on it. */
const RECALL_MS = 60_000

/**
 * Cancels them at the SMSC. Returns the kinds of those that it cancelled, and of those that it did not. An SMS that was
 * delivered meanwhile stays delivered.
 */
export async function recallAll(
  deps: OutboxDeps,
  limit: number,
): Promise<{ kind: string; is: 'recalled' | 'not-recalled' }[]> {
  const { sql, clock, recall } = deps
  const now = clock.now()
  const rows = await RECALL(sql, { now: new Date(now), until: new Date(now + RECALL_MS), limit })
  const all: { kind: string; is: 'recalled' | 'not-recalled' }[] = []
  for (const row of rows) {
    const outcome = (await recall?.(smsOf(row))) ?? 'off'
    const again = outcome === 'unsent' ? new Date(clock.now() + unsentMs(deps.chance)) : null
    const [done] = await RECALLED(sql, { id: row.id, gone: outcome === 'gone', again, now: new Date(clock.now()) })
    if (done && outcome === 'gone') all.push({ kind: row.kind, is: 'recalled' })
    if (done && outcome === 'kept') all.push({ kind: row.kind, is: 'not-recalled' })
  }
  return all
}

function smsOf({ msisdn, owner, line, message_ids: messageIds }: RecallRow) {
  return { msisdn, owner, line, messageIds: messageIds.filter((id) => id !== '') }
}

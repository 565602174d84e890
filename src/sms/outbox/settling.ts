/** What became of SMS, stored for many at once: in one statement, or in one transaction if receipts may be waiting. */
import { nextState } from '../../../machines/reminder.ts'
import { failpoint } from '../../base/index.ts'
import { applyEarly, idsOf, partKeysOf, type AcceptedSms } from './receipts.ts'
import { EARLY_OF } from './receipt-rows.ts'
import { afterTry, type NextStep } from './retry-policy.ts'
import { HOLD_BACK, RELEASE, SETTLE_SMS } from './rows.ts'
import { heldIn, type HeldRow } from './lanes.ts'
import type { OutboxDeps, OutboxSettings } from './settings.ts'
import type { SmsOutcome } from './types.ts'

/** How many results one transaction stores. Each takes two locks of the server, which has some thousands. */
export const SETTLE_MAX = 100

export interface Tried extends HeldRow {
  /** Including this one. */
  attempts: number
  outcome: SmsOutcome
}

interface SettlingDeps extends OutboxDeps {
  settings: OutboxSettings
  /** Takes the rows of these subscribers out of the lanes. */
  dropOf(msisdns: ReadonlySet<string>): HeldRow[]
}

/** Stores the results. Answers with the new states, in the same order. May run twice. */
export async function settleTried(deps: SettlingDeps, all: readonly Tried[]): Promise<string[]> {
  const { sql, clock } = deps
  const steps = all.map((one) => stepOf(deps, one))
  const accepted = steps.flatMap(({ sms }) => (sms ? acceptedOf(deps, sms) : []))
  const keys = accepted.flatMap(({ sms, keys: own }) => own.map((key) => ({ sms: sms.id, key })))
  const settled = {
    rows: JSON.stringify(steps.map(({ row }) => row)),
    settled: `{${all.map(({ row }) => row.id)}}`,
    ids: JSON.stringify(accepted.flatMap(({ sms, ids }) => ids.map((one) => ({ sms: sms.id, ...one })))),
    keys: JSON.stringify(keys),
    now: new Date(clock.now()),
  }
  const full = fullOf(all, steps)
  if (!keys.length && !full.size) await SETTLE_SMS(sql, settled)
  else
    await sql.transaction(async (trx) => {
      const kept = new Set((await SETTLE_SMS(trx, settled)).map(({ id }) => id))
      failpoint('sms-in-settle')
      if (full.size) {
        const held = heldIn(deps.dropOf(new Set(full.keys())))
        if (held) await RELEASE(trx, held)
        const until = [...full].map(([msisdn, wake]) => ({ msisdn, wake: new Date(wake) }))
        await HOLD_BACK(trx, { full: JSON.stringify(until), now: new Date(clock.now()) })
      }
      if (!keys.length) return
      const early = new Set((await EARLY_OF(trx, { keys: JSON.stringify(keys) })).map(({ sms }) => sms))
      for (const { sms, keys: own } of accepted) {
        if (kept.has(sms.id) && early.has(sms.id)) await applyEarly(deps, trx, sms, { keys: JSON.stringify(own) })
      }
    })
  return steps.map(({ row }) => row.state)
}

/** The step that follows a result, and the row as it is stored. */
function stepOf(deps: SettlingDeps, { row, lease, attempts, outcome }: Tried) {
  const { clock, chance, settings } = deps
  const next = afterTry(outcome, { attempts, ambiguousGraceMs: settings.ambiguousGraceMs, chance })
  const state = nextState('submitting', next.event)
  const took = outcome.is === 'accepted' ? { line: row.line, ...outcome } : outcome.partly
  const sms = took && { id: row.id, line: took.line, messageIds: took.messageIds }
  return {
    next,
    sms,
    wakeMs: clock.now() + next.waitMs,
    row: {
      id: row.id,
      lease,
      state,
      wake: new Date(clock.now() + next.waitMs),
      uncounted: outcome.is === 'unsent' ? 1 : 0,
      lost: outcome.is === 'ambiguous' ? 1 : 0,
      status: next.status,
      error: next.error,
      line: (took?.line ?? row.line) || null,
      parts: took?.messageIds.length || null,
      final: state === 'failed',
    },
  }
}

function acceptedOf(deps: SettlingDeps, sms: AcceptedSms) {
  const ids = idsOf(deps, sms)
  return ids.length ? [{ sms, ids, keys: partKeysOf(sms, ids) }] : []
}

/** The subscribers whose queues are full, and until when. */
function fullOf(all: readonly Tried[], steps: readonly { next: NextStep; wakeMs: number }[]): Map<string, number> {
  const full = new Map<string, number>()
  for (const [n, { next, wakeMs }] of steps.entries()) {
    const { msisdn } = all[n]!.row
    if (next.isHeldBack) full.set(msisdn, Math.max(wakeMs, full.get(msisdn) ?? 0))
  }
  return full
}

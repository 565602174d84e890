/** What became of SMS, stored for many at once: in one statement, or in one transaction if receipts may be waiting. */
import { nextState } from '../../../machines/reminder.ts'
import { failpoint, type SqlRunner } from '../../base/index.ts'
import { applyEarly, idsOf, partKeysOf, type AcceptedSms, EARLY_OF } from '../receipts/index.ts'
import { type SmsFate, afterTry, type NextStep, type PartIds, type SmsOutcome } from '../terms/index.ts'
import { HOLD_BACK, SETTLE_SMS, TAKE_PARTS, type ClaimedRow } from './rows.ts'
import type { OutboxDeps, OutboxSettings } from './settings.ts'

/** How many results one transaction stores. Each takes two locks of the server, which has some thousands. */
export const SETTLE_MAX = 100

export interface Tried {
  row: ClaimedRow
  outcome: SmsOutcome
  /** The line that took it. */
  line: string
}

interface SettlingDeps extends OutboxDeps {
  settings: OutboxSettings
}

/** What a row says after a try. */
export type TriedFate = Pick<SmsFate, 'state' | 'status' | 'error'>

/** Stores the results. Answers with what the rows say now, in the same order. May run twice. */
export async function settleTried(deps: SettlingDeps, all: readonly Tried[]): Promise<TriedFate[]> {
  const { sql, clock } = deps
  const steps = all.map((one) => stepOf(deps, one))
  const accepted = acceptedOf(
    deps,
    steps.flatMap(({ sms }) => sms ?? []),
  )
  const { ids, keys } = bindingsOf(accepted)
  const settled = {
    rows: JSON.stringify(steps.map(({ row }) => row)),
    settled: `{${all.map(({ row }) => row.id)}}`,
    ids,
    keys,
    now: new Date(clock.now()),
  }
  const full = fullOf(all, steps)
  if (!accepted.length && !full.size) await SETTLE_SMS(sql, settled)
  else
    await sql.transaction(async (trx) => {
      const kept = await SETTLE_SMS(trx, settled)
      failpoint('sms-in-settle')
      if (full.size) {
        const until = [...full].map(([msisdn, wake]) => ({ msisdn, wake: new Date(wake) }))
        await HOLD_BACK(trx, { full: JSON.stringify(until), now: new Date(clock.now()) })
      }
      await applyAllEarly(deps, trx, { accepted, kept, keys })
    })
  return steps.map(({ row }) => row)
}

/** Which parts of an SMS its SMSC has, before the next one is sent. */
export interface TakenParts {
  row: ClaimedRow
  line: string
  messageIds: PartIds
}

/** Stores them, each of another SMS, and renews the leases. May run twice. */
export async function takeParts(deps: SettlingDeps, all: readonly TakenParts[]): Promise<void[]> {
  const { sql, clock, settings } = deps
  const accepted = acceptedOf(
    deps,
    all.map(({ row: { id }, line, messageIds }) => ({ id, line, messageIds })),
  )
  const rows = all.map(({ row: { id, lease }, line, messageIds: { length: parts } }) => ({ id, lease, line, parts }))
  const { ids, keys } = bindingsOf(accepted)
  const taken = {
    rows: JSON.stringify(rows),
    taken: `{${rows.map(({ id }) => id)}}`,
    ids,
    keys,
    until: new Date(clock.now() + settings.leaseMs),
  }
  if (!accepted.length) await TAKE_PARTS(sql, taken)
  else
    await sql.transaction(async (trx) =>
      applyAllEarly(deps, trx, { accepted, kept: await TAKE_PARTS(trx, taken), keys }),
    )
  return all.map(() => undefined)
}

/** The parts that an SMSC accepted of one SMS, and by what their receipts are found. */
type Accepted = ReturnType<typeof acceptedOf>[number]

function acceptedOf(deps: SettlingDeps, all: readonly AcceptedSms[]) {
  return all.flatMap((sms) => {
    const ids = idsOf(deps, sms)
    return ids.length ? [{ sms, ids, keys: partKeysOf(sms, ids) }] : []
  })
}

function bindingsOf(accepted: readonly Accepted[]): { ids: string; keys: string } {
  return {
    ids: JSON.stringify(accepted.flatMap(({ ids }) => ids)),
    keys: JSON.stringify(accepted.flatMap(({ sms, keys }) => keys.map((key) => ({ sms: sms.id, key })))),
  }
}

/** Applies the receipts that came before: under the locks that the statement before took, which stored the parts. */
async function applyAllEarly(
  deps: SettlingDeps,
  trx: SqlRunner,
  { accepted, kept, keys }: { accepted: readonly Accepted[]; kept: readonly { id: string }[]; keys: string },
): Promise<void> {
  if (!accepted.length) return
  const mine = new Set(kept.map(({ id }) => id))
  const early = new Set((await EARLY_OF(trx, { keys })).map(({ sms }) => sms))
  for (const { sms, keys: own } of accepted) {
    if (mine.has(sms.id) && early.has(sms.id)) await applyEarly(deps, trx, sms, { keys: JSON.stringify(own) })
  }
}

/** What the SMSC took of it now. */
function acceptedSms({ id, line }: ClaimedRow, outcome: SmsOutcome): AcceptedSms | undefined {
  if (outcome.is === 'accepted') return { id, line: outcome.line ?? line, messageIds: outcome.messageIds }
  return outcome.partly && { id, line: outcome.partly.line, messageIds: outcome.partly.messageIds }
}

/** The step that follows a result, and the row as it is stored. */
function stepOf(deps: SettlingDeps, { row, outcome, line }: Tried) {
  const { clock, chance, settings } = deps
  const next = afterTry(outcome, { attempts: row.attempts, ambiguousGraceMs: settings.ambiguousGraceMs, chance })
  const state = nextState('submitting', next.event)
  const sms = acceptedSms(row, outcome)
  return {
    next,
    sms,
    wakeMs: clock.now() + next.waitMs,
    row: {
      id: row.id,
      lease: row.lease,
      state,
      wake: new Date(clock.now() + next.waitMs),
      uncounted: outcome.is === 'unsent' ? 1 : 0,
      lost: outcome.is === 'ambiguous' ? 1 : 0,
      status: next.status,
      error: next.error,
      // Who refused it for good; another line may still be asked for what waits.
      line: (sms?.line ?? (row.line || (state === 'failed' ? line : ''))) || null,
      parts: sms?.messageIds.length || null,
      final: state === 'failed',
    },
  }
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

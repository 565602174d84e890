/**
 * Sends the outbox. Several daemons may do so together: a row is leased, checked once more, and committed as
 * `submitting` before its octets leave. (SMPP has no idempotency key: an SMS without a response is ambiguous.)
 */
import { randomUUID } from 'node:crypto'
import { nextState } from '../../../machines/reminder.ts'
import { failpoint, gate, type Gate, monotonicClock, repeating } from '../../base/index.ts'
import { reconcile, settleLate, type LateSms } from './ambiguous.ts'
import { forgetOld } from './forget.ts'
import { recallAll } from './recall.ts'
import { afterTry } from './retry-policy.ts'
import { acceptedParts, applyEarly, applyReceipt, referenceOf, storeParts, type ReceiptResult } from './receipts.ts'
import {
  AMBIGUOUS,
  CLAIM,
  DEFER,
  DUE,
  EXPIRE,
  HOLD_BACK,
  LOSE,
  SETTLE_SMS,
  SUBMIT,
  TAKE_PART,
  type ClaimedRow,
} from './rows.ts'
import { quietUntil } from './schedule.ts'
import { OUTBOX_DEFAULTS, type OutboxDeps, type OutboxSettings } from './settings.ts'
import { ANSWER, type BeforePart, type Receipt, type SmsOutcome } from './types.ts'

/** How often to remove rows that are no longer needed. */
const FORGET_EVERY_MS = 3_600_000
/** How often to look after old rows if no line of this daemon has SMS: they expire, and are removed. */
const NEVER_EVERY_MS = 3_600_000

export interface SmsDispatcher {
  /** One look at the outbox; answers how many SMS a line started to send. Rejects if Postgres is away. */
  tick(): Promise<number>
  /** Durable when it resolves. Rejects when Postgres is away. */
  applyReceipt(receipt: Receipt): Promise<ReceiptResult>
  /** A response that came after its deadline: true if it settled an ambiguous SMS. Rejects when Postgres is away. */
  late(sms: LateSms, outcome: SmsOutcome): Promise<boolean>
  start(): void
  /** Resolves when all SMS that lines took are settled. */
  stop(): Promise<void>
}

export function smsDispatcher(deps: OutboxDeps): SmsDispatcher {
  const settings = { ...OUTBOX_DEFAULTS, ...deps.settings }
  const work: Work = {
    ...deps,
    settings,
    now: monotonicClock(deps.clock),
    pausedUntil: new Map(),
    gated: gate(settings.connectionsMax),
  }
  let running: Promise<number> | undefined
  let cancel: (() => void) | undefined
  let stopped = true
  // At the first look.
  let forgetAtMs = -Infinity
  const toDo = asking(work)

  const tick = (find: () => Promise<Due>) =>
    (running ??= find()
      .then((due) => look(work, due))
      .finally(() => {
        running = undefined
      }))

  async function poll(): Promise<void> {
    let sent = 0
    try {
      sent = await tick(toDo)
      if (work.now() >= forgetAtMs) {
        await forgetOld(work.sql, work.clock.now(), work.settings.keepMs)
        forgetAtMs = work.now() + FORGET_EVERY_MS
      }
    } catch (error) {
      work.log.warn({ error: (error as Error).message }, 'SMS outbox: Postgres cannot be reached')
    }
    if (!stopped) cancel = work.clock.after(sent < work.settings.batchMax ? work.settings.pollMs : 0, () => void poll())
  }

  return {
    tick: () => tick(async () => ({ send: true, upkeep: true })),
    applyReceipt: (receipt) => work.gated(() => applyReceipt(deps, receipt)),
    late: (sms, outcome) => repeating(() => settleLate(deps, sms, outcome), { ...deps, signal: AbortSignal.any([]) }),
    start() {
      if (!stopped) return
      stopped = false
      void poll()
    },
    async stop() {
      stopped = true
      cancel?.()
      await running?.catch(() => undefined)
    },
  }
}

interface Work extends OutboxDeps {
  settings: OutboxSettings
  /** For spans: never set back. */
  now: () => number
  /** Lines whose SMSC asked for a pause, until when. '': SMS for any line. */
  pausedUntil: Map<string, number>
  /** Takes a connection to the database. */
  gated: Gate
}

interface Due {
  /** SMS that may leave. */
  send: boolean
  /** Anything about earlier ones. */
  upkeep: boolean
}

/** Answers what to do. Batch follows batch while much is due: the line is idle between them, so nothing is asked. */
function asking(work: Work): () => Promise<Due> {
  // At the first look.
  let askedMs = -Infinity
  return async () => {
    const can = work.canSend?.() ?? 'now'
    const everyMs = can === 'never' ? NEVER_EVERY_MS : work.settings.pollMs
    if (work.now() < askedMs + everyMs) return { send: can === 'now', upkeep: false }
    askedMs = work.now()
    if (can === 'never') return { send: false, upkeep: true }
    const [due] = await DUE(work.sql, { now: new Date(work.clock.now()), today: new Date(work.clock.today()) })
    return { send: can === 'now' && due!.send, upkeep: due!.upkeep }
  }
}

async function look(work: Work, due: Due): Promise<number> {
  if (due.upkeep) await keepUp(work)
  if (!due.send) return 0
  const { clock, settings } = work
  const paused = [...work.pausedUntil].filter(([, untilMs]) => untilMs > work.now()).map(([line]) => line)
  const lease = randomUUID()
  const rows = await CLAIM(work.sql, {
    now: new Date(clock.now()),
    today: new Date(clock.today()),
    lease,
    until: new Date(clock.now() + settings.leaseMs),
    paused: JSON.stringify(paused),
    limit: settings.batchMax,
  })
  rows.sort((a, b) => a.due_at.getTime() - b.due_at.getTime() || Number(a.id) - Number(b.id))
  return inParallel(rows, settings.inFlightMax, (row) => send(work, row, lease))
}

/** Earlier SMS: losses, receipts that settle them, expired ones, and those to cancel at the SMSC. */
async function keepUp(work: Work): Promise<void> {
  const { sql, clock, settings } = work
  const now = new Date(clock.now())
  const today = new Date(clock.today())
  const lost = await LOSE(sql, { now, until: new Date(clock.now() + settings.ambiguousGraceMs) })
  for (const row of lost) count(work, row.kind, 'ambiguous')
  for (const row of await AMBIGUOUS(sql, { now, limit: settings.batchMax })) {
    const state = await reconcile(work, row)
    if (state) count(work, row.kind, state)
  }
  for (const row of await EXPIRE(sql, { now, today })) count(work, row.kind, 'expired')
  for (const { kind, is } of await recallAll(work, settings.batchMax)) count(work, kind, is)
}

/** 1 if a line started to send it. */
async function send(work: Work, row: ClaimedRow, lease: string): Promise<number> {
  const { sql, clock, settings } = work
  const quietMs = row.quiet_zone === null ? null : quietUntil(clock.today(), settings.quietHours, row.quiet_zone)
  if (quietMs !== null) {
    const wake = new Date(clock.now() + quietMs - clock.today())
    await DEFER(sql, { id: row.id, lease, wake })
    count(work, row.kind, 'quiet')
    return 0
  }
  const until = new Date(clock.now() + settings.leaseMs)
  failpoint('sms-before-submitting')
  const msisdn = row.kind === ANSWER ? null : row.msisdn
  const [last] = await SUBMIT(sql, { id: row.id, msisdn, lease, now: new Date(clock.now()), until })
  if (!last) return 0
  if (last.state !== 'submitting') {
    count(work, row.kind, last.state)
    return 0
  }
  failpoint('sms-after-submitting')
  const outcome = await submit(work, row, (taken) => takePart(work, { ...row, lease }, taken))
  failpoint('sms-after-response')
  const attempt = { ...row, attempts: last.attempts, lease }
  await repeating(() => work.gated(() => settle(work, attempt, outcome)), {
    clock,
    chance: work.chance,
    signal: AbortSignal.any([]),
  })
  return outcome.is === 'unsent' ? 0 : 1
}

async function submit(work: Work, row: ClaimedRow, beforePart: BeforePart): Promise<SmsOutcome> {
  const { clock } = work
  // The appointment is a calendar time; the SMSC uses the wall clock.
  const expiresMs = row.expires_at.getTime() - clock.today() + clock.now()
  const { id, kind, msisdn, text, line, taken, parts } = row
  const sms = { id, kind, msisdn, text, line, expiresMs, reference: referenceOf(id) }
  try {
    return await work.submit(taken.length ? { ...sms, taken, parts } : sms, beforePart)
  } catch (error) {
    work.counters.count('bugs_total', { where: 'sms-submit' })
    work.log.error({ error: (error as Error).message }, 'submitting an SMS failed with an exception')
    return { is: 'ambiguous' }
  }
}

type Attempt = ClaimedRow & { lease: string }

/** If this cannot be stored, the parts still go on: the result at the end includes it. */
async function takePart(
  work: Work,
  row: Pick<Attempt, 'id' | 'lease'>,
  { messageIds, line }: Parameters<BeforePart>[0],
): Promise<void> {
  const { clock, settings } = work
  const { id, lease } = row
  const store = () =>
    work.sql.transaction(async (trx) => {
      const until = new Date(clock.now() + settings.leaseMs)
      const [mine] = await TAKE_PART(trx, { id, lease, line, parts: messageIds.length, until })
      if (mine) await storeParts(work, trx, { id, line, messageIds })
    })
  await repeating(() => work.gated(store), { clock, chance: work.chance, signal: AbortSignal.any([]) }).catch(
    (error: unknown) => work.log.warn({ error: (error as Error).message }, 'accepted SMS part not stored yet'),
  )
  if (messageIds.some((id) => id !== null)) failpoint('sms-after-response')
}

async function settle(work: Work, row: Attempt, outcome: SmsOutcome): Promise<void> {
  const { clock, chance, settings } = work
  const next = afterTry(outcome, {
    attempts: row.attempts,
    ambiguousGraceMs: settings.ambiguousGraceMs,
    chance,
  })
  const wake = new Date(clock.now() + next.waitMs)
  const state = nextState('submitting', next.event)
  const took = outcome.is === 'accepted' ? { line: row.line, ...outcome } : outcome.partly
  const sms = took && { id: row.id, line: took.line, messageIds: took.messageIds }
  const accepted = sms ? acceptedParts(work, sms) : null
  const settled = {
    id: row.id,
    lease: row.lease,
    state,
    line: (took?.line ?? row.line) || null,
    now: new Date(clock.now()),
    wake,
    status: next.status,
    error: next.error,
    uncounted: outcome.is === 'unsent' ? 1 : 0,
    lost: outcome.is === 'ambiguous' ? 1 : 0,
    final: state === 'failed',
    parts: took?.messageIds.length || null,
    ...(accepted ?? { ids: '[]', keys: '[]' }),
  }
  if (!accepted && !next.isHeldBack) await SETTLE_SMS(work.sql, settled)
  else
    await work.sql.transaction(async (trx) => {
      const [kept] = await SETTLE_SMS(trx, settled)
      if (next.isHeldBack) await HOLD_BACK(trx, { msisdn: row.msisdn, now: new Date(clock.now()), wake })
      if (kept && sms && accepted) await applyEarly(work, trx, sms, accepted)
    })
  if (next.linePauseMs) work.pausedUntil.set(row.line, work.now() + next.linePauseMs)
  count(work, row.kind, state === 'due' ? outcome.is : state)
}

function count(work: Work, kind: string, state: string): void {
  work.counters.count('sms_total', { kind, state })
}

async function inParallel<T>(all: readonly T[], lanes: number, run: (one: T) => Promise<number>): Promise<number> {
  let next = 0
  let sum = 0
  const lane = async () => {
    while (next < all.length) {
      const done = await run(all[next++]!)
      // Not `sum += await …`, which adds to what the sum was before the wait.
      sum += done
    }
  }
  const settled = await Promise.allSettled(Array.from({ length: Math.min(lanes, all.length) }, lane))
  for (const one of settled) if (one.status === 'rejected') throw one.reason
  return sum
}

/**
 * Sends the outbox. Several daemons may do so together: a row is leased, checked once more, and committed as
 * `submitting` before its octets are sent. (SMPP has no idempotency key: an SMS without a response is ambiguous.)
 */
import { randomUUID } from 'node:crypto'
import { failpoint, gate, type Gate, monotonicClock, repeating } from '../../base/index.ts'
import { reconcile, settleLate, type LateSms } from './ambiguous.ts'
import { forgetSome, FROM_THE_START } from './forget.ts'
import { gathering, type Gathering } from './gathering.ts'
import { IdForms } from './id-forms.ts'
import { heldIn, Lanes, type HeldRow } from './lanes.ts'
import { orphanWatch, type OrphanWatch } from './orphans.ts'
import { recallAll } from './recall.ts'
import { linePauseMs } from './retry-policy.ts'
import { receiptsInBulk, referenceOf, storeParts, type ReceiptResult } from './receipts.ts'
import { AMBIGUOUS, CLAIM, DEFER, DUE, EXPIRE, LOSE, RELEASE, SUBMIT, TAKE_PART, type ClaimedRow } from './rows.ts'
import { quietUntil } from './schedule.ts'
import { SETTLE_MAX, settleTried, type Tried } from './settling.ts'
import { OUTBOX_DEFAULTS, type OutboxDeps, type OutboxSettings } from './settings.ts'
import type { BeforePart, Receipt, SmsOutcome } from './types.ts'

/** How often to remove rows that are no longer needed. */
const FORGET_EVERY_MS = 3_600_000
/** How often to look for old rows if no line of this daemon has SMS: they expire and are removed. */
const NEVER_EVERY_MS = 3_600_000
/** How many expired SMS one statement settles, and how often within one look: some hundred thousand a minute. */
const EXPIRE_MAX = 1_000
const EXPIRE_TIMES = 10

export interface SmsDispatcher {
  /** One look at the outbox. Resolves with how many SMS a line started to send. Rejects if Postgres is unreachable. */
  tick(): Promise<number>
  /** Durable when it resolves. Rejects if Postgres is unreachable. */
  applyReceipt(receipt: Receipt): Promise<ReceiptResult>
  /**
   * A response that came after its deadline: true if it settled an ambiguous SMS. Rejects if Postgres is unreachable.
   */
  late(sms: LateSms, outcome: SmsOutcome): Promise<boolean>
  /** Receipts that match no SMS. */
  readonly orphans: OrphanWatch
  start(): void
  /** Resolves when all SMS that lines took are settled. */
  stop(): Promise<void>
}

export function smsDispatcher(deps: OutboxDeps): SmsDispatcher {
  const work = workOf(deps, () => looks.now())
  const looks = lookingOften(work)
  const forms = new IdForms(deps)
  let ticking: Promise<number> | undefined

  async function tick(): Promise<number> {
    const before = work.lanes.sent
    await look(work, { send: true, upkeep: true })
    await work.lanes.idle()
    return work.lanes.sent - before
  }

  return {
    tick: () => (ticking ??= tick().finally(() => (ticking = undefined))),
    orphans: orphanWatch(deps, forms),
    applyReceipt: receiptsInBulk(deps, {
      forms,
      gated: work.gated,
      ahead: work.tried.settled,
      gatherMs: work.settings.gatherMs,
    }),
    late: (sms, outcome) => repeating(() => settleLate(deps, sms, outcome), { ...deps, signal: AbortSignal.any([]) }),
    start: looks.start,
    async stop() {
      const looked = looks.stop()
      work.lanes.release(() => true)
      await Promise.all([looked, ticking?.catch(() => undefined)])
      // What the last look has claimed.
      work.lanes.release(() => true)
      await work.lanes.idle().catch(() => undefined)
    },
  }
}

interface Looking {
  start(): void
  /** Resolves when no look is going on. */
  stop(): Promise<void>
  /** A line is free for more, and more is due: the next look need not wait. */
  now(): void
}

function lookingOften(work: Work): Looking {
  const { clock, settings } = work
  const toDo = asking(work)
  const forget = forgetting(work)
  let polling: Promise<void> = Promise.resolve()
  let isPolling = false
  let cancel: (() => void) | undefined
  let stopped = true
  let isWanted = false

  async function poll(): Promise<void> {
    const wasWanted = isWanted
    isPolling = true
    isWanted = false
    let isMoreOld = false
    try {
      const mayRun = work.mayRun?.() ?? true
      if (mayRun) await look(work, await toDo(wasWanted))
      if (mayRun) isMoreOld = await forget()
    } catch (error) {
      unreachable(work, error)
    }
    isPolling = false
    if (!stopped) pollIn(isWanted || isMoreOld ? 0 : settings.pollMs)
  }
  function pollIn(ms: number): void {
    cancel = clock.after(ms, () => void (polling = poll()))
  }

  return {
    start() {
      if (!stopped) return
      stopped = false
      if (!isPolling) polling = poll()
    },
    async stop() {
      stopped = true
      cancel?.()
      await polling
    },
    now() {
      isWanted = true
      if (stopped || isPolling) return
      cancel?.()
      pollIn(0)
    },
  }
}

/** Once an hour removes what is old, some of it at a time. True: there is more. */
function forgetting(work: Work): () => Promise<boolean> {
  // Due at the first look.
  let atMs = -Infinity
  let after = FROM_THE_START
  return async () => {
    if (work.now() < atMs) return false
    const { next } = await forgetSome(work.sql, { nowMs: work.clock.now(), keepMs: work.settings.keepMs, after })
    after = next ?? FROM_THE_START
    if (next === null) atMs = work.now() + FORGET_EVERY_MS
    return next !== null
  }
}

interface Work extends OutboxDeps {
  settings: OutboxSettings
  /** For durations: never goes back. */
  now: () => number
  /** Lines whose SMSC asked for a pause, and until when. '': SMS for any line. */
  pausedUntil: Map<string, number>
  /** Takes a connection to the database. */
  gated: Gate
  lanes: Lanes
  /** Stores what became of SMS; answers with their new states. */
  tried: Gathering<Tried, string>
}

function workOf(deps: OutboxDeps, wanting: () => void): Work {
  const settings = { ...OUTBOX_DEFAULTS, ...deps.settings }
  const { batchMax, inFlightMax, gatherMs } = settings
  const gated = gate(settings.connectionsMax)
  const lanes = new Lanes({
    route(line) {
      const route = deps.route ? deps.route(line) : { line, room: inFlightMax }
      return route && { line: route.line, room: Math.min(route.room, inFlightMax) }
    },
    lines: deps.smsLines ?? (() => []),
    claimMax: batchMax,
    pause: () => new Promise((over) => (gatherMs > 0 ? void deps.clock.after(gatherMs, over) : over())),
    mark: (rows) => mark(work, rows),
    send: (held, attempts) => send(work, held, attempts),
    release: async (rows) => void (await RELEASE(work.sql, heldIn(rows)!)),
    wanting,
    failed: (error) => unreachable(work, error),
  })
  const settling = {
    ...deps,
    settings,
    dropOf: (msisdns: ReadonlySet<string>) => lanes.drop((row) => msisdns.has(row.msisdn)),
  }
  const again = { clock: deps.clock, chance: deps.chance, signal: AbortSignal.any([]) }
  const work: Work = {
    ...deps,
    settings,
    now: monotonicClock(deps.clock),
    pausedUntil: new Map(),
    gated,
    lanes,
    tried: gathering({ most: Math.min(SETTLE_MAX, batchMax), gatherMs, clock: deps.clock }, (all: Tried[]) =>
      gated(() => repeating(() => settleTried(settling, all), again)),
    ),
  }
  return work
}

function unreachable({ log }: Work, error: unknown): void {
  log.warn({ error: (error as Error).message }, 'SMS outbox: Postgres cannot be reached')
}

interface Due {
  /** There are SMS to send. */
  send: boolean
  /** There is work on earlier SMS. */
  upkeep: boolean
}

/**
 * Decides what to do. While a line takes all that it gets (`isWanted`), claim follows claim, and whether anything is
 * due is asked as often as ever.
 */
function asking(work: Work): (isWanted: boolean) => Promise<Due> {
  // Due at the first look.
  let askedMs = -Infinity
  return async (isWanted) => {
    const can = work.canSend?.() ?? 'now'
    const everyMs = can === 'never' ? NEVER_EVERY_MS : work.settings.pollMs
    if (work.now() < askedMs + everyMs) return { send: isWanted && can === 'now', upkeep: false }
    askedMs = work.now()
    if (can === 'never') return { send: false, upkeep: true }
    const [due] = await DUE(work.sql, { now: new Date(work.clock.now()), today: new Date(work.clock.today()) })
    return { send: can === 'now' && due!.send, upkeep: due!.upkeep }
  }
}

async function look(work: Work, due: Due): Promise<void> {
  if (due.upkeep) await keepUp(work)
  if (!due.send) return
  const { clock, settings, lanes } = work
  const paused = [...work.pausedUntil].filter(([, untilMs]) => untilMs > work.now()).map(([line]) => line)
  const { named, other } = lanes.wants(paused)
  if ([other, ...Object.values(named)].flat().every((most) => most <= 0)) return
  const lease = randomUUID()
  const rows = await CLAIM(work.sql, {
    now: new Date(clock.now()),
    today: new Date(clock.today()),
    lease,
    until: new Date(clock.now() + settings.leaseMs),
    wants: JSON.stringify(named),
    other: JSON.stringify(other),
  })
  rows.sort((a, b) => a.due_at.getTime() - b.due_at.getTime() || Number(a.id) - Number(b.id))
  lanes.take(rows, lease, await defer(work, rows, lease))
}

/** Postpones those that must not leave within these hours. Returns their ids. */
async function defer(work: Work, rows: readonly ClaimedRow[], lease: string): Promise<Set<string>> {
  const { sql, clock, settings } = work
  const quietMs = new Map<string, number | null>()
  const untilOf = ({ quiet_zone: zone }: ClaimedRow): number | null => {
    if (zone === null) return null
    if (!quietMs.has(zone)) quietMs.set(zone, quietUntil(clock.today(), settings.quietHours, zone))
    return quietMs.get(zone)!
  }
  const quiet = rows.filter((row) => untilOf(row) !== null)
  if (!quiet.length) return new Set()
  const wakes = quiet.map((row) => new Date(clock.now() + untilOf(row)! - clock.today()).toISOString())
  await DEFER(sql, { ids: `{${quiet.map(({ id }) => id)}}`, wakes: `{${wakes}}`, lease })
  for (const { kind } of quiet) count(work, kind, 'quiet')
  return new Set(quiet.map(({ id }) => id))
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
  for (let times = 0; times < EXPIRE_TIMES; times++) {
    const expired = await EXPIRE(sql, { now, today, limit: EXPIRE_MAX })
    for (const row of expired) count(work, row.kind, 'expired')
    if (expired.length < EXPIRE_MAX) break
  }
  for (const { kind, is } of await recallAll(work, settings.batchMax)) count(work, kind, is)
}

/** Writes down that these are about to be sent. Some are not wanted any more. */
async function mark(work: Work, rows: readonly HeldRow[]): Promise<Map<string, number>> {
  const { sql, clock, settings } = work
  failpoint('sms-before-submitting')
  const [now, today] = [new Date(clock.now()), new Date(clock.today())]
  const until = new Date(clock.now() + settings.leaseMs)
  const kinds = new Map(rows.map(({ row }) => [row.id, row.kind]))
  const marked = new Map<string, number>()
  const services = JSON.stringify(settings.services)
  for (const { id, state, attempts } of await SUBMIT(sql, { ...heldIn(rows)!, now, today, until, services })) {
    if (state === 'submitting') marked.set(id, attempts)
    else count(work, kinds.get(id)!, state)
  }
  return marked
}

/** Sends one, and stores what became of it. False: it was not written. */
async function send(work: Work, { row, lease }: HeldRow, attempts: number): Promise<boolean> {
  failpoint('sms-after-submitting')
  const outcome = await submit(work, row, (taken) => takePart(work, { id: row.id, lease }, taken))
  failpoint('sms-after-response')
  const pauseMs = linePauseMs(outcome)
  if (pauseMs) {
    work.pausedUntil.set(row.owed_line, work.now() + pauseMs)
    work.lanes.release((waiting) => waiting.owed_line === row.owed_line)
  }
  const state = await work.tried.ask({ row, lease, attempts, outcome })
  count(work, row.kind, state === 'due' ? outcome.is : state)
  return outcome.is !== 'unsent'
}

async function submit(work: Work, row: ClaimedRow, beforePart: BeforePart): Promise<SmsOutcome> {
  const { clock } = work
  // The appointment has a calendar time; the SMSC uses the wall clock.
  const expiresMs = row.expires_at.getTime() - clock.today() + clock.now()
  const { id, kind, msisdn, text, line, taken, parts, owner, template, tlvs } = row
  const asked = { owner, ...(template === null ? {} : { template }), ...(tlvs === null ? {} : { tlvs }) }
  const sms = { id, kind, msisdn, text, line, expiresMs, reference: referenceOf(id), ...asked }
  try {
    return await work.submit(taken.length ? { ...sms, taken, parts } : sms, beforePart)
  } catch (error) {
    work.counters.count('bugs_total', { where: 'sms-submit' })
    work.log.error({ error: (error as Error).message }, 'submitting an SMS failed with an exception')
    return { is: 'ambiguous' }
  }
}

/** If this cannot be stored, the parts are sent anyway: the final result includes it. */
async function takePart(
  work: Work,
  row: { id: string; lease: string },
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

function count(work: Work, kind: string, state: string): void {
  work.counters.count('sms_total', { kind, state })
}

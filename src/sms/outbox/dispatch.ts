/**
 * Sends the outbox. Several daemons may do so together: a row is checked, and committed as `submitting` under the lease
 * of one of them, before its octets are sent. (SMPP has no idempotency key: an SMS without a response is ambiguous.)
 */
import { randomUUID } from 'node:crypto'
import {
  gathering,
  type Gathering,
  failpoint,
  gate,
  type Gate,
  monotonicClock,
  NEVER_ABORTED,
  repeating,
  tellsDebug,
} from '../../base/index.ts'
import {
  IdForms,
  orphanWatch,
  type OrphanWatch,
  receiptsInBulk,
  referenceOf,
  type ReceiptResult,
} from '../receipts/index.ts'
import { linePauseMs, type BeforePart, type Receipt, type SmsOutcome, urgencyOf } from '../terms/index.ts'
import { reconcile, settleLate, type LateSms } from './ambiguous.ts'
import { Crowds, type SmsCrowd } from './crowds.ts'
import { forgetSome, FROM_THE_START } from './forget.ts'
import { Heads } from './heads.ts'
import { Lanes, type Claimed, type Wants } from './lanes.ts'
import { QuietZones } from './quiet-zones.ts'
import { recallAll } from './recall.ts'
import { AMBIGUOUS, CLAIM, DUE, EXPIRE, LOSE, PUT_BEHIND, type ClaimedRow } from './rows.ts'
import { SETTLE_MAX, settleTried, takeParts, type TakenParts, type Tried, type TriedFate } from './settling.ts'
import { OUTBOX_DEFAULTS, type OutboxDeps, type OutboxSettings } from './settings.ts'

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
  const work = workOf(deps)
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
      ahead: () => Promise.all([work.tried.settled(), work.taken.settled()]),
      gatherMs: work.settings.gatherMs,
    }),
    async late(sms, outcome) {
      // That it had no response may still be on its way to Postgres.
      await work.tried.settled()
      return repeating(() => settleLate(deps, sms, outcome), { ...deps, signal: NEVER_ABORTED })
    },
    start() {
      work.lanes.start()
      looks.start()
    },
    async stop() {
      work.lanes.stop()
      await Promise.all([looks.stop(), ticking?.catch(() => undefined)])
      await work.lanes.idle().catch(() => undefined)
    },
  }
}

interface Looking {
  start(): void
  /** Resolves when no look is going on. */
  stop(): Promise<void>
}

function lookingOften(work: Work): Looking {
  const { clock, settings } = work
  const toDo = asking(work)
  const forget = forgetting(work)
  let polling: Promise<void> = Promise.resolve()
  let isPolling = false
  let cancel: (() => void) | undefined
  let stopped = true

  async function poll(): Promise<void> {
    isPolling = true
    let isMoreOld = false
    try {
      const mayRun = work.mayRun?.() ?? true
      if (mayRun) await look(work, await toDo())
      if (mayRun) isMoreOld = await forget()
    } catch (error) {
      unreachable(work, error)
    }
    isPolling = false
    if (!stopped) cancel = clock.after(isMoreOld ? 0 : settings.pollMs, () => void (polling = poll()))
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
  zones: QuietZones
  crowds: Crowds
  heads: Heads
  /** Takes a connection to the database. */
  gated: Gate
  lanes: Lanes
  /** Stores what became of SMS; answers with what their rows say now. */
  tried: Gathering<Tried, TriedFate>
  /** Stores which parts of an SMS are taken. */
  taken: Gathering<TakenParts, void>
}

function workOf(deps: OutboxDeps): Work {
  const settings = { ...OUTBOX_DEFAULTS, ...deps.settings }
  const { batchMax, inFlightMax, gatherMs } = settings
  const { clock, chance } = deps
  const gated = gate(settings.connectionsMax)
  const lanes = new Lanes({
    route(line) {
      const route = deps.route ? deps.route(line) : { line, room: inFlightMax }
      return route && { line: route.line, room: Math.min(route.room, inFlightMax) }
    },
    lines: deps.smsLines ?? (() => []),
    paused: () => [...work.pausedUntil].filter(([, untilMs]) => untilMs > work.now()).map(([line]) => line),
    claimMax: batchMax,
    pause: () => new Promise((over) => (gatherMs > 0 ? void clock.after(gatherMs, over) : over())),
    claim: (wants) => claim(work, wants),
    send: (row, line) => send(work, row, line),
    failed: (error) => unreachable(work, error),
  })
  const settling = { ...deps, settings }
  const inBulk = <In, Out>(run: (all: In[]) => Promise<readonly Out[]>) =>
    gathering({ most: Math.min(SETTLE_MAX, batchMax), gatherMs, clock }, (all: In[]) =>
      gated(() => repeating(() => run(all), { clock, chance, signal: NEVER_ABORTED })),
    )
  const work: Work = {
    ...deps,
    settings,
    now: monotonicClock(clock),
    pausedUntil: new Map(),
    zones: new QuietZones(settings.quietHours),
    crowds: new Crowds(),
    heads: new Heads(),
    gated,
    lanes,
    tried: inBulk((all: Tried[]) => settleTried(settling, all)),
    taken: inBulk((all: TakenParts[]) => takeParts(settling, all)),
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

/** Decides what to do: once in `pollMs` it asks. */
function asking(work: Work): () => Promise<Due> {
  // Due at the first look.
  let askedMs = -Infinity
  return async () => {
    const can = work.canSend?.() ?? 'now'
    const everyMs = can === 'never' ? NEVER_EVERY_MS : work.settings.pollMs
    if (work.now() < askedMs + everyMs) return { send: false, upkeep: false }
    askedMs = work.now()
    if (can === 'never') return { send: false, upkeep: true }
    const [due] = await DUE(work.sql, { now: new Date(work.clock.now()), today: new Date(work.clock.today()) })
    return { send: can === 'now' && due!.send, upkeep: due!.upkeep }
  }
}

async function look(work: Work, due: Due): Promise<void> {
  if (due.upkeep) await keepUp(work)
  if (!due.send) return
  work.heads.forget()
  work.lanes.fill()
}

/** Takes due rows; those of the answer that are `submitting` are about to be sent. */
async function claim(work: Work, wants: Wants): Promise<Claimed> {
  const { sql, clock, settings, zones, crowds, heads } = work
  if (work.mayRun?.() === false) return { rows: [], isWhole: true }
  failpoint('sms-before-submitting')
  const from = heads.for(wants, work.now())
  const rows = await CLAIM(sql, {
    now: new Date(clock.now()),
    today: new Date(clock.today()),
    lease: randomUUID(),
    until: new Date(clock.now() + settings.leaseMs),
    wants: JSON.stringify(wants.named),
    other: wants.other,
    heads: from,
    quiet: JSON.stringify(zones.until(clock)),
    services: JSON.stringify(settings.services),
  })
  rows.sort(byUrgency)
  heads.claimed(rows, from, { wants, nowMs: work.now() })
  for (const row of rows) {
    const { state, is_again: isAgain, kind, quiet_zone: zone } = row
    if (isAgain) zones.learn(zone!)
    else if (state !== 'submitting') count(work, kind, state === 'due' ? 'quiet' : state)
    if (state === 'expired') work.givenUp?.({ ...row, ...UNSENT })
  }
  const crowded = crowds.among(rows, work.now())
  // Whatever becomes of that: these rows are to be sent.
  if (crowded.length > 0) await putBehind(work, crowded).catch((error: unknown) => unreachable(work, error))
  return { rows, isWhole: from === null }
}

function byUrgency(a: ClaimedRow, b: ClaimedRow): number {
  const first = urgencyOf(a.kind) - urgencyOf(b.kind)
  return first || a.moment_ms - b.moment_ms || Number(a.id) - Number(b.id)
}

/** How long those of a crowd wait: others are ahead of them then. */
const BEHIND_MS = 1_000
/** How many rows of crowds a statement puts behind, in some hundredths of a second, and how many of them run. */
const BEHIND_MAX = 1_000
const BEHIND_TIMES = 5

async function putBehind({ sql, clock, counters }: Work, crowds: readonly SmsCrowd[]): Promise<void> {
  const now = clock.now()
  const each = Math.ceil(BEHIND_MAX / crowds.length)
  const asked = { crowds: JSON.stringify(crowds), each, now: new Date(now), until: new Date(now + BEHIND_MS) }
  for (let times = 0; times < BEHIND_TIMES; times++) {
    const rows = await PUT_BEHIND(sql, asked)
    if (rows.length > 0) counters.count('limits_total', { limit: 'sms_crowd' }, rows.length)
    if (rows.length < each) return
  }
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
    for (const row of expired) {
      count(work, row.kind, 'expired')
      work.givenUp?.({ ...row, ...UNSENT, state: 'expired' })
    }
    if (expired.length < EXPIRE_MAX) break
  }
  for (const { kind, is } of await recallAll(work, settings.batchMax)) count(work, kind, is)
}

/** Of an SMS that was not sent now. */
const UNSENT = { status: null, error: null }

/** Sends one, and stores what became of it. False: it was not written. */
async function send(work: Work, row: ClaimedRow, line: string): Promise<boolean> {
  failpoint('sms-after-submitting')
  const outcome = await submit(work, row, (taken) => takePart(work, row, taken))
  failpoint('sms-after-response')
  const pauseMs = linePauseMs(outcome)
  if (pauseMs) work.pausedUntil.set(row.owed_line, work.now() + pauseMs)
  const { state, status, error } = await work.tried.ask({ row, outcome, line })
  const { id, msisdn, kind } = row
  if (tellsDebug(work.log))
    work.log.debug({ msisdn, id, kind, line: row.owed_line, is: outcome.is, state }, 'SMS submitted')
  count(work, row.kind, state === 'due' ? outcome.is : state)
  if (state === 'failed') work.givenUp?.({ ...row, line: row.line || line, state, status, error })
  return outcome.is !== 'unsent'
}

async function submit(work: Work, row: ClaimedRow, beforePart: BeforePart): Promise<SmsOutcome> {
  const { clock } = work
  // The appointment has a calendar time; the SMSC uses the wall clock.
  const { id, kind, msisdn, text, line, taken, owner, template, tlvs } = row
  const sms = {
    id,
    kind,
    msisdn,
    text,
    line,
    expiresMs: row.expires_ms - clock.today() + clock.now(),
    reference: referenceOf(id),
    owner,
    template: template ?? undefined,
    tlvs: tlvs ?? undefined,
    taken: taken ?? undefined,
    parts: taken ? row.parts : undefined,
  }
  try {
    return await work.submit(sms, beforePart)
  } catch (error) {
    work.counters.count('bugs_total', { where: 'sms-submit' })
    work.log.error({ error: (error as Error).message }, 'submitting an SMS failed with an exception')
    return { is: 'ambiguous' }
  }
}

/** If this cannot be stored, the parts are sent anyway: the final result includes it. */
async function takePart(work: Work, row: ClaimedRow, taken: Parameters<BeforePart>[0]): Promise<void> {
  await work.taken
    .ask({ row, ...taken })
    .catch((error: unknown) => work.log.warn({ error: (error as Error).message }, 'accepted SMS part not stored yet'))
  if (taken.messageIds.some((id) => id !== null)) failpoint('sms-after-response')
}

function count(work: Work, kind: string, state: string): void {
  work.settled?.()
  work.counters.count('sms_total', { kind, state })
}

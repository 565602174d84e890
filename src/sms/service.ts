/**
 * The SMS side of the lines: sends what the outbox owes, over the same binds as USSD and always behind it; takes
 * delivery receipts and what subscribers write.
 */
import type { Knex } from 'knex'
import { type ConfiguredLine, type Settings, numberingOf } from '../config/index.ts'
import type { Log, Metrics } from '../base/index.ts'
import {
  smsDispatcher,
  type SmsDispatcher,
  smsQueries,
  smsReplacing,
  type Replacing,
  type OutboxDeps,
  type SmsSubject,
} from './outbox/index.ts'
import {
  isLikeReceipt,
  readReceipt,
  type ReceiptOptions,
  QUERY_EVERY_MS,
  queryLines,
  smsQuery,
  smsRecall,
  smsReplace,
  fateOf,
  lateSmsOf,
  RESPONSES_MAX,
  smsSubmit,
} from './pdu/index.ts'
import type { Push } from '../push/index.ts'
import { pushThenSms } from './push-first.ts'
import { type PartShelf, smsIn } from './inbox/index.ts'
import type { Line, Pdu } from '../smpp/index.ts'
import type { LateResponse } from '../smpp/session/index.ts'
import type { Chance, Clock } from '../ussd/index.ts'

export interface SmsSide {
  onReceipt(pdu: Pdu, line: Line): Promise<void>
  onSms(pdu: Pdu, line: Line): Promise<void>
  readonly replacing: Replacing
  /** A response that came after its deadline. */
  onLate(late: LateResponse, line: string): Promise<void>
  start(): void
  stop(): Promise<void>
}

export interface SmsDeps {
  settings: Settings
  knex: Knex
  lines: { all: readonly Line[]; get(name: string): Line | undefined }
  /** For reminders on the screen. */
  push: Pick<Push, 'push'>
  /** Where the parts of long incoming SMS wait for each other. */
  shelf: PartShelf
  /** The services that SMS speak of. */
  subjects: readonly SmsSubject[]
  clock: Clock
  chance: Chance
  log: Log
  metrics: Metrics
}

export function createSmsSide(deps: SmsDeps): SmsSide {
  const { settings, knex, lines, clock, chance, log, metrics } = deps
  // Lines may change while we run: looked up each time.
  const lineOf = (name: string) => settings.lines.find((line) => line.name === name)
  const { channel, pushFlow, pushMs } = settings.reminders
  const isPushed = channel === 'push-then-sms'
  const bySms = smsSubmit({ ...deps, settings: settings.lines })
  const submitMs =
    RESPONSES_MAX * longestResponseMs(settings.lines) + (isPushed ? pushMs + settings.dialogue.turnMs : 0)
  const recall = smsRecall({ ...deps, settings: settings.lines })
  const outboxParts: OutboxDeps = {
    knex,
    clock,
    chance,
    log,
    counters: metrics,
    submit: isPushed ? pushThenSms(bySms, { push: deps.push, flow: pushFlow, ttlMs: pushMs }) : bySms,
    recall,
    settings: {
      quietHours: settings.reminders.quietHours,
      pollMs: settings.reminders.pollMs,
      ambiguousGraceMs: settings.reminders.ambiguousGraceMs,
      keepMs: settings.retention.smsDays * 86_400_000,
      leaseMs: Math.max(settings.reminders.leaseMs, submitMs),
      connectionsMax: connectionsFor(settings.postgres),
    },
    doors: (name) => {
      const group = lines.get(name)?.group
      return [name, ...lines.all.filter((line) => line.group === group && line.name !== name).map((line) => line.name)]
    },
    messageIds: (name) => {
      const habits = lines.get(name)?.dialect.habits
      return habits?.messageIdUseless ? null : (habits?.messageIdBases ?? null)
    },
  }
  const outbox: SmsDispatcher = smsDispatcher(outboxParts)
  const asking = { settings: settings.lines, lines, clock }
  const queries = smsQueries(outboxParts, smsQuery(asking))
  const numbering = (line: string) => numberingOf(lineOf(line))
  const incoming = smsIn({ ...deps, settings: settings.sms, numbering, plain: (name) => lineOf(name)?.sms })
  const upkeep = [
    repeated(EXPIRE_EVERY_MS, () => incoming.expire(), deps),
    repeated(
      QUERY_EVERY_MS,
      async () => void (await Promise.all(queryLines(asking).map((line) => queries.look(line)))),
      deps,
    ),
  ]
  async function onReceipt(pdu: Pdu, line: Line): Promise<void> {
    const receipt = readReceipt(pdu, line.name, receiptOptions(lineOf(line.name)))
    if (!receipt)
      return metrics.count('sms_receipts_total', { line: line.name, state: 'unknown', result: 'unreadable' })
    const result = await outbox.applyReceipt(receipt)
    metrics.count('sms_receipts_total', { line: line.name, state: receipt.state, result })
  }
  return {
    onReceipt,
    onSms(pdu, line) {
      const isReceipt = lineOf(line.name)?.sms?.unmarkedReceipts === true && isLikeReceipt(pdu)
      return isReceipt ? onReceipt(pdu, line) : incoming.take(pdu, line)
    },
    replacing: smsReplacing({
      knex,
      clock,
      counters: metrics,
      recall,
      replace: smsReplace({ ...deps, settings: settings.lines }),
    }),
    async onLate(late, line) {
      const sms = late.lane === 'sms' ? lateSmsOf(late.key, line) : null
      const how = lineOf(line)?.sms
      if (!sms || !how) return
      const settled = await outbox.late(sms, fateOf(late.outcome, how))
      metrics.count('sms_late_total', { line, result: settled ? 'settled' : 'known' })
    },
    start() {
      outbox.start()
      for (const one of upkeep) one.start()
    },
    async stop() {
      await Promise.all(upkeep.map((one) => one.stop()))
      await outbox.stop()
    },
  }
}

const EXPIRE_EVERY_MS = 60_000
/**
 * Of the connections to the database. Whoever dials waits for none that SMS hold: a dialogue has seconds, an SMS has
 * hours.
 */
const CONNECTIONS_SHARE = 0.4

/** PGlite has one for all. */
function connectionsFor(postgres: Settings['postgres']): number {
  return postgres === 'embedded' ? 1 : Math.max(1, Math.floor(postgres.poolMax * CONNECTIONS_SHARE))
}

interface Repeated {
  start(): void
  stop(): Promise<void>
}

/** What cannot be done while a store is away is done the next time. */
function repeated(everyMs: number, run: () => Promise<void>, { clock, log }: Pick<SmsDeps, 'clock' | 'log'>): Repeated {
  let running = Promise.resolve()
  let cancel = (): void => undefined
  let stopped = false
  const again = (): void => {
    cancel = clock.after(everyMs, () => {
      running = run()
        .catch((error: unknown) => log.warn({ err: error }, 'SMS upkeep: a store cannot be reached'))
        .then(() => (stopped ? undefined : again()))
    })
  }
  return {
    start: again,
    async stop() {
      stopped = true
      cancel()
      await running
    },
  }
}

/** What leases of SMS are set by, once, at the start. */
export function longestResponseMs(lines: readonly ConfiguredLine[]): number {
  return Math.max(0, ...lines.map((line) => line.timers.responseMs))
}

function receiptOptions(line: ConfiguredLine | undefined): ReceiptOptions {
  return { offsetMinutes: line?.sms?.receiptOffsetMinutes ?? 0, numbering: numberingOf(line) }
}

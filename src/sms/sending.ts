/** What the outbox needs for sending: lines, forms, the lease of an SMS, and its share of the database. */
import type { Metrics } from '../base/index.ts'
import type { Push } from '../push/index.ts'
import type { Line } from '../smpp/index.ts'
import type { OutboxDeps, SmsRoute } from './outbox/index.ts'
import { RESPONSES_MAX, smsSubmit } from './pdu/index.ts'
import { answerOnScreen, pushThenSms } from './push-first.ts'
import { serviceOfOwner, type Reminders, type SmsInSettings, type SmsLine } from './settings/index.ts'

export interface SendingSettings {
  /** Lines may change while we run, so they are looked up each time. */
  lines: readonly SmsLine[]
  reminders: Reminders
  dialogue: { turnMs: number }
  retention: { smsDays: number }
  sms: Pick<SmsInSettings, 'services' | 'words'>
  postgres: 'embedded' | { poolMax: number }
}

export interface SendingDeps extends Omit<
  OutboxDeps,
  'submit' | 'route' | 'smsLines' | 'recall' | 'settings' | 'messageIds' | 'linesOfSmsc' | 'counters'
> {
  settings: SendingSettings
  lines: { all: readonly Line[]; get(name: string): Line | undefined }
  /** For reminders on the screen. */
  push: Pick<Push, 'push' | 'notify'>
  metrics: Metrics
}

export function sendingBy(deps: SendingDeps, recall: NonNullable<OutboxDeps['recall']>): OutboxDeps {
  const { settings, lines, sql, clock, chance, log, metrics } = deps
  const { channel, pushFlow, pushMs, quietHours, pollMs, ambiguousGraceMs, leaseMs } = settings.reminders
  const isPushed = channel === 'push-then-sms'
  const isOnScreen = Object.values(settings.sms.words).some(({ answer }) => answer === 'screen')
  const only = smsSubmit({ ...deps, settings: settings.lines, serviceOf: serviceOfOwner(settings.sms) })
  const bySms = isOnScreen ? answerOnScreen(only, { push: deps.push, ttlMs: pushMs }) : only
  const submitMs =
    RESPONSES_MAX * longestResponseMs(settings.lines) + (isPushed || isOnScreen ? pushMs + settings.dialogue.turnMs : 0)
  return {
    sql,
    clock,
    chance,
    log,
    counters: metrics,
    canSend: () => canSend(settings.lines, lines, isPushed),
    route: isPushed ? (line) => pushRoute(line, lines) : (line) => smsRoute(line, settings.lines, lines),
    smsLines: () => settings.lines.filter(({ sms }) => isPushed || sms !== undefined).map(({ name }) => name),
    mayRun: deps.mayRun,
    submit: isPushed ? pushThenSms(bySms, { push: deps.push, flow: pushFlow, ttlMs: pushMs }) : bySms,
    recall,
    settings: {
      quietHours,
      pollMs,
      ambiguousGraceMs,
      keepMs: settings.retention.smsDays * 86_400_000,
      leaseMs: Math.max(leaseMs, submitMs),
      services: serviceOfOwners(settings.sms),
      ...sharesOf(settings.postgres),
      // A screen takes seconds, and a place in the lane of USSD.
      ...(isPushed ? { inFlightMax: PUSHES_MAX } : {}),
    },
    linesOfSmsc: (name) => {
      const group = lines.get(name)?.group
      return [name, ...lines.all.filter((line) => line.group === group && line.name !== name).map((line) => line.name)]
    },
    messageIds: (name) => {
      const habits = lines.get(name)?.dialect.habits
      return habits?.messageIdUseless ? null : (habits?.messageIdBases ?? null)
    },
  }
}

function serviceOfOwners({ services }: SendingSettings['sms']): Record<string, string> {
  const all = Object.entries(services).flatMap(([name, { owners }]) => owners.map((owner) => [owner, name] as const))
  return Object.fromEntries(all)
}

/** A reminder that may be pushed can go out on any line. */
function canSend(
  settings: readonly SmsLine[],
  lines: SendingDeps['lines'],
  isPushed: boolean,
): ReturnType<NonNullable<OutboxDeps['canSend']>> {
  const able = settings.filter(({ sms }) => isPushed || sms !== undefined)
  if (able.length === 0) return 'never'
  return able.some(({ name }) => lines.get(name)?.bound()) ? 'now' : 'not-now'
}

/** How many reminders are on their way to a screen at once. */
const PUSHES_MAX = 10

function pushRoute(line: string, lines: SendingDeps['lines']): SmsRoute | null {
  const named = line ? lines.get(line) : undefined
  const able = named ? [named] : lines.all
  return able.some((one) => one.bound()) ? { line, room: PUSHES_MAX } : null
}

/** The line that the SMS names, or else the first bound one that may send SMS: see `lineFor` in submit-sm.ts. */
function smsRoute(line: string, settings: readonly SmsLine[], lines: SendingDeps['lines']): SmsRoute | null {
  const sends = (one: Line) => settings.find(({ name }) => name === one.name)?.sms !== undefined
  const named = line ? lines.get(line) : undefined
  const taker = named && sends(named) ? named : lines.all.find((one) => one.bound() && sends(one))
  const room = taker?.smsRoom() ?? 0
  return taker && room > 0 ? { line: taker.name, room } : null
}

/**
 * The share of the database connections. Dialogues never wait for connections that SMS hold: a dialogue has seconds, an
 * SMS has hours.
 */
const CONNECTIONS_SHARE = 0.4
/** How many SMS one statement claims: more than the window of any line. */
const BATCH_MAX = 200
/** A window of 100 is full again five times in the time that it takes a slow disk to store one. */
const GATHER_MS = 3

/** PGlite has one connection for everything, so SMS use it for short moments only. A server takes what lines take. */
function sharesOf(postgres: SendingSettings['postgres']) {
  if (postgres === 'embedded') return { connectionsMax: 1, batchMax: 50, inFlightMax: 10, gatherMs: GATHER_MS }
  const connectionsMax = Math.max(1, Math.floor(postgres.poolMax * CONNECTIONS_SHARE))
  return { connectionsMax, batchMax: BATCH_MAX, inFlightMax: Infinity, gatherMs: GATHER_MS }
}

/** The leases of SMS are based on it, once, at the start. */
export function longestResponseMs(lines: readonly Pick<SmsLine, 'timers'>[]): number {
  return Math.max(0, ...lines.map((line) => line.timers.responseMs))
}

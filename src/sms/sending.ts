/** What the outbox sends by: over which lines, as what, how long an SMS is leased, and its share of the database. */
import type { Metrics } from '../base/index.ts'
import type { Push } from '../push/index.ts'
import type { Line } from '../smpp/index.ts'
import type { OutboxDeps } from './outbox/index.ts'
import { RESPONSES_MAX, smsSubmit } from './pdu/index.ts'
import { pushThenSms } from './push-first.ts'
import type { Reminders, SmsLine } from './settings/index.ts'

export interface SendingSettings {
  /** Lines may change while we run: looked up each time. */
  lines: readonly SmsLine[]
  reminders: Reminders
  dialogue: { turnMs: number }
  retention: { smsDays: number }
  postgres: 'embedded' | { poolMax: number }
}

export interface SendingDeps extends Omit<
  OutboxDeps,
  'submit' | 'recall' | 'settings' | 'messageIds' | 'linesOfSmsc' | 'counters'
> {
  settings: SendingSettings
  lines: { all: readonly Line[]; get(name: string): Line | undefined }
  /** For reminders on the screen. */
  push: Pick<Push, 'push'>
  metrics: Metrics
}

export function sendingBy(deps: SendingDeps, recall: NonNullable<OutboxDeps['recall']>): OutboxDeps {
  const { settings, lines, sql, clock, chance, log, metrics } = deps
  const { channel, pushFlow, pushMs, quietHours, pollMs, ambiguousGraceMs, leaseMs } = settings.reminders
  const isPushed = channel === 'push-then-sms'
  const bySms = smsSubmit({ ...deps, settings: settings.lines })
  const submitMs =
    RESPONSES_MAX * longestResponseMs(settings.lines) + (isPushed ? pushMs + settings.dialogue.turnMs : 0)
  return {
    sql,
    clock,
    chance,
    log,
    counters: metrics,
    canSend: () => canSend(settings.lines, lines, isPushed),
    submit: isPushed ? pushThenSms(bySms, { push: deps.push, flow: pushFlow, ttlMs: pushMs }) : bySms,
    recall,
    settings: {
      quietHours,
      pollMs,
      ambiguousGraceMs,
      keepMs: settings.retention.smsDays * 86_400_000,
      leaseMs: Math.max(leaseMs, submitMs),
      connectionsMax: connectionsFor(settings.postgres),
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

/** A reminder that may be pushed leaves on any line. */
function canSend(
  settings: readonly SmsLine[],
  lines: SendingDeps['lines'],
  isPushed: boolean,
): ReturnType<NonNullable<OutboxDeps['canSend']>> {
  const able = settings.filter(({ sms }) => isPushed || sms !== undefined)
  if (able.length === 0) return 'never'
  return able.some(({ name }) => lines.get(name)?.bound()) ? 'now' : 'not-now'
}

/**
 * Share of the database connections. Dialogues never wait for connections that SMS hold: a dialogue has seconds, an SMS
 * has hours.
 */
const CONNECTIONS_SHARE = 0.4

/** PGlite has one for all. */
function connectionsFor(postgres: SendingSettings['postgres']): number {
  return postgres === 'embedded' ? 1 : Math.max(1, Math.floor(postgres.poolMax * CONNECTIONS_SHARE))
}

/** What leases of SMS are set by, once, at the start. */
export function longestResponseMs(lines: readonly Pick<SmsLine, 'timers'>[]): number {
  return Math.max(0, ...lines.map((line) => line.timers.responseMs))
}

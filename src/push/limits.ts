/**
 * What one token may push: words that were agreed upon, so many a second, so many a day. The day is counted in
 * Postgres, over all daemons and restarts.
 */
import { DateTime } from 'luxon'
import { createRates, statement, type Counters, type Sql } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'

export interface PushLimitSettings {
  perSecond: number
  perDay: number
  freeText: boolean
  templates: readonly string[]
}

export interface PushLimitsDeps {
  settings: PushLimitSettings
  /** Of the day. */
  zone: string
  sql: Sql
  clock: Clock
  counters: Counters
  /** Whether a text is a template with its variables filled in. */
  fits(text: string, template: string): boolean
}

/** Who pushes what. */
interface PushAsk {
  token: string
  /** Undefined: a text. */
  flow?: string | undefined
  /** Every text that the subscriber may see and no flow wrote: on the screen, and as an SMS instead. */
  texts: readonly string[]
}

export interface PushRefused {
  status: 403 | 429
  error: string
  /** Seconds after which it may be asked again. */
  retryAfter?: number
}

export interface PushLimits {
  /** One more push. Undefined: it may go. Rejects if Postgres is unreachable: nothing is pushed uncounted. */
  take(ask: PushAsk): Promise<PushRefused | undefined>
}

/** At once, after a rest: a hand's work, or a small batch. */
const PUSH_BURST = 10
const KEYS_MAX = 1_000
const DAYS_KEPT = 7

const COUNT_PUSH = statement<{ pushes: number }>(
  'push-count',
  `
  INSERT INTO push_day (day, token, flow, pushes)
  SELECT CAST(:day AS text), CAST(:token AS text), CAST(:flow AS text), 1 WHERE CAST(:most AS int) > 0
  ON CONFLICT (day, token, flow) DO UPDATE SET pushes = push_day.pushes + 1 WHERE push_day.pushes < CAST(:most AS int)
  RETURNING pushes`,
)
const FORGET_DAYS = statement('push-days-forget', `DELETE FROM push_day WHERE day < CAST(:day AS text)`)

export function createPushLimits({ settings, zone, sql, clock, counters, fits }: PushLimitsDeps): PushLimits {
  const { perSecond, perDay, freeText, templates } = settings
  const rates = createRates({ perSecond, burst: PUSH_BURST, keysMax: KEYS_MAX })
  let today = ''
  const refused = (limit: string, refusal: PushRefused): PushRefused => {
    counters.count('limits_total', { limit })
    return refusal
  }
  const whose = ({ token, flow }: PushAsk) => `token ${token} and ${flow === undefined ? 'texts' : `flow ${flow}`}`

  return {
    async take(ask) {
      const { token, flow = '', texts } = ask
      if (!freeText && texts.some((text) => !templates.some((template) => fits(text, template))))
        return refused('push_words', { status: 403, error: NO_FREE_TEXT })
      const nowMs = clock.now()
      if (!rates.take(`${token} ${flow}`, nowMs)) {
        const error = `push.perSecond: more than ${perSecond} pushes a second of ${whose(ask)}`
        return refused('push_rate', { status: 429, error, retryAfter: Math.ceil(1 / perSecond) })
      }
      const now = DateTime.fromMillis(nowMs, { zone })
      const day = now.toISODate()!
      if (day !== today) await FORGET_DAYS(sql, { day: now.minus({ days: DAYS_KEPT }).toISODate()! })
      today = day
      const [counted] = await COUNT_PUSH(sql, { day, token, flow, most: perDay })
      if (counted) return undefined
      const error = `push.perDay: ${perDay} pushes of ${whose(ask)} on ${day} (${zone}); again from midnight on`
      const left = now.endOf('day').toMillis() - nowMs
      return refused('push_day', { status: 429, error, retryAfter: Math.ceil(left / 1_000) })
    },
  }
}

const NO_FREE_TEXT =
  'this text fits none of push.templates: push a flow, add a template, or set push.freeText: true (then a token with the role push may say anything to any subscriber)'

/** The language that a subscriber chose on a `language` screen. The next dialogue starts in it. */
import { type SqlRunner, statement } from '../../base/index.ts'
import type { JsonObject } from '../../ussd/index.ts'
import type { SmsSubject } from '../../sms/terms/index.ts'

export interface Languages {
  /** Null: none was chosen. Rejects if the database does not answer. */
  of(msisdn: string): Promise<string | null>
  keep(msisdn: string, language: string, nowMs: number): Promise<void>
  forget(msisdn: string): Promise<number>
}

const FIND = statement<{ language: string }>(
  'language-of',
  `
  SELECT language FROM subscriber_language WHERE msisdn = :msisdn`,
  { mayShare: true },
)

const KEEP = statement(
  'language-keep',
  `
  INSERT INTO subscriber_language (msisdn, language, chosen_at) VALUES (:msisdn, :language, CAST(:now AS timestamptz))
  ON CONFLICT (msisdn) DO UPDATE SET language = excluded.language, chosen_at = excluded.chosen_at`,
)

const FORGET = statement<{ msisdn: string }>(
  'language-forget',
  `
  DELETE FROM subscriber_language WHERE msisdn = :msisdn RETURNING msisdn`,
)

export function subscriberLanguages(sql: SqlRunner): Languages {
  return {
    of: async (msisdn) => (await FIND(sql, { msisdn }))[0]?.language ?? null,
    async keep(msisdn, language, nowMs) {
      await KEEP(sql, { msisdn, language, now: new Date(nowMs) })
    },
    forget: async (msisdn) => (await FORGET(sql, { msisdn })).length,
  }
}

/** Answers to SMS are in the chosen language if no service knows one. This subject understands no words itself. */
export const chosenInSms: SmsSubject = {
  name: 'subscriber',
  reply: async () => null,
  languageOf: (sql, msisdn) => subscriberLanguages(sql).of(msisdn),
}

/** The longest language tag that is kept. */
const TAG_MAX = 35

/** The language in the arguments of a call. */
export function languageIn(args: JsonObject): string | undefined {
  const { language } = args
  return typeof language === 'string' && language !== '' && language.length <= TAG_MAX ? language : undefined
}

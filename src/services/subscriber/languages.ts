/** The language that a subscriber chose on a `language` screen: the next dialogue starts in it. */
import type { Knex } from 'knex'
import type { SmsSubject } from '../../sms/outbox/index.ts'
import type { JsonObject } from '../../ussd/index.ts'

export interface Languages {
  /** Null: none was chosen. Rejects if the database does not answer. */
  of(msisdn: string): Promise<string | null>
  keep(msisdn: string, language: string, nowMs: number): Promise<void>
  forget(msisdn: string): Promise<number>
}

export function subscriberLanguages(knex: Knex): Languages {
  const table = () => knex<{ msisdn: string; language: string; chosen_at: Date }>('subscriber_language')
  return {
    of: async (msisdn) => (await table().where({ msisdn }).first('language'))?.language ?? null,
    async keep(msisdn, language, nowMs) {
      await table()
        .insert({ msisdn, language, chosen_at: new Date(nowMs) })
        .onConflict('msisdn')
        .merge()
    },
    forget: (msisdn) => table().where({ msisdn }).delete(),
  }
}

/** Answers to SMS are in the chosen language, where no service knows one. It understands no words. */
export const chosenInSms: SmsSubject = {
  name: 'subscriber',
  reply: async () => null,
  languageOf: (knex, msisdn) => subscriberLanguages(knex).of(msisdn),
}

/** Longest language tag that is kept. */
const TAG_MAX = 35

/** The language of a call's arguments. */
export function languageIn(args: JsonObject): string | undefined {
  const { language } = args
  return typeof language === 'string' && language !== '' && language.length <= TAG_MAX ? language : undefined
}

/** `sms`: SMS from subscribers, and the answers to them. */
import { z } from 'zod'
import { ms, settingName } from '../../base/settings/index.ts'
import { vendorTlvs } from './vendor.ts'

const wordList = (...all: string[]) => z.array(z.string().min(1).max(20)).max(20).default(all)
const wording = (texts: Record<string, string>) =>
  z.record(z.string().regex(/^[a-z]{2,3}$/), z.string().min(1).max(640)).default(texts)

/** Buckets of the store, each of which holds one subscriber at least. */
const SUBSCRIBERS_MIN = 64

const long = z
  .strictObject({
    keepMs: ms(60_000, 604_800_000)
      .default(86_400_000)
      .describe('how long to wait for all parts of a text: SMSCs usually try for at most a day'),
    partsMax: z
      .number()
      .int()
      .min(2)
      .max(255)
      .default(40)
      .describe('parts of one text; a text that claims more is not collected'),
    textsMax: z
      .number()
      .int()
      .min(1)
      .max(100)
      .default(8)
      .describe('unfinished texts of one subscriber; above it the oldest is given up'),
    subscribersMax: z
      .number()
      .int()
      .min(SUBSCRIBERS_MIN)
      .max(1_000_000)
      .default(16_000)
      .describe('subscribers with unfinished texts; above it the SMSC must keep them (0x64)'),
    octetsMax: z
      .number()
      .int()
      .min(1_024)
      .max(1_048_576)
      .default(8_192)
      .describe('octets of the unfinished texts of one subscriber: one of 40 parts; above it the oldest is given up'),
    totalOctetsMax: z
      .number()
      .int()
      .min(1_048_576)
      .max(17_179_869_184)
      .default(67_108_864)
      .describe(
        'octets of all unfinished texts; no more subscribers have some than it holds at octetsMax each, whatever subscribersMax says',
      ),
  })
  .refine(({ octetsMax, totalOctetsMax }) => totalOctetsMax >= octetsMax * SUBSCRIBERS_MIN, {
    error: `totalOctetsMax must be ${SUBSCRIBERS_MIN} times octetsMax at least`,
  })

/** Who asked for an SMS. */
export const smsOwner = z
  .string()
  .regex(
    /^(token|backend|flow|module):[\w.@-]{1,64}$/,
    'an owner such as token:clinic, backend:dental or module:dental',
  )

const services = z
  .record(
    settingName,
    z.strictObject({
      numbers: z
        .array(z.string().regex(/^\d{2,15}$/, 'digits, such as "4040"'))
        .max(100)
        .default([])
        .describe('its short codes or long numbers, as the SMSC writes them in destination_addr'),
      source: z.string().min(1).max(20).optional().describe('the source address of its SMS; absent: that of the line'),
      sourceTon: z.number().int().min(0).max(255).optional().describe('TON of source: by default as for a line'),
      sourceNpi: z.number().int().min(0).max(255).optional().describe('NPI of source: by default as for a line'),
      tlvs: vendorTlvs.default({}).describe('parameters of its SMS, beside and before those of the line'),
      owners: z
        .array(smsOwner)
        .min(1)
        .max(1_000)
        .describe('whose SMS are its own: token:NAME, backend:NAME, flow:NAME, module:NAME'),
    }),
  )
  .refine((all) => isOnce(Object.values(all).flatMap(({ numbers }) => numbers)), 'a number belongs to one service')
  .refine((all) => isOnce(Object.values(all).flatMap(({ owners }) => owners)), 'an owner belongs to one service')
  .default({})

const isOnce = (all: readonly string[]) => new Set(all).size === all.length

const words = z
  .record(
    z.string().regex(/^\p{L}[\p{L}\p{N}-]{1,19}$/u, 'a word of 2 to 20 letters and digits, a letter first'),
    z.strictObject({
      flow: settingName.describe('the flow that it starts; it ends without a question and changes nothing'),
      numbers: z
        .array(z.string().regex(/^\d{2,15}$/, 'digits, such as "4040"'))
        .max(100)
        .default([])
        .describe('only in SMS to these numbers; empty: to any'),
      answer: z
        .enum(['sms', 'screen'])
        .default('sms')
        .describe('screen: the answer is shown by a USSD push where the network can, else it is an SMS'),
    }),
  )
  .refine((all) => Object.keys(all).length <= 200, 'at most 200 words')
  .default({})

/** Texts by language. The first one also serves all other languages. */
export const incomingSchema = z.strictObject({
  keywords: z
    .strictObject({
      stop: wordList('STOP', 'PINIS').describe(
        'words that stop SMS: of the service whose number it is (services), else all; in capital or small letters; other words may follow',
      ),
      start: wordList('START').describe('SMS again'),
      help: wordList('HELP', 'HELPIM').describe('words that texts.help answers, if there is one'),
      all: wordList('ALL', 'OLGETA').describe('after a word of stop or start: of all services, whatever the number'),
    })
    .prefault({}),
  texts: z
    .strictObject({
      stopped: wording({
        en: 'You will get no more SMS from us. To get them again, write START.',
        tpi: 'Bai yu no inap kisim SMS moa. Sapos yu laikim gen, raitim START.',
      }).describe('the one SMS after STOP'),
      stoppedOne: wording({
        en: 'You will get no more reminders and offers of this service. To stop those of all, write STOP ALL. To get them again, write START.',
        tpi: 'Bai yu no inap kisim ol SMS bilong dispela sevis moa. Long pinisim olgeta, raitim PINIS OLGETA. Long kisim gen, raitim START.',
      }).describe('the same, to the number of one service'),
      started: wording({
        en: 'You will get SMS from us again. To stop them, write STOP.',
        tpi: 'Bai yu kisim SMS gen. Sapos yu no laikim, raitim PINIS.',
      }),
      help: wording({}).describe('the answer to an unknown word; empty: no answer'),
    })
    .prefault({}),
  services: services.describe(
    'services with numbers or a sender of their own: STOP to one of the numbers stops that service alone',
  ),
  words: words.describe('words that start a flow, such as BALANCE; in capital or small letters, alone'),
  wordsPerHour: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(20)
    .describe('answers of such flows to one subscriber within an hour; above it, words are acknowledged and dropped'),
  copyMs: ms(0, 86_400_000)
    .default(300_000)
    .describe('the same text again within this time, with nothing between, counts as a copy that the SMSC sent twice'),
  answerEveryMs: ms(60_000, 2_592_000_000)
    .default(3_600_000)
    .describe(
      'STOP and START take effect each time, but get one answer within this time, and HELP one: each answer costs an SMS',
    ),
  replyMs: ms(0, 2_592_000_000)
    .default(172_800_000)
    .describe('an answer belongs to the last reminder within this time'),
  long: long.prefault({}).describe('long SMS from subscribers, until all parts have arrived'),
  helpEveryMs: ms(60_000, 2_592_000_000)
    .default(86_400_000)
    .describe('unasked help at most once within this time: two machines must not answer each other for ever'),
})

export type SmsInSettings = z.infer<typeof incomingSchema>

/** How many subscribers may have unfinished texts, so that all of them together keep within their octets. */
export function unfinishedSubscribersMax({ subscribersMax, octetsMax, totalOctetsMax }: SmsInSettings['long']): number {
  return Math.min(subscribersMax, Math.floor(totalOctetsMax / octetsMax))
}

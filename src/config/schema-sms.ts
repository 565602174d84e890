/** The settings of SMS: of a line, and of what subscribers write. */
import { z } from 'zod'
import { STATUS_CLASSES } from '../sms/outbox/index.ts'
import { LANGUAGES } from '../ussd/index.ts'

const ms = (least: number, most: number) => z.number().int().min(least).max(most)

const smsLanguage = z.enum(Object.keys(LANGUAGES) as (keyof typeof LANGUAGES)[])
const statusNumber = z.string().regex(/^(0x[0-9a-fA-F]{1,8}|[1-9]\d{0,9})$/, 'a command_status such as "0x58"')

export const msisdnPrefix = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'how an international number begins, digits only: "675"')

export const smsSchema = z.strictObject({
  source: z.string().min(1).max(20).describe('source address of SMS on this line'),
  sourceTon: z
    .number()
    .int()
    .min(0)
    .max(255)
    .optional()
    .describe('TON of source: by default 5 for letters, 3 for up to 6 digits, else 1'),
  sourceNpi: z
    .number()
    .int()
    .min(0)
    .max(255)
    .optional()
    .describe('NPI of source: by default 1 for digits, 0 for letters'),
  serviceType: z
    .string()
    .max(5)
    .default('')
    .describe('service_type of SMS, where the operator names one, e.g. CMT (SMPP v3.4 §5.2.11)'),
  destTon: z.number().int().min(0).max(255).default(1).describe("TON of subscribers' numbers in SMS; 1: international"),
  destNpi: z.number().int().min(0).max(255).default(1).describe('their NPI; 1: ISDN'),
  perSecond: z
    .number()
    .min(0.1)
    .max(10_000)
    .default(50)
    .describe('SMS a second on this line at most: below what operators commonly allow one account'),
  receipts: z.boolean().default(true).describe('ask for delivery receipts (registered_delivery 1)'),
  unmarkedReceipts: z
    .boolean()
    .default(false)
    .describe(
      'true: receipts come here without their bits in esm_class; ' +
        'what looks like one is one, and no SMS of the subscriber',
    ),
  long: z
    .enum(['udh8', 'udh16', 'sar', 'payload'])
    .default('udh16')
    .describe('how SMS of several parts travel; udh16 keeps references apart longest'),
  alphabet: z
    .enum(['gsm7', 'latin1', 'ascii'])
    .default('gsm7')
    .describe(
      'what plain text is written in: some SMSCs take Latin-1 or ASCII, and show other signs for @ $ _ { otherwise',
    ),
  dataCoding: z
    .number()
    .int()
    .min(0)
    .max(255)
    .default(0)
    .describe("data_coding of plain text; 0: the SMSC's default alphabet"),
  ucs2: z
    .boolean()
    .default(true)
    .describe('false: what GSM 7-bit lacks is transliterated, or becomes "?", instead of being sent as UCS-2'),
  transliterate: z
    .boolean()
    .default(true)
    .describe(
      'typographic signs and marks that GSM 7-bit lacks are given up where that saves UCS-2; false: every letter stays',
    ),
  languages: z
    .array(smsLanguage)
    .max(13)
    .default([])
    .describe('national shift tables that handsets here are known to show: more letters an SMS than UCS-2'),
  validityMs: ms(60_000, 2_678_400_000)
    .optional()
    .describe('the SMSC tries no longer than this; else until it is of no use'),
  validity: z
    .enum(['relative', 'absolute', 'none'])
    .default('relative')
    .describe(
      'how validity_period is written (SMPP v3.4 §7.1.1); absolute: in UTC; none: for an SMSC that refuses it (0x62)',
    ),
  priority: z.number().int().min(0).max(3).default(0).describe('priority_flag (SMPP v3.4 §5.2.14)'),
  receiptOffsetMinutes: z
    .number()
    .int()
    .min(-720)
    .max(840)
    .default(0)
    .describe('minutes east of UTC of the clock that the SMSC writes into receipts'),
  statuses: z
    .record(statusNumber, z.enum(STATUS_CLASSES))
    .default({})
    .describe('what a refusal means where the SMSC has its own way, e.g. { "0x45": fail }'),
  recipients: z
    .array(msisdnPrefix)
    .max(10_000)
    .default([])
    .describe('whom flows may send SMS to, by how international numbers begin; empty: only whoever dialled'),
  queryMs: ms(60_000, 259_200_000)
    .optional()
    .describe(
      'no receipt this long after the SMSC took an SMS: it is asked (query_sm); absent: never, for many refuse the operation',
    ),
  queryShare: z
    .number()
    .min(0.01)
    .max(0.5)
    .default(0.1)
    .describe('of perSecond that such questions may take; USSD goes before them in any case'),
  manage: z
    .boolean()
    .default(false)

    .describe(
      'true: an SMS that the SMSC still has is cancelled (cancel_sm) when its appointment is, and may be replaced (replace_sm)',
    ),
})

const words = (...all: string[]) => z.array(z.string().min(1).max(20)).max(20).default(all)
const wording = (texts: Record<string, string>) =>
  z.record(z.string().regex(/^[a-z]{2,3}$/), z.string().min(1).max(640)).default(texts)

const long = z.strictObject({
  keepMs: ms(60_000, 604_800_000)
    .default(86_400_000)
    .describe('a text whose parts are not all here by then is given up: SMSCs try no longer than a day as a rule'),
  partsMax: z
    .number()
    .int()
    .min(2)
    .max(255)
    .default(40)
    .describe('of one text; a text that claims more is not collected'),
  textsMax: z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(8)
    .describe('unfinished ones of a subscriber; the oldest is given up'),
  subscribersMax: z
    .number()
    .int()
    .min(64)
    .max(1_000_000)
    .default(16_000)
    .describe('with unfinished ones, a kilobyte each; over it the SMSC has to keep them (0x64)'),
})

/** What subscribers write by SMS, and what they read then. Texts by language; the first stands for all others. */
export const incomingSchema = z.strictObject({
  keywords: z
    .strictObject({
      stop: words('STOP', 'PINIS').describe('no SMS any more, in any case of letters; also before other words'),
      start: words('START').describe('SMS again'),
      help: words('HELP', 'HELPIM').describe('answered with texts.help, if there is one'),
    })
    .prefault({}),
  texts: z
    .strictObject({
      stopped: wording({
        en: 'You will get no more SMS from us. To get them again, write START.',
        tpi: 'Bai yu no inap kisim SMS moa. Sapos yu laikim gen, raitim START.',
      }).describe('the one SMS after STOP'),
      started: wording({
        en: 'You will get SMS from us again. To stop them, write STOP.',
        tpi: 'Bai yu kisim SMS gen. Sapos yu no laikim, raitim PINIS.',
      }),
      help: wording({}).describe('to words that nobody here understands; empty: nothing is sent'),
    })
    .prefault({}),
  copyMs: ms(0, 86_400_000)
    .default(300_000)
    .describe("the same text again this soon, with nothing between, is a copy of the SMSC's"),
  replyMs: ms(0, 2_592_000_000).default(172_800_000).describe('an answer belongs to the last reminder of this long'),
  long: long.prefault({}).describe('long SMS of subscribers, until all of their parts are here'),
  helpEveryMs: ms(60_000, 2_592_000_000)
    .default(86_400_000)
    .describe('help unasked no more often: two machines must not talk to each other for ever'),
})

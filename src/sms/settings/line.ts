/** `lines[].sms`: how SMS are written on one line. */
import { z } from 'zod'
import { ms, msisdnPrefix } from '../../base/settings/index.ts'
import { LANGUAGES } from '../../ussd/index.ts'
import { STATUS_CLASSES } from '../outbox/index.ts'

const smsLanguage = z.enum(Object.keys(LANGUAGES) as (keyof typeof LANGUAGES)[])
const statusNumber = z.string().regex(/^(0x[0-9a-fA-F]{1,8}|[1-9]\d{0,9})$/, 'a command_status such as "0x58"')

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

export type SmsSettings = z.infer<typeof smsSchema>

/** What SMS need of the settings of a line; absent `sms`: none on it. */
export interface SmsLine {
  name: string
  sms?: SmsSettings | undefined
  timers: { responseMs: number }
}

/** `lines[].sms`: how SMS are written on one line. */
import { z } from 'zod'
import { ms, msisdnPrefix } from '../../base/settings/index.ts'
import { LANGUAGES } from '../../ussd/index.ts'
import { STATUS_CLASSES } from '../terms/index.ts'
import { templatesSchema, vendorTlvs } from './vendor.ts'

const smsLanguage = z.enum(Object.keys(LANGUAGES) as (keyof typeof LANGUAGES)[])
const statusNumber = z.string().regex(/^(0x[0-9a-fA-F]{1,8}|[1-9]\d{0,9})$/, 'a command_status such as "0x58"')

/** Below what operators usually allow one account. */
const PER_SECOND = 50

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
    .describe('service_type of SMS, if the operator names one, e.g. CMT (SMPP v3.4 §5.2.11)'),
  destTon: z.number().int().min(0).max(255).default(1).describe('TON of the MSISDN in SMS; 1: international'),
  destNpi: z.number().int().min(0).max(255).default(1).describe('NPI of the MSISDN in SMS; 1: ISDN'),
  perSecond: z
    .number()
    .min(0.1)
    .max(10_000)
    .default(PER_SECOND)
    .describe(
      'SMS a second on this line and from this daemon at most; the default is below what operators usually allow one ' +
        'account. What the whole line may send, over all daemons, is submits.perSecond',
    ),
  receipts: z.boolean().default(true).describe('ask for delivery receipts (registered_delivery 1)'),
  unmarkedReceipts: z
    .boolean()
    .default(false)
    .describe(
      'true: the SMSC sends receipts without the receipt bits in esm_class; ' +
        'a message that looks like a receipt then counts as one',
    ),
  long: z
    .enum(['udh8', 'udh16', 'sar', 'payload'])
    .default('udh16')
    .describe('how SMS of several parts travel; with udh16, reference numbers repeat latest'),
  alphabet: z
    .enum(['gsm7', 'latin1', 'ascii'])
    .default('gsm7')
    .describe(
      'the alphabet of plain text: some SMSCs want Latin-1 or ASCII, and with GSM 7-bit show wrong signs for @ $ _ {',
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
    .describe('false: characters that GSM 7-bit lacks are transliterated or become "?"; the SMS never goes as UCS-2'),
  transliterate: z
    .boolean()
    .default(true)
    .describe(
      'true: replaces typographic signs and accents that GSM 7-bit lacks, if that avoids UCS-2; false: keeps every letter',
    ),
  languages: z
    .array(smsLanguage)
    .max(13)
    .default([])
    .describe('national shift tables that handsets here can show: they hold more letters in one SMS than UCS-2'),
  validityMs: ms(60_000, 2_678_400_000)
    .optional()
    .describe('how long the SMSC may try to deliver; absent: until the SMS is of no use'),
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
    .describe('time zone of the times in receipts, as minutes east of UTC'),
  statuses: z
    .record(statusNumber, z.enum(STATUS_CLASSES))
    .default({})
    .describe('what a command_status means, where this SMSC has its own meaning, e.g. { "0x45": fail }'),
  recipients: z
    .array(msisdnPrefix)
    .max(10_000)
    .default([])
    .describe('the numbers to which flows may send SMS, by their first digits; empty: only the subscriber who dialled'),
  queryMs: ms(60_000, 259_200_000)
    .optional()
    .describe(
      'without a receipt this long after the SMSC accepted an SMS, ask the SMSC (query_sm); absent: never, as many refuse it',
    ),
  queryShare: z
    .number()
    .min(0.01)
    .max(0.5)
    .default(0.1)
    .describe('how many of perSecond these questions may use; USSD always goes first'),
  tlvs: vendorTlvs
    .default({})
    .describe(
      'parameters of the operator or the regulator in every SMS, by tag: { "0x1400": "1101234567890" } is a text, ' +
        '{ hex: … } octets, { cstring: … } a text with a NUL',
    ),
  templates: templatesSchema.optional().describe('regulated SMS: only registered texts; absent: any text'),
  manage: z
    .boolean()
    .default(false)

    .describe(
      'true: an SMS that waits at the SMSC is cancelled (cancel_sm) with its appointment, and may be replaced (replace_sm)',
    ),
})

export type SmsSettings = z.infer<typeof smsSchema>

/** What SMS need of the settings of a line. Without `sms` the line has no SMS. */
export interface SmsLine {
  name: string
  sms?: SmsSettings | undefined
  timers: { responseMs: number }
  submits?: { perSecond?: number | undefined } | undefined
}

/** Settings of a line that do nothing, and why. */
export function inertSettings(line: SmsLine): { line: string; setting: string; why: string }[] {
  const inert = [inertLanguages(line), inertRate(line)]
  return inert.flatMap((one) => (one ? [{ line: line.name, ...one }] : []))
}

/** A shift table is named in a header, which some forms of SMS lack. */
function inertLanguages({ sms }: SmsLine): { setting: string; why: string } | undefined {
  if (!sms || sms.languages.length === 0) return undefined
  const hasHeader = sms.long === 'udh8' || sms.long === 'udh16'
  if (hasHeader && sms.alphabet === 'gsm7') return undefined
  const because = hasHeader ? `alphabet: ${sms.alphabet}` : `long: ${sms.long}`
  const remedy = hasHeader ? 'set alphabet: gsm7' : 'set long: udh16'
  const why = `with ${because} no SMS can name a shift table: ${remedy}, or remove languages`
  return { setting: 'sms.languages', why }
}

/** Nobody has to lower the default. */
function inertRate({ sms, submits }: SmsLine): { setting: string; why: string } | undefined {
  const most = submits?.perSecond ?? Infinity
  if (!sms || sms.perSecond <= most || sms.perSecond === PER_SECOND) return undefined
  const why = `${sms.perSecond} is more than submits.perSecond (${most}), the cap of the whole line: lower it, or remove it`
  return { setting: 'sms.perSecond', why }
}

/** `sms` and `cancel`: calls of the daemon's own, which put SMS into the outbox and take them back. */
import { z } from 'zod'
import type { Scalar } from '../expression/index.ts'
import { name as screenName, scalar, text, type Path, type Text } from '../terms/index.ts'
import type { CallScreen } from './call.ts'
import { routeSchema, to } from '../plan/index.ts'
import type { Expanded, ScreenType } from './screen-type.ts'
import { rows } from './text-rows.ts'

/** The most SMS of one screen: each costs. */
const TOGETHER_MAX = 5

const moment = scalar.describe('A moment in ISO 8601, such as `{data.visit.starts}`.')
const duration = scalar.describe('A duration: `90m`, `24h`, `2d`.')
const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'HH:MM, such as "08:00"')
const recipient = z
  .string()
  .min(1)
  .optional()
  .describe('Who gets it, such as `{answers.number}`. Default: the subscriber who dialled.')

/** OneSms SMS, as a screen or a key of a screen asks for it. */
export const oneSms = z
  .strictObject({
    text: text.describe('The text, in the language of the dialogue.'),
    key: scalar
      .optional()
      .describe('The name of the SMS in this flow, such as `visit-{data.visit.id}`: the same again replaces it.'),
    at: moment.optional().describe('When it goes out. A moment without an offset is in `reminders.zone`.'),
    in: duration.optional().describe('So long from now: `90m`, `24h`, `2d`.'),
    before: z.strictObject({ of: moment, by: duration }).optional().describe('So long before an event: `{ of, by }`.'),
    window: z
      .strictObject({ from: clockTime, to: clockTime })
      .optional()
      .describe('The hours of the day in which it may go out. Default: not in `reminders.quietHours`.'),
    class: z
      .enum(['otp', 'transactional', 'reminder', 'campaign'])
      .optional()
      .describe(
        '`otp` and `transactional` go out at any hour. Default: `reminder` with a moment, else `transactional`.',
      ),
    recipient,
    template: scalar.optional().describe('The id of the registered template of the text, where SMS are regulated.'),
  })
  .meta({ title: '`{ text, key, at … }`' })

const failed = routeSchema
  .optional()
  .describe('Where it leads if the SMS is not accepted. Default: the built-in `busy` ends the dialogue.')

const schema = z
  .strictObject({
    sms: z
      .union([text, oneSms, z.array(oneSms).min(1).max(TOGETHER_MAX)])
      .meta({ title: 'text, `{ text, key, at … }`, or a list of these' })
      .describe('The text of the SMS, in the language of the dialogue; or up to five SMS, with moments and keys.'),
    rows,
    recipient,
    parts: z
      .int()
      .min(1)
      .max(10)
      .optional()
      .describe('How many SMS the text may take; `check` warns of more. Default: 1.'),
    to,
    failed,
  })
  .describe('Shows nothing; sends an SMS, now or later.')

/** The daemon's own back end that accepts SMS. A back end of the settings cannot have this name. */
export const SMS = '_sms'
/** Among the names of back ends: the daemon can send SMS for who leaves a dialogue. */
export const SMS_LEFT = '_sms-left'
export const SMS_SEND = `${SMS}.send`
export const SMS_CANCEL = `${SMS}.cancel`

type Sms = z.infer<typeof schema>
export type OneSms = z.infer<typeof oneSms>

export const smsScreen: ScreenType & { schema: typeof schema } = {
  name: 'sms',
  schema,
  expand: (name, screen) => smsCalls(name, schema.parse(screen)),
}

/** It counts as a call that changes something: a subscriber who presses the same key twice gets one SMS. */
function smsCalls(
  made: string,
  { sms, rows: lines, recipient: all, parts, to: last, failed: no }: Sms,
): Record<string, Expanded> {
  const list: OneSms[] = Array.isArray(sms) ? sms : [isOne(sms) ? sms : { text: sms }]
  const nameOf = (i: number) => (i === 0 ? made : `${made}_${i + 1}`)
  // If no text shows the rows, the check of the first says so.
  const showing = Math.max(
    0,
    list.findIndex(({ text: said }) => showsRows(said)),
  )
  return Object.fromEntries(
    list.map((each, i): [string, Expanded] => {
      const values = valuesOfSms(each, all)
      const screen: CallScreen = {
        kind: 'call',
        call: SMS_SEND,
        sms: each.text,
        once: true,
        to: i + 1 < list.length ? nameOf(i + 1) : last,
        ...(Object.keys(values).length === 0 ? {} : { with: values }),
        ...(lines && (i === showing || showsRows(each.text)) ? { rows: lines } : {}),
        ...(parts === undefined ? {} : { parts }),
        ...(no === undefined ? {} : { failed: no }),
      }
      return [nameOf(i), { screen, place: (path) => placeOf(path, sms, i) }]
    }),
  )
}

function showsRows(said: Text): boolean {
  return Object.values(typeof said === 'string' ? [said] : said).some((words) => words.includes('{rows}'))
}

function isOne(sms: Text | OneSms): sms is OneSms {
  return typeof sms === 'object' && 'text' in sms
}

/** The arguments of the call, in the words of a request for an SMS (src/sms/requests/requests.ts). */
export function valuesOfSms(
  { recipient: own, text: _text, before, window, ...rest }: OneSms,
  all: string | undefined,
): Record<string, Scalar> {
  const number = own ?? all
  const given = Object.entries(rest).filter(([, value]) => value !== undefined)
  return {
    ...(number === undefined ? {} : { to: number }),
    ...(Object.fromEntries(given) as Record<string, Scalar>),
    ...(before ? { 'before-of': before.of, 'before-by': before.by } : {}),
    ...(window ? { 'window-from': window.from, 'window-to': window.to } : {}),
  }
}

/** Where a key of the call is in the file. */
function placeOf(path: Path, sms: Sms['sms'], i: number): Path {
  const [key, argument, ...rest] = path
  if (key !== 'sms' && key !== 'with') return path
  const at = Array.isArray(sms) ? ['sms', i] : ['sms']
  const isPlain = typeof sms === 'string' || (!Array.isArray(sms) && !isOne(sms))
  if (key === 'sms') return isPlain ? path : [...at, 'text', ...path.slice(1)]
  if (argument === undefined) return path
  if (isPlain) return ['recipient']
  const [of, part] = String(argument).split('-')
  return [...at, of === 'to' ? 'recipient' : of!, ...(part === undefined ? [] : [part]), ...rest]
}

const cancelSchema = z
  .strictObject({
    cancel: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1).max(TOGETHER_MAX)])
      .meta({ title: 'key or keys' })
      .describe('The keys of SMS that this flow has asked for, such as `visit-{data.visit.id}`.'),
    as: screenName
      .optional()
      .describe('Keeps what became of it as `data.<as>.is`: cancelled, recalled, too-late or none.'),
    to,
    failed,
  })
  .describe('Shows nothing; takes back SMS that have not gone out.')

export const cancelScreen: ScreenType & { schema: typeof cancelSchema } = {
  name: 'cancel',
  schema: cancelSchema,
  expand: (name, screen) => cancelCalls(name, cancelSchema.parse(screen)),
}

function cancelCalls(
  made: string,
  { cancel, as, to: last, failed: no }: z.infer<typeof cancelSchema>,
): Record<string, Expanded> {
  const keys = Array.isArray(cancel) ? cancel : [cancel]
  const nameOf = (i: number) => (i === 0 ? made : `${made}_${i + 1}`)
  return Object.fromEntries(
    keys.map((key, i): [string, Expanded] => {
      const screen: CallScreen = {
        kind: 'call',
        call: SMS_CANCEL,
        with: { key },
        once: true,
        to: i + 1 < keys.length ? nameOf(i + 1) : last,
        ...(as === undefined ? {} : { as, expect: { is: { is: 'text' as const, max: 9 } } }),
        ...(no === undefined ? {} : { failed: no }),
      }
      const at = Array.isArray(cancel) ? ['cancel', i] : ['cancel']
      return [nameOf(i), { screen, place: (path) => (path[0] === 'with' ? at : path) }]
    }),
  )
}

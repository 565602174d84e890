/** `reminders`: the SMS outbox, and how modules schedule their SMS. */
import { z } from 'zod'
import { ms, settingName } from '../../base/settings/index.ts'
import { AMBIGUOUS_GRACE_MS } from '../terms/index.ts'

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'HH:MM, e.g. "21:00"')
const duration = z.string().regex(/^\d{1,4}(m|h|d)$/, 'a number and m, h or d, e.g. 24h')

export const remindersSchema = z.strictObject({
  leads: z.array(duration).max(10).default(['24h', '2h']).describe('how long before the appointment'),
  quietHours: z
    .strictObject({ from: clockTime, to: clockTime })
    .nullable()
    .default({ from: '21:00', to: '07:00' })
    .describe('no reminders in these hours: they go earlier; null: no quiet hours'),
  zone: z
    .string()
    .default('Pacific/Port_Moresby')
    .refine(isZone, 'must be an IANA time zone such as Pacific/Port_Moresby')
    .describe('the zone, unless the clinic has its own'),
  confirmation: z.boolean().default(true).describe('true: an SMS at once for each booking'),
  channel: z
    .enum(['sms', 'push-then-sms'])
    .default('sms')
    .describe('push-then-sms: a USSD push where the network allows it, else an SMS'),
  pushFlow: settingName.default('reminder').describe('the flow whose screen the push shows'),
  pushMs: ms(1_000, 60_000).default(8_000).describe('a push not shown by then goes as an SMS'),
  pollMs: ms(50, 60_000).default(1_000).describe('how often to look into the SMS outbox'),
  leaseMs: ms(1_000, 600_000)
    .default(30_000)
    .describe('how long one daemon owns an SMS while it submits it: longer than timers.responseMs of every line'),
  ambiguousGraceMs: ms(0, 600_000)
    .default(AMBIGUOUS_GRACE_MS)
    .describe('how long to wait for the receipt of an SMS that got no response'),
})

export type Reminders = z.infer<typeof remindersSchema>

function isZone(zone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }))
  } catch {
    return false
  }
}

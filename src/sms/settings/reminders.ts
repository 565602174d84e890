/** `reminders`: what the SMS outbox does, and what modules plan their SMS by. */
import { z } from 'zod'
import { ms, settingName } from '../../base/settings/index.ts'
import { AMBIGUOUS_GRACE_MS } from '../outbox/index.ts'

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'HH:MM, e.g. "21:00"')
const duration = z.string().regex(/^\d{1,4}(m|h|d)$/, 'a number and m, h or d, e.g. 24h')

export const remindersSchema = z.strictObject({
  leads: z.array(duration).max(10).default(['24h', '2h']).describe('how long before an appointment'),
  quietHours: z
    .strictObject({ from: clockTime, to: clockTime })
    .nullable()
    .default({ from: '21:00', to: '07:00' })
    .describe('no reminder in these: moved earlier; null: none'),
  zone: z
    .string()
    .default('Pacific/Port_Moresby')
    .refine(isZone, 'an IANA time zone')
    .describe("where it has no clinic's own"),
  confirmation: z.boolean().default(true).describe('an SMS at once for each booking'),
  channel: z
    .enum(['sms', 'push-then-sms'])
    .default('sms')
    .describe('push-then-sms: on the screen by USSD, where the network lets us begin; else by SMS'),
  pushFlow: settingName.default('reminder').describe('the flow that such a screen comes from'),
  pushMs: ms(1_000, 60_000).default(8_000).describe('not shown by then: by SMS'),
  pollMs: ms(50, 60_000).default(1_000).describe('how often the outbox is looked at'),
  leaseMs: ms(1_000, 600_000)
    .default(30_000)
    .describe('an SMS being submitted belongs to one daemon this long: longer than timers.responseMs of every line'),
  ambiguousGraceMs: ms(0, 600_000)
    .default(AMBIGUOUS_GRACE_MS)
    .describe('how long a receipt may settle an SMS whose response never came'),
})

export type Reminders = z.infer<typeof remindersSchema>

function isZone(zone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }))
  } catch {
    return false
  }
}

/** Settings of USSD that we begin, over the admin server. */
import { z } from 'zod'
import { smsTemplate } from '../sms/settings/index.ts'

export const pushSchema = z.strictObject({
  perSecond: z
    .number()
    .min(0.1)
    .max(1_000)
    .default(5)
    .describe(
      'pushes a second of one token and flow, 10 at once after a rest; above it 429: each rings a handset that did not ask',
    ),
  perDay: z
    .number()
    .int()
    .min(0)
    .max(10_000_000)
    .default(10_000)
    .describe(
      'pushes a day (of reminders.zone) of one token and flow, over all daemons; above it 429: what a token that leaked can do until somebody looks',
    ),
  freeText: z
    .boolean()
    .default(false)
    .describe('true: a push may have any text; false: only flows, and texts that fit one of templates'),
  templates: z
    .array(smsTemplate.shape.text)
    .max(1_000)
    .default([])
    .describe('texts that may be pushed, also as the SMS in place of a screen, with {#var#} for up to 30 characters'),
})

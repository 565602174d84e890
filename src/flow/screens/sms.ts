/** `sms`: a call of the daemon itself, which puts the SMS into the outbox. */
import { z } from 'zod'
import { text } from '../terms/index.ts'
import type { CallScreen } from './call.ts'
import { routeSchema, to } from './routes.ts'
import type { ScreenType } from './screen-type.ts'

const schema = z
  .strictObject({
    sms: text.describe('The text of the SMS, in the language of the dialogue.'),
    recipient: z
      .string()
      .min(1)
      .optional()
      .describe('Who gets it, such as `{answers.number}`. Default: the subscriber who dialled.'),
    parts: z
      .int()
      .min(1)
      .max(10)
      .optional()
      .describe('How many SMS the text may take; `check` warns of more. Default: 1.'),
    to,
    failed: routeSchema
      .optional()
      .describe('Where it leads if the SMS is not accepted. Default: the built-in `busy` ends the dialogue.'),
  })
  .describe('Shows nothing; sends an SMS.')

/** The back end of the daemon that takes SMS on. No back end of the settings can be called so. */
export const SMS = '_sms'
export const SMS_SEND = `${SMS}.send`

export const smsScreen: ScreenType & { schema: typeof schema } = {
  name: 'sms',
  schema,
  expand: (name, screen) => ({ [name]: { screen: smsCall(schema.parse(screen)) } }),
}

/** Whoever presses the same key twice gets it once: it counts as a call that changes something. */
function smsCall({ sms, recipient, parts, to: next, failed }: z.infer<typeof schema>): CallScreen {
  return {
    kind: 'call',
    call: SMS_SEND,
    sms,
    once: true,
    to: next,
    ...(recipient === undefined ? {} : { with: { to: recipient } }),
    ...(parts === undefined ? {} : { parts }),
    ...(failed === undefined ? {} : { failed }),
  }
}

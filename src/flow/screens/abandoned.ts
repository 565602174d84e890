/** `abandoned`: an SMS for who leaves a dialogue on a screen that asks. */
import { z } from 'zod'
import { text } from '../terms/index.ts'
import type { CallScreen } from './call.ts'
import { GOODBYE, type TellUses } from '../plan/index.ts'
import { type OneSms, oneSms, SMS_SEND, valuesOfSms } from './sms.ts'

const abandonedSchema = z.strictObject({
  sms: z
    .union([text, oneSms])
    .meta({ title: 'text or `{ text, key, at … }`' })
    .describe('The SMS that goes out then, as on a screen `sms`. Durations count from the end of the dialogue.'),
  parts: z
    .int()
    .min(1)
    .max(10)
    .optional()
    .describe('How many SMS the text may take; `check` warns of more. Default: 1.'),
})

/** The key of screens that ask. */
export const abandoned = abandonedSchema
  .optional()
  .meta({ title: '`{ sms, parts }`' })
  .describe(
    'The SMS for a subscriber who leaves here: no answer in time, hung up, or dialled again. It is sent once, whatever ' +
      'becomes of the daemon.',
  )

export type Abandoned = z.infer<typeof abandonedSchema>

interface MayBeAbandoned {
  abandoned?: Abandoned | undefined
}

function oneIn({ sms }: Abandoned): OneSms {
  return typeof sms === 'object' && 'text' in sms ? (sms as OneSms) : { text: sms }
}

/** The SMS as the call that a screen `sms` makes. Undefined: nobody gets one. */
export function abandonedCall(screen: object): CallScreen | undefined {
  const { abandoned: asked } = screen as MayBeAbandoned
  if (asked === undefined) return undefined
  const one = oneIn(asked)
  return {
    kind: 'call',
    call: SMS_SEND,
    sms: one.text,
    once: true,
    to: GOODBYE,
    with: valuesOfSms(one, undefined),
    ...(asked.parts === undefined ? {} : { parts: asked.parts }),
  }
}

export function usesOfAbandoned({ abandoned: asked }: MayBeAbandoned, tell: TellUses): void {
  if (asked === undefined) return
  const { text: words, before, window: _hours, class: _kind, ...values } = oneIn(asked)
  tell.text('sms', words, 'abandoned', 'sms', ...(words === asked.sms ? [] : ['text']))
  const given = Object.entries(values).filter((entry) => entry[1] !== undefined)
  tell.values(Object.fromEntries(given) as Record<string, string>, 'abandoned', 'sms')
  tell.values(before, 'abandoned', 'sms', 'before')
}

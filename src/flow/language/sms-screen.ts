/** `sms`: a call of the daemon itself, which puts the SMS into the outbox. */
import type { z } from 'zod'
import type { CallScreen } from './definition.ts'
import { SCREENS } from './schema.ts'
import type { ScreenType } from './screen-type.ts'

/** The back end of the daemon that takes SMS on. No back end of the settings can be called so. */
export const SMS = '_sms'
export const SMS_SEND = `${SMS}.send`

export const smsScreen: ScreenType = {
  name: 'sms',
  schema: SCREENS.sms,
  expand: (name, screen) => ({ [name]: { screen: smsCall(SCREENS.sms.parse(screen)) } }),
}

/** Whoever presses the same key twice gets it once: it counts as a call that changes something. */
function smsCall({ sms, recipient, parts, to, failed }: z.infer<(typeof SCREENS)['sms']>): CallScreen {
  return {
    kind: 'call',
    call: SMS_SEND,
    sms,
    once: true,
    to,
    ...(recipient === undefined ? {} : { with: { to: recipient } }),
    ...(parts === undefined ? {} : { parts }),
    ...(failed === undefined ? {} : { failed }),
  }
}

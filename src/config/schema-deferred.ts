/** Settings of deferred answers (src/deferred/deferred.ts). */
import { z } from 'zod'
import { ms } from '../base/settings/index.ts'

/** The patience for a back end or an application. */
export const patienceMs = ms(50, 60_000)
  .optional()
  .describe(
    'without an answer by then, the dialogue ends with a holding text and the answer comes later, by USSD push or SMS; ' +
      'below dialogue.turnMs; the call ends after late.waitMs more, whatever timeoutMs says; absent: never',
  )

export const deferredSchema = z.strictObject({
  waitMs: ms(100, 3_600_000)
    .default(60_000)
    .describe('how long to wait for the answer after its dialogue ended; then the call has failed'),
  busyMs: ms(0, 600_000)
    .default(60_000)
    .describe('how long to wait for a subscriber who is in another dialogue; then the answer goes by SMS'),
  pushMs: ms(500, 60_000).default(8_000).describe('an answer not shown by then goes by SMS'),
  leaseMs: ms(1_000, 600_000)
    .default(10_000)
    .describe('another daemon takes over the waits of a dead daemon after this'),
  waitingMax: z
    .number()
    .int()
    .min(0)
    .max(100_000)
    .default(1_000)
    .describe('answers that one daemon waits for; above that, a back end must answer within the turn'),
})

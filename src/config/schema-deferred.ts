/** Settings of answers that come after the network's patience (src/deferred/deferred.ts). */
import { z } from 'zod'
import { ms } from '../base/settings/index.ts'

/** Of a back end or an application. */
export const patienceMs = ms(50, 60_000)
  .optional()
  .describe(
    'not answered by then: the dialogue ends with a holding text and the answer comes later, by USSD push or SMS; ' +
      'below dialogue.turnMs; the call is given up after late.waitMs more, whatever timeoutMs says; absent: never',
  )

export const deferredSchema = z.strictObject({
  waitMs: ms(100, 3_600_000)
    .default(60_000)
    .describe('an answer is waited for this long after its dialogue was ended; then the call has failed'),
  busyMs: ms(0, 600_000)
    .default(60_000)
    .describe('a subscriber who is in a dialogue again is waited for this long; then an SMS says it'),
  pushMs: ms(500, 60_000).default(8_000).describe('not shown by then: by SMS'),
  leaseMs: ms(1_000, 600_000).default(10_000).describe('what a dead daemon waited for is taken over after this'),
  waitingMax: z
    .number()
    .int()
    .min(0)
    .max(100_000)
    .default(1_000)
    .describe('answers that one daemon waits for; above it a back end has no longer than the turn'),
})

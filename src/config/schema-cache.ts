/** Settings of the cache for reads from a back end over HTTP. */
import { z } from 'zod'

const read = z.strictObject({
  maxAgeSeconds: z
    .number()
    .int()
    .min(0)
    .max(3_600)
    .default(30)
    .describe(
      'an answer is used this long; Cache-Control may shorten it. A corrected price shows after this time at the latest',
    ),
  staleIfErrorSeconds: z
    .number()
    .int()
    .min(0)
    .max(86_400)
    .default(300)
    .describe('and this much longer while the back end is late, answers 5xx or counts as down: outages last minutes'),
  shared: z
    .boolean()
    .default(false)
    .describe('true: all subscribers get the same answer; the request then carries no msisdn and no epoch'),
})

export const cache = z
  .strictObject({
    reads: z
      .record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9-]*$/, 'the name of an operation'), read)
      .describe('operations that only read, by name; calls with `once` or a secret always go to the back end'),
    entries: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .default(5_000)
      .describe('answers kept at most: a few for each subscriber of a busy minute; the least used go first'),
    octets: z
      .number()
      .int()
      .min(65_536)
      .max(1_073_741_824)
      .default(16_777_216)
      .describe('octets of questions and answers kept at most: 64 of the largest that octetsMax allows'),
  })
  .optional()
  .describe('answers that this daemon keeps in memory; absent: it asks the back end each time')

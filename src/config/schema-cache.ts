/** Settings of reads that a back end over HTTP need not be asked for each time. */
import { z } from 'zod'

const read = z.strictObject({
  maxAgeSeconds: z
    .number()
    .int()
    .min(0)
    .max(3_600)
    .default(30)
    .describe(
      'an answer is good this long; Cache-Control may shorten it. Somebody who corrects a price sees it within this',
    ),
  staleIfErrorSeconds: z
    .number()
    .int()
    .min(0)
    .max(86_400)
    .default(300)
    .describe(
      'and this much longer where the back end is late, answers 5xx or is taken for down: outages last minutes',
    ),
  shared: z
    .boolean()
    .default(false)
    .describe('true: the answer does not depend on who asks; the request then carries neither msisdn nor epoch'),
})

export const cache = z
  .strictObject({
    reads: z
      .record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9-]*$/, 'the name of an operation'), read)
      .describe('operations that only read, by name; a call with `once` or a secret is never answered from here'),
    entries: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .default(5_000)
      .describe('answers kept at most: a few for each subscriber of a busy minute; the least used go'),
    octets: z
      .number()
      .int()
      .min(65_536)
      .max(1_073_741_824)
      .default(16_777_216)
      .describe('octets kept at most, questions and answers: 64 of the largest by octetsMax'),
  })
  .optional()
  .describe('answers that this daemon keeps in memory; absent: it asks each time')

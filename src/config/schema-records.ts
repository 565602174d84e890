/** Settings of call detail records (docs/RECORDS.md). */
import { z } from 'zod'

export const recordsSchema = z.strictObject({
  to: z
    .enum(['postgres', 'none'])
    .default('postgres')
    .describe('where call detail records go; none: no record of a dialogue, an SMS, or a dial turned away is kept'),
  days: z
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(90)
    .describe(
      'how long a call detail record is kept, by the UTC day on which its dialogue began: partners settle by the month and ' +
        'complaints come within weeks. What a law wants for longer goes into files of mediation',
    ),
  waitingMax: z
    .number()
    .int()
    .min(64)
    .max(10_000_000)
    .default(200_000)
    .describe(
      'records that wait beside the dialogues while Postgres does not answer: half an hour of a hundred dialogues a second, ' +
        'some 100 MB of Redis; above it the daemon that ended the dialogue has the only copy',
    ),
  receiptHours: z
    .number()
    .int()
    .min(1)
    .max(720)
    .default(24)
    .describe('an SMS that its SMSC took is recorded as accepted when no receipt came for so long'),
})

/** Settings of call detail records (docs/RECORDS.md), and of what is kept for support beside them (docs/SUPPORT.md). */
import { z } from 'zod'
import type { Problem } from '../base/index.ts'
import type { Settings } from './schema.ts'

const feed = z.strictObject({
  partner: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'lower-case letters, digits and -')
    .describe('the first word of the names of its files'),
  codes: z
    .array(z.string().min(1))
    .default([])
    .describe('service codes, as in `services`; absent: all, and then no other feed gets anything'),
  kinds: z
    .array(z.enum(['dialogue', 'deferred', 'sms', 'refused']))
    .min(1)
    .default(['dialogue'])
    .describe('sms: only in a feed without codes, because an SMS has none'),
  unit: z
    .enum(['session', '20s', '120s', 'step'])
    .default('session')
    .describe('what is billed: a session, each 20 or 120 seconds that began, each turn; of an SMS each part'),
  format: z.enum(['csv', 'ndjson']).default('csv'),
})

export const recordsSchema = z.strictObject({
  to: z
    .enum(['postgres', 'files', 'none'])
    .default('postgres')
    .describe(
      'where call detail records go; files: only into files for mediation (`records.files`), which each daemon writes by ' +
        'itself, and nothing can be looked up; none: no record of a dialogue, an SMS, or a dial turned away is kept',
    ),
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
  funnelDays: z
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(400)
    .describe(
      'how long the sums of `flow funnel` are kept, by hour and by day: a month can be compared with the same month a year ' +
        'ago, and no number is in them. Sums of five minutes stay for 14 days',
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
  files: z
    .strictObject({
      dir: z.string().describe('folder of the files; of several daemons one writes, so share it or collect from all'),
      everyMs: z
        .number()
        .int()
        .min(1_000)
        .max(86_400_000)
        .default(300_000)
        .describe('how often each partner gets a file, also an empty one: what is missing is noticed within minutes'),
      feeds: z
        .array(feed)
        .min(1)
        .max(64)
        .refine((all) => new Set(all.map(({ partner }) => partner)).size === all.length, {
          error: 'each partner has one feed',
        })
        .refine((all) => all.every(({ codes, kinds }) => codes.length === 0 || !kinds.includes('sms')), {
          error: 'a feed with codes has no kind sms: an SMS has no code',
        }),
    })
    .optional()
    .describe('files for mediation; absent: none'),
  receiptHours: z
    .number()
    .int()
    .min(1)
    .max(720)
    .default(24)
    .describe('an SMS that its SMSC took is recorded as accepted when no receipt came for so long'),
})

export const supportSchema = z.strictObject({
  transcriptDays: z
    .number()
    .int()
    .min(0)
    .max(366)
    .default(0)
    .describe(
      'days for which what a subscriber read and typed is kept word for word, sealed, without secrets (docs/SUPPORT.md, "Exact texts"); ' +
        'needs privacy.storeKeyFile. 0: none, because texts of screens are the most personal of all data',
    ),
})

export function recordProblems({ records }: Settings, where: (path: PropertyKey[]) => string): Problem[] {
  const { to, files } = records
  if (to === 'files' && !files)
    return [
      {
        where: where(['records', 'to']),
        what: 'records.to is files, and it is not said which files',
        remedy: 'set records.files.dir and records.files.feeds, or records.to: postgres',
      },
    ]
  if (to === 'none' && files)
    return [
      {
        where: where(['records', 'files']),
        what: 'files for mediation would be empty, because records.to has the value none',
        remedy: 'set records.to: postgres or files, or remove records.files',
      },
    ]
  return []
}

/** Why past dialogues cannot be looked up or counted. Undefined: they can. */
export function noRecordsHere({ records: { to } }: Pick<Settings, 'records'>): string | undefined {
  if (to === 'postgres') return undefined
  const where =
    to === 'files' ? 'past dialogues are in files for mediation only' : 'no record of past dialogues is kept'
  return `records.to is ${to}: ${where}. To look them up and count them here, they must be in Postgres: set records.to: postgres`
}

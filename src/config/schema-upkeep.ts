/** Settings for those who run the daemon: its admin door, its log, how long it remembers. */
import { z } from 'zod'

export const adminSchema = z.strictObject({
  host: z.string().default('127.0.0.1').describe('loopback: put a proxy before it to reach it from elsewhere'),
  port: z.number().int().min(0).max(65_535).default(8_123).describe('/live /ready /metrics'),
  tokensFile: z
    .string()
    .optional()
    .describe(
      'who may read or operate: lines role:sha256 (`ussd-connector token`); absent: /ready and /metrics for this machine only',
    ),
})

export const log = z.strictObject({
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  msisdnKeyFile: z
    .string()
    .optional()
    .describe('key of the hash that stands for a number in logs; default: one made once in the data folder'),
})

export const privacy = z.strictObject({
  storeKeyFile: z
    .string()
    .optional()
    .describe(
      'keys that dialogues are encrypted with in Redis or the journal (`ussd-connector store-key`); absent: they are not',
    ),
  plainUntil: z.iso
    .datetime({ offset: true, error: 'is a moment such as 2026-12-01T02:30:00Z' })
    .optional()
    .describe(
      'when keys are new, and over the upgrade that binds seals to dialogue and turn: up to this moment, at most a day away, what ' +
        'was stored without such a seal is still read, and counted; absent: it is refused',
    ),
})

export const retention = z.strictObject({
  smsDays: z
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(90)
    .describe('a settled SMS is kept this long: complaints come within weeks'),
  appointmentsMonths: z
    .number()
    .int()
    .min(1)
    .max(240)
    .default(24)
    .describe('months of 30 days after its day; profiles without any appointment go at that age too'),
  idleMonths: z
    .number()
    .int()
    .min(1)
    .max(240)
    .default(24)
    .describe('months of 30 days that a PIN or a chosen language is kept unused: numbers are given to others'),
  flowRevisionsDays: z
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(365)
    .describe('after another took its place: how far back a flow may be rolled'),
  flowRevisionsMax: z
    .number()
    .int()
    .min(2)
    .max(10_000)
    .default(100)
    .describe('of one flow, besides those that a dialogue is on: a script that edits every minute fills no disk'),
})

export const traceSchema = z.strictObject({
  pdus: z
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .default(2_000)
    .describe(
      'PDUs of each bind kept in memory for `ussd-connector trace`: 500 turns, so the last minutes of most lines; 0: none',
    ),
  octets: z
    .number()
    .int()
    .min(131_072)
    .max(268_435_456)
    .default(262_144)
    .describe('octets of each bind kept at most: 2,000 PDUs of ordinary size; the longest PDU fits'),
  dropDir: z
    .string()
    .optional()
    .describe('folder for what was recorded, masked, when a line drops in error; absent: nothing is written'),
  dropFiles: z.number().int().min(1).max(1_000).default(20).describe('captures kept there; the oldest goes'),
})

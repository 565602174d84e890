/** Settings for operators: the admin server, the log, and how long data is kept. */
import { z } from 'zod'
import { isLoopbackAddress, isNetwork } from '../base/index.ts'
import { ms } from '../base/settings/index.ts'

const network = z
  .string()
  .refine(isNetwork, 'must be an address or a network, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32')
const header = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,63}$/, 'the name of a header in lower case, such as x-forwarded-user')

const trustedProxy = z
  .strictObject({
    addresses: z.array(network).min(1).max(64).describe('where the proxy calls from; headers of others mean nothing'),
    secretFile: z
      .string()
      .optional()
      .describe(
        'file with a secret that the proxy sends as X-Proxy-Secret; needed on loopback, where every program of this machine could send its headers',
      ),
    userHeader: header.default('x-forwarded-user').describe('in which the proxy names the user'),
    groupsHeader: header.default('x-forwarded-groups').describe('in which it lists the groups of the user'),
    roles: z
      .record(
        z.string().min(1).max(200),
        z.array(z.enum(['read', 'support', 'operate', 'publish', 'push', 'trace'])).min(1),
      )
      .default({})
      .describe('the roles of each group; empty: the proxy signs nobody in, and only does TLS'),
    signOutUrl: z.string().max(500).optional().describe('where one signs out of the proxy; absent: not offered'),
  })
  .refine(
    ({ addresses, roles, secretFile }) =>
      secretFile !== undefined || Object.keys(roles).length === 0 || !addresses.some(isOnLoopback),
    'needs secretFile: on loopback every program of this machine can send the headers of the proxy',
  )

function isOnLoopback(written: string): boolean {
  return isLoopbackAddress(written.replace(/\/\d+$/, ''))
}

const desk = z.strictObject({
  idleMs: ms(60_000, 86_400_000)
    .default(1_800_000)
    .describe(
      'somebody who may change something is signed out after so long without a page; who may only read is not: that is a screen on a wall',
    ),
  longestMs: ms(60_000, 2_592_000_000).default(43_200_000).describe('then everybody else signs in again: a long shift'),
})

export const adminSchema = z.strictObject({
  host: z
    .string()
    .default('127.0.0.1')
    .describe('loopback by default: put a proxy in front to reach it from other machines'),
  port: z.number().int().min(0).max(65_535).default(8_123).describe('/live /ready /metrics'),
  tokensFile: z
    .string()
    .optional()
    .describe(
      'file of lines roles:sha256 that say who may what (`ussd-connector token`); absent: only this machine may read /metrics, and why /ready says no',
    ),
  desk: desk.prefault({}).describe('the desk: pages for operators, at /desk of this server'),
  trustedProxy: trustedProxy
    .optional()
    .describe('a proxy of ours in front of the desk: it does TLS, and may sign people in (single sign-on)'),
  smsPerSecond: z
    .number()
    .min(0.1)
    .max(10_000)
    .default(50)
    .describe(
      'SMS that one token may ask for a second, 500 at once after a rest; above it 429: a runaway script costs money',
    ),
})

export const log = z.strictObject({
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  msisdnKeyFile: z
    .string()
    .optional()
    .describe('file with the key of the hash that replaces an MSISDN in logs; default: made once in the data folder'),
})

export const privacy = z.strictObject({
  storeKeyFile: z
    .string()
    .optional()
    .describe(
      'file with the keys that encrypt dialogues in Redis or the journal (`ussd-connector store-key`); absent: not encrypted',
    ),
  plainUntil: z.iso
    .datetime({ offset: true, error: 'a moment such as 2026-12-01T02:30:00Z' })
    .optional()
    .describe(
      'for new keys, and for the upgrade that binds seals to dialogue and turn: until this moment, at most a day away, values ' +
        'stored without such a seal are still read, and counted; absent: they are refused',
    ),
})

export const retention = z.strictObject({
  smsDays: z
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(90)
    .describe('how long a finished SMS is kept: complaints come within weeks'),
  appointmentsMonths: z
    .number()
    .int()
    .min(1)
    .max(240)
    .default(24)
    .describe(
      'months of 30 days after the appointment; profiles without appointments go at that age too. Modules of your own are ' +
        'told it when they are asked to remove what is old',
    ),
  idleMonths: z
    .number()
    .int()
    .min(1)
    .max(240)
    .default(24)
    .describe('months of 30 days that an unused PIN or chosen language is kept: operators give numbers to new people'),
  lineEventsDays: z
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(90)
    .describe('of the history of lines (`lines --history`): an operator asks about an outage for a quarter of a year'),
  flowEventsDays: z
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(730)
    .describe(
      'of the history of flows (`flow history`): who changed a price is asked by an auditor after the year is closed',
    ),
  flowEventsMax: z
    .number()
    .int()
    .min(100)
    .max(1_000_000)
    .default(10_000)
    .describe('of one flow in that history: a script that edits a file every minute cannot fill the disk'),
  auditDays: z
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(730)
    .describe('of the audit (`audit`): an auditor asks about the year before; it has no number of a subscriber'),
  flowRevisionsDays: z
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(365)
    .describe('after a newer revision replaced it: how far back a flow can be rolled'),
  flowRevisionsMax: z
    .number()
    .int()
    .min(2)
    .max(10_000)
    .default(100)
    .describe('of one flow, besides those that dialogues use: a script that edits every minute cannot fill the disk'),
})

export const traceSchema = z.strictObject({
  pdus: z
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .default(2_000)
    .describe(
      'PDUs of each bind kept in memory for `ussd-connector trace`: 500 turns, the last minutes of most lines; 0: none',
    ),
  octets: z
    .number()
    .int()
    .min(131_072)
    .max(268_435_456)
    .default(262_144)
    .describe('octets kept of each bind at most: 2,000 PDUs of usual size; the longest PDU fits'),
  dropDir: z
    .string()
    .optional()
    .describe('folder for the masked trace of a line that drops in error; absent: none is written'),
  dropFiles: z.number().int().min(1).max(1_000).default(20).describe('captures kept there; above it the oldest goes'),
})

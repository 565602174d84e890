/** Settings of the HTTP ingress (`door`): where it listens, and which callers may do what. */
import { z } from 'zod'
import { isNetwork } from '../base/index.ts'
import { msisdnPrefix, secretSettings, settingName as name } from '../base/settings/index.ts'

const network = z
  .string()
  .refine(isNetwork, 'must be an address or a network, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32')

const caller = z.strictObject({
  name: name.describe('its name in the log, in audit lines and in `x-ussd-key`'),
  token: z
    .string()
    .register(secretSettings, { sure: true })
    .optional()
    .describe('its bearer token: at least 16 random characters; better use tokenFile'),
  tokenFile: z.string().optional().describe('file with its bearer token'),
  hmac: z
    .strictObject({ keyFile: z.string().describe('file with the shared key: at least 16 random characters') })
    .optional()
    .describe('it has to sign each request (docs/CONTRACTS.md); with a token both are needed'),
  services: z
    .array(z.string().min(1).max(182))
    .min(1)
    .max(1_000)
    .optional()
    .describe('codes of `services` that it may open; absent: all services of this door'),
  msisdn: z
    .array(msisdnPrefix)
    .max(1_000)
    .default([])
    .describe('whose dialogues it may hold, by the first digits of the MSISDN; empty: everybody'),
  addresses: z
    .array(network)
    .max(1_000)
    .default([])
    .describe('addresses and networks that it calls from; empty: any (behind a proxy, set door.proxies)'),
  perSecond: z
    .number()
    .min(0.1)
    .max(100_000)
    .optional()
    .describe('requests a second that it may keep up, and as many at once; above it, 429. Absent: no limit of its own'),
})

export const doorSchema = z.strictObject({
  name: name.default('door').describe('its name as a line: in records, metrics, logs, and in `lines` of a service'),
  host: z
    .string()
    .default('127.0.0.1')
    .describe('loopback by default: put a proxy with TLS in front to reach it from other machines'),
  port: z.number().int().min(0).max(65_535).default(8_384),
  path: z
    .string()
    .regex(/^\/[\w./-]{0,100}$/, 'a path such as /ussd')
    .default('/ussd'),
  contract: z
    .enum(['africastalking', 'arkesel', 'nalo', 'hubtel'])
    .default('africastalking')
    .describe('the HTTP contract of its callers'),
  tokenFile: z
    .string()
    .optional()
    .describe(
      'file with the bearer token of callers; absent, and without tokens: programs of this machine, or everybody if the address is not loopback',
    ),
  tokens: z
    .array(caller)
    .max(64)
    .default([])
    .describe('several callers, each with a token or key of its own, and with what it may do'),
  proxies: z
    .array(network)
    .max(64)
    .default([])
    .describe('proxies of ours in front of it: their X-Forwarded-For says who calls'),
})

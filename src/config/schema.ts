/**
 * The settings: one schema. Every key has its unit in its name, a default, and a reason (`describe`), which
 * `ussd-connector config --explain` prints. Unknown keys are errors.
 */
import { z } from 'zod'
import { BIND_TIMES } from '../../machines/bind-times.ts'
import { ms, msisdnPrefix, settingName as name } from '../base/settings/index.ts'
import { httpUrl } from './http-url.ts'
import { adminSchema, log, privacy, retention, traceSchema } from './schema-upkeep.ts'
import { cache } from './schema-cache.ts'
import { deferredSchema, patienceMs } from './schema-deferred.ts'
import { postgres, redis, tls } from './schema-stores.ts'
import { LINE_LIMITS } from '../smpp/session/index.ts'
import { incomingSchema, remindersSchema, smsSchema } from '../sms/settings/index.ts'

const host = z
  .string()
  .max(253)
  .regex(/^[^\s/]+$/, 'a host name or address alone, without smpp:// or a path')
const port = z.number().int().min(1).max(65_535)

const smsc = z.strictObject({
  host: host.describe("the SMSC's host name or address; looked up anew at each attempt"),
  port: port.default(2775).describe('2775 is the registered SMPP port'),
  more: z
    .array(z.strictObject({ host, port: port.default(2775) }))
    .max(8)
    .default([])
    .describe('further hosts, tried in this order after the first'),
  systemId: z.string().min(1).max(15).describe('at most 15 characters (SMPP v3.4 §5.2.1)'),
  password: z.string().max(8).optional().describe('at most 8 characters (SMPP v3.4 §5.2.2); better passwordFile'),
  passwordFile: z.string().optional().describe('file that holds the password; its last line feed is dropped'),
  systemType: z.string().max(12).default('').describe('as the operator says; mostly empty'),
  addressRange: z.string().max(40).default('').describe('as the operator says; mostly empty'),
  addrTon: z.number().int().min(0).max(255).default(0).describe('TON of addressRange'),
  addrNpi: z.number().int().min(0).max(255).default(0).describe('NPI of addressRange'),
  tls: tls.optional().describe('speak TLS 1.2 or later; without it the password crosses the network in clear'),
})

const msisdn = z.strictObject({
  countryCode: z
    .string()
    .regex(/^[1-9]\d{0,2}$/)
    .optional()
    .describe(
      'with it, national forms (0…, TON 2) become international; 675 for Papua New Guinea. A number that may carry it ' +
        'already is refused (0x0A) unless nationalDigits tells',
    ),
  trunkPrefix: z
    .string()
    .regex(/^\d{0,3}$/)
    .default('0')
    .describe('dialled before a national number'),
  nationalDigits: z
    .array(z.number().int().min(4).max(14))
    .max(8)
    .optional()
    .describe(
      'all lengths that national numbers have, e.g. [7, 8]: tells 70000001 from an international number, and one that ' +
        'only begins as the country code does from one that carries it',
    ),
  allow: z
    .array(msisdnPrefix)
    .max(10_000)
    .default([])
    .describe('who may dial, by how international numbers begin; empty: everybody'),
  deny: z
    .array(msisdnPrefix)
    .max(10_000)
    .default([])
    .describe('who may not, also where allow has them: gets texts.unknownCode'),
})

const timers = z.strictObject({
  connectMs: ms(100, 60_000)
    .default(BIND_TIMES.connectMs)
    .describe('TCP and TLS must be up by then; an operating system waits minutes'),
  bindMs: ms(100, 60_000).default(BIND_TIMES.bindMs).describe('bind_resp must be here by then'),
  enquireMs: ms(100, 600_000)
    .default(BIND_TIMES.enquireMs)
    .describe('enquire_link after this much silence from the SMSC'),
  enquireRespMs: ms(100, 60_000)
    .default(BIND_TIMES.enquireRespMs)
    .describe('its response must be here by then; two misses close the link'),
  responseMs: ms(100, 600_000).default(10_000).describe('a submit_sm_resp for SMS must be here by then'),
  reconnectMs: ms(10, 60_000)
    .default(BIND_TIMES.reconnectMs)
    .describe('first pause before binding again; doubles, with jitter'),
  reconnectMaxMs: ms(10, 600_000).default(BIND_TIMES.reconnectMaxMs).describe('longest pause before binding again'),
  refusedMs: ms(10, 3_600_000)
    .default(BIND_TIMES.refusedMs)
    .describe('first pause after a wrong password or system id: accounts get locked'),
  refusedMaxMs: ms(10, 3_600_000)
    .default(BIND_TIMES.refusedMaxMs)
    .describe('longest pause after a wrong password or system id'),
  takenForMs: ms(0, 3_600_000)
    .default(BIND_TIMES.takenForMs)
    .describe(
      'refused as already bound this long (our own old connection may linger): another daemon holds the bind, stand by',
    ),
  standbyMs: ms(100, 600_000)
    .default(BIND_TIMES.standbyMs)
    .describe('how often a daemon on standby tries to bind: it takes over within this'),
  pduReadMs: ms(100, 600_000).default(LINE_LIMITS.pduReadMs).describe('a PDU once begun must be complete by then'),
})

const line = z.strictObject({
  name: name.describe('appears in logs, metrics and records'),
  group: name.optional().describe('lines of one group are doors of one SMSC and share dialogues; default: the name'),
  smsc,
  bind: z.enum(['transceiver', 'pair']).default('transceiver').describe('pair: a transmitter and a receiver'),
  links: z.number().int().min(1).max(16).default(1).describe('how many of them'),
  dialect: z.string().min(1).default('standard').describe('a name in dialects/, or a path to a profile'),
  sms: smsSchema.optional().describe('absent: no SMS on this line'),
  msisdn: msisdn.prefault({}),
  window: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(LINE_LIMITS.windowSlots)
    .describe('requests in flight; 10 is what most SMSCs allow'),
  timers: timers.prefault({}),
  allowPlaintext: z.boolean().default(true).describe('false: refuse to bind without TLS'),
})

const service = z
  .strictObject({
    code: z.string().regex(/^(\*|\*\d[\d*]{0,30}#)$/, 'a service code such as *123# or *384*1#, or "*" for all others'),
    flow: name.optional().describe('the flow that serves it'),
    app: name.optional().describe('or the application that does: see apps'),
    lines: z.array(name).min(1).optional().describe('only on these lines; default: all'),
  })
  .refine((it) => (it.flow === undefined) !== (it.app === undefined), { error: 'needs either flow or app' })

const http = z.strictObject({
  url: httpUrl.describe('the operation is appended: POST {url}/{operation}'),
  timeoutMs: ms(50, 30_000)
    .default(2_000)
    .describe('per call; below dialogue.turnMs so that a fallback screen still fits'),
  patienceMs,
  tokenFile: z.string().optional().describe('file with a bearer token'),
  headers: z.record(z.string(), z.string()).default({}).describe('sent with every call; no secrets: see tokenFile'),
  concurrent: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(50)
    .describe('calls in flight at most; more are refused at once'),
  retries: z
    .number()
    .int()
    .min(0)
    .max(3)
    .default(1)
    .describe(
      'how often a call is made again, with the same Idempotency-Key, after ' +
        '429, 502, 503, 504 or a lost connection; 0: for a back end that does not know the key',
    ),
  cache,
  octetsMax: z
    .number()
    .int()
    .min(1_024)
    .max(4_194_304)
    .default(262_144)
    .describe('decoded answer at most: a bomb is cut here'),
  privateNetwork: z
    .boolean()
    .optional()
    .describe('true: the name in url may lead to a private address (a container network); an address needs no leave'),
  ended: z
    .boolean()
    .default(false)
    .describe('true: POST {url}/ended when a dialogue whose flow calls it is over, whatever way'),
})

const app = z.strictObject({
  contract: name.describe('how it wants to be spoken to: `ussd-connector contract list` names them'),
  url: httpUrl.describe('where it listens; no redirect is followed'),
  closeUrl: httpUrl
    .optional()
    .describe('where it hears of ends, if its contract has an address of its own for that (africastalking: events)'),
  timeoutMs: ms(50, 30_000).default(7_000).describe('below dialogue.turnMs, so that the busy text is still in time'),
  patienceMs,
  tokenFile: z.string().optional().describe('file with a bearer token'),
  headers: z.record(z.string(), z.string()).default({}).describe('sent with every request; no secrets: see tokenFile'),
  holding: z
    .record(z.string().regex(/^[a-z]{2,3}$/), z.string().min(1).max(182))
    .optional()
    .describe('what ends a dialogue whose answer comes later, by language; the first stands for all others'),
  networks: z
    .record(name, z.string())
    .default({})
    .describe("what the contract calls the operator, by line; default: the line's name"),
  concurrent: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(50)
    .describe('requests in flight at most; more wait their turn'),
  octetsMax: z.number().int().min(1_024).max(1_048_576).default(65_536).describe('decoded reply at most'),
  privateNetwork: z
    .boolean()
    .optional()
    .describe('true: the name in url may lead to a private address (a container network)'),
  listen: z
    .strictObject({ host: z.string().default('127.0.0.1'), port: z.number().int().min(0).max(65_535) })
    .optional()
    .describe('where it brings its replies, if its contract answers later (junebug)'),
})

const backend = z.union(
  [
    z.strictObject({
      module: z.string().describe('dental, pin, or a path to a file that exports `backend`'),
      patienceMs,
      settings: z.record(z.string(), z.unknown()).default({}).describe("the module's own"),
    }),
    z.strictObject({ http }),
  ],
  { error: 'a back end is { module: name } or { http: { url: … } }' },
)

const dialogue = z.strictObject({
  totalMs: ms(1_000, 3_600_000).default(180_000).describe('a dialogue this old ends; networks give 180 s and up'),
  idleMs: ms(1_000, 3_600_000).default(60_000).describe('without an answer this long it ends'),
  turnMs: ms(200, 60_000)
    .default(8_000)
    .describe('we answer by then, whatever a back end does: before the network gives up'),
  resumeMs: ms(0, 86_400_000)
    .default(300_000)
    .describe('a lost dialogue is offered again on redial within this; 0: never'),
  tombstoneMs: ms(0, 3_600_000)
    .default(120_000)
    .describe(
      'late copies of an opening PDU are known, and a last screen that was not seen to be taken is sent again, this long',
    ),
  leaseMs: ms(200, 60_000).default(3_000).describe('a turn whose daemon died is taken over after this'),
  takeoversMax: z
    .number()
    .int()
    .min(0)
    .max(20)
    .default(2)
    .describe(
      'a turn is taken over from daemons that died or stalled at it this often; then it ends with the busy text: ' +
        'one daemon may be stopped and a second break down, but three in a row died of the turn itself',
    ),
  confirmMs: ms(200, 60_000).default(12_000).describe('a reply that the SMSC never took is sent once more after this'),
  duplicateBeginMs: ms(0, 60_000)
    .default(10_000)
    .describe('where the network gives no number: the same dial this soon, before any answer, is a copy'),
  snapshotOctetsMax: z
    .number()
    .int()
    .min(4_096)
    .max(1_048_576)
    .default(131_072)
    .describe(
      'stored of one dialogue at most: a list of 1,000 rows with `search` is some 50,000; most are under 2,000',
    ),
  sweepMs: ms(50, 10_000).default(500).describe('how often deadlines are looked at'),
  openMax: z
    .number()
    .int()
    .min(1)
    .default(100_000)
    .describe('dialogues open at once; more are turned away with a text'),
  turnsMax: z
    .number()
    .int()
    .min(1)
    .default(2_000)
    .describe('turns under way at once in this daemon; new dialogues are turned away above'),
  perSubscriber: z
    .strictObject({
      perSecond: z
        .number()
        .min(0.1)
        .max(100_000)
        .default(20)
        .describe('messages of one subscriber: a thumb makes about one a second, test equipment more'),
      burst: z
        .number()
        .int()
        .min(1)
        .max(100_000)
        .default(200)
        .describe('at once, after a rest: test equipment walks whole menus in that; more are acknowledged and dropped'),
    })
    .prefault({}),
  language: z
    .string()
    .regex(/^[a-z]{2,3}$/)
    .default('en')
    .describe('of subscribers whose language is not known'),
})

/** What subscribers read when no flow is there to say it. */
const texts = z.strictObject({
  busy: z.string().min(1).default('Service busy. Please try again later.').describe('a fault of ours'),
  expired: z
    .string()
    .min(1)
    .default('Your menu has expired. Please dial again.')
    .describe('an answer to no open dialogue'),
  unknownCode: z.string().min(1).default('This service is not available.').describe('a code that no service has'),
  overload: z
    .string()
    .min(1)
    .default('Service busy. Please try again later.')
    .describe('too many dialogues, or stopping'),
  oldPhone: z
    .string()
    .min(1)
    .default('This service is not available on your phone.')
    .describe('a phase 1 handset, which cannot be asked anything (3GPP TS 24.090 §6.2.2)'),
})

const door = z.strictObject({
  name: name.default('door').describe('its name as a line: in records, metrics, logs, and in `lines` of a service'),
  host: z.string().default('127.0.0.1').describe('loopback: put a proxy with TLS before it to reach it from elsewhere'),
  port: z.number().int().min(0).max(65_535).default(8_384),
  path: z
    .string()
    .regex(/^\/[\w./-]{0,100}$/, 'a path such as /ussd')
    .default('/ussd'),
  contract: z
    .enum(['africastalking', 'arkesel', 'nalo', 'hubtel'])
    .default('africastalking')
    .describe('what its callers speak'),
  tokenFile: z
    .string()
    .optional()
    .describe('bearer token that callers must bring; without it: programs of this machine; on another address anyone'),
})

export const settingsSchema = z.strictObject({
  lines: z.array(line).max(64).default([]).describe('none only where there is a door'),
  services: z.array(service).min(1),
  flows: z
    .strictObject({
      dir: z.string().default('./flows'),
      reloadMs: ms(0, 3_600_000)
        .default(2_000)
        .describe('how often changed files and releases are looked for; 0: never'),
      publish: z
        .enum(['files', 'released'])
        .default('files')
        .describe(
          'files: an edited file is published; released: only `flow publish` publishes, for all daemons at once',
        ),
      plugins: z
        .array(z.string().min(1))
        .max(100)
        .default([])
        .describe('files of your own with types of screens, loaded once at the start; trusted code (docs/FLOWS.md)'),
      testers: z
        .array(z.string().regex(/^[1-9]\d{4,14}$/, 'international digits, no +'))
        .max(1_000)
        .default([])
        .describe('MSISDNs that are in every trial (`flow canary`)'),
    })
    .prefault({}),
  dialects: z
    .strictObject({ dir: z.string().optional() })
    .prefault({})
    .describe('profiles of your own, besides those that come along'),
  backends: z.record(name, backend).default({}),
  apps: z
    .record(name, app)
    .default({})
    .describe('applications that already exist, spoken to in the contract that they know'),
  contracts: z
    .strictObject({ dir: z.string().optional() })
    .prefault({})
    .describe('contracts of your own, besides those that come along'),
  redis,
  postgres,
  data: z.string().default('./data').describe('where embedded stores and keys keep their files'),
  dialogue: dialogue.prefault({}),
  texts: texts.prefault({}),
  late: deferredSchema.prefault({}),
  reminders: remindersSchema.prefault({}),
  sms: incomingSchema.prefault({}),
  door: door.optional().describe('our flows for callers over HTTP; absent: closed'),
  admin: adminSchema.prefault({}),
  log: log.prefault({}),
  privacy: privacy.prefault({}),
  retention: retention.prefault({}),
  trace: traceSchema.prefault({}).describe('the flight recorder of each bind'),
  stopMs: ms(0, 600_000).default(15_000).describe('at SIGTERM the replies that are owed may take this long'),
  embeddedInProduction: z
    .boolean()
    .default(false)
    .describe('true: embedded stores may serve an SMSC that is not on loopback; they do not survive a power cut'),
})

export type Settings = z.infer<typeof settingsSchema>
export type ConfiguredLine = Settings['lines'][number]

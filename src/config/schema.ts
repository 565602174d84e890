/**
 * The settings: one schema. Every key has its unit in its name, a default, and a reason (`describe`), which
 * `ussd-connector config --explain` prints. Unknown keys are errors.
 */
import { z } from 'zod'
import { BIND_TIMES } from '../../machines/bind-times.ts'
import { httpUrl, ms, msisdnPrefix, secretSettings, settingName as name } from '../base/settings/index.ts'
import { adminSchema, log, privacy, retention, traceSchema } from './schema-upkeep.ts'
import { cache } from './schema-cache.ts'
import { doorSchema } from './schema-door.ts'
import { recordsSchema, supportSchema } from './schema-records.ts'
import { deferredSchema, patienceMs } from './schema-deferred.ts'
import { alarmsSchema, hooksSchema } from './schema-hooks.ts'
import { postgres, redis, tls } from './schema-stores.ts'
import { pushSchema } from './schema-push.ts'
import { testDialsSchema } from './schema-test-dials.ts'
import { LINE_LIMITS } from '../smpp/session/index.ts'
import { incomingSchema, remindersSchema, smsSchema } from '../sms/settings/index.ts'

const host = z
  .string()
  .max(253)
  .regex(/^[^\s/]+$/, 'a host name or address, without smpp:// and without a path')
const port = z.number().int().min(1).max(65_535)

const headers = z.record(z.string(), z.string()).register(secretSettings, { sure: false }).default({})

const smsc = z.strictObject({
  host: host.describe('host name or address of the SMSC; looked up again at each attempt'),
  port: port.default(2775).describe('2775 is the registered SMPP port'),
  more: z
    .array(z.strictObject({ host, port: port.default(2775) }))
    .max(8)
    .default([])
    .describe('more hosts, tried in this order after the first'),
  systemId: z.string().min(1).max(15).describe('at most 15 characters (SMPP v3.4 §5.2.1)'),
  password: z
    .string()
    .max(8)
    .register(secretSettings, { sure: true })
    .optional()
    .describe('at most 8 characters (SMPP v3.4 §5.2.2); better use passwordFile'),
  passwordFile: z.string().optional().describe('file with the password; a line feed at its end is ignored'),
  systemType: z.string().max(12).default('').describe('as the operator says; mostly empty'),
  addressRange: z.string().max(40).default('').describe('as the operator says; mostly empty'),
  addrTon: z.number().int().min(0).max(255).default(0).describe('TON of addressRange'),
  addrNpi: z.number().int().min(0).max(255).default(0).describe('NPI of addressRange'),
  tls: tls.optional().describe('use TLS 1.2 or later; without it the password crosses the network in clear text'),
})

const msisdn = z.strictObject({
  countryCode: z
    .string()
    .regex(/^[1-9]\d{0,2}$/)
    .optional()
    .describe(
      'makes national numbers (0…, TON 2) international; 675 for Papua New Guinea. A number that may already start with it ' +
        'is refused (0x0A) unless nationalDigits decides',
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
      'all lengths of national numbers, e.g. [7, 8]: they show that 70000001 is national, and whether a number that ' +
        'begins like the country code has it',
    ),
  allow: z
    .array(msisdnPrefix)
    .max(10_000)
    .default([])
    .describe('who may dial, by the first digits of the MSISDN; empty: everybody'),
  deny: z
    .array(msisdnPrefix)
    .max(10_000)
    .default([])
    .describe('who may not dial, even if allow has them: they get texts.unknownCode'),
})

const timers = z.strictObject({
  connectMs: ms(100, 60_000)
    .default(BIND_TIMES.connectMs)
    .describe('TCP and TLS must be connected by then; the operating system would wait minutes'),
  bindMs: ms(100, 60_000).default(BIND_TIMES.bindMs).describe('bind_resp must arrive by then'),
  enquireMs: ms(100, 600_000)
    .default(BIND_TIMES.enquireMs)
    .describe('send enquire_link after this much silence from the SMSC'),
  enquireRespMs: ms(100, 60_000)
    .default(BIND_TIMES.enquireRespMs)
    .describe('enquire_link_resp must arrive by then; two misses close the link'),
  responseMs: ms(100, 600_000).default(10_000).describe('the submit_sm_resp of an SMS must arrive by then'),
  reconnectMs: ms(10, 60_000)
    .default(BIND_TIMES.reconnectMs)
    .describe('first pause before we bind again; it doubles each time, with jitter'),
  reconnectMaxMs: ms(10, 600_000).default(BIND_TIMES.reconnectMaxMs).describe('longest pause before we bind again'),
  refusedMs: ms(10, 3_600_000)
    .default(BIND_TIMES.refusedMs)
    .describe('first pause after a wrong password or system id: SMSCs lock accounts'),
  refusedMaxMs: ms(10, 3_600_000)
    .default(BIND_TIMES.refusedMaxMs)
    .describe('longest pause after a wrong password or system id'),
  takenForMs: ms(0, 3_600_000)
    .default(BIND_TIMES.takenForMs)
    .describe(
      'refused as already bound for longer than this: another daemon holds the bind, and this one stands by (our own old connection may linger for less)',
    ),
  standbyMs: ms(100, 600_000)
    .default(BIND_TIMES.standbyMs)
    .describe('how often a standby daemon tries to bind: it takes over within this time'),
  pduReadMs: ms(100, 600_000)
    .default(LINE_LIMITS.pduReadMs)
    .describe('a PDU must be complete this long after its first octet'),
  togetherMs: ms(0, 20)
    .default(LINE_LIMITS.togetherMs)
    .describe(
      'what the SMSC sends often (a thousand PDUs a second) waits for others for so long at most and is handled with them, which costs less processor time; 0: never',
    ),
})

const submits = z.strictObject({
  perSecond: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe(
      'requests a second that the SMSC takes on the whole line, as the contract says: USSD and SMS together, over all ' +
        'binds and all daemons, which divide it by what they have to send; absent: no cap',
    ),
  ussdShare: z
    .number()
    .min(0)
    .max(0.9)
    .default(0.05)
    .describe(
      'the share of perSecond that SMS never take (two at least where daemons share): so many replies leave at once, ' +
        'and further ones before any SMS; a twentieth is more than is dialled at the same moment on most lines',
    ),
  account: name
    .optional()
    .describe('lines with the same account have one cap between them; default: the name of the line'),
})

const line = z.strictObject({
  name: name.describe('appears in logs, metrics and records'),
  group: name
    .optional()
    .describe('lines of one group lead to the same SMSC and share dialogues; default: the name of the line'),
  smsc,
  bind: z.enum(['transceiver', 'pair']).default('transceiver').describe('pair: one transmitter and one receiver'),
  links: z
    .number()
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe(
      'how many such binds each daemon opens, if the SMSC allows as many: each has its own window, and if one breaks, dialogues go on over the others',
    ),
  dialect: z.string().min(1).default('standard').describe('the name of a profile in dialects/, or a path to one'),
  sms: smsSchema.optional().describe('absent: no SMS on this line'),
  msisdn: msisdn.prefault({}),
  window: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(LINE_LIMITS.windowSlots)
    .describe('requests without a response yet; most SMSCs allow 10'),
  submits: submits.prefault({}),
  timers: timers.prefault({}),
  allowPlaintext: z.boolean().default(true).describe('false: refuse to bind without TLS'),
})

const service = z
  .strictObject({
    code: z
      .string()
      .regex(/^(\*|\*\d[\d*]{0,30}#)$/, 'a service code such as *123# or *384*1#, or "*" for all other codes'),
    flow: name.optional().describe('the flow that serves this code'),
    app: name.optional().describe('or the application that serves it: see apps'),
    lines: z.array(name).min(1).optional().describe('only on these lines; default: all lines'),
  })
  .refine((it) => (it.flow === undefined) !== (it.app === undefined), { error: 'needs either flow or app' })

const http = z.strictObject({
  url: httpUrl.describe('calls go to POST {url}/{operation}'),
  timeoutMs: ms(50, 30_000)
    .default(2_000)
    .describe('for one call; below dialogue.turnMs, so that there is time for a fallback screen'),
  patienceMs,
  tokenFile: z.string().optional().describe('file with a bearer token'),
  headers: headers.describe('sent with every call; not for secrets: see tokenFile'),
  concurrent: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(50)
    .describe('calls at the same time; above it, calls fail at once'),
  retries: z
    .number()
    .int()
    .min(0)
    .max(3)
    .default(1)
    .describe(
      'how often to repeat a call, with the same Idempotency-Key, after ' +
        '429, 502, 503, 504 or a lost connection; 0: for a back end that ignores the key',
    ),
  idempotency: z
    .strictObject({
      header: z
        .string()
        .regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'the name of a header')
        .default('Idempotency-Key')
        .describe('where the key is sent, such as X-CorrelationID (GSMA) or X-Reference-Id (MTN)'),
      form: z
        .enum(['plain', 'uuid'])
        .default('plain')
        .describe('plain: epoch:turn:call. uuid: a UUID (version 8) made of that, for back ends that want one'),
    })
    .optional()
    .describe('the key of a call, the same at each repetition and after a take-over; absent: Idempotency-Key, plain'),
  cache,
  octetsMax: z
    .number()
    .int()
    .min(1_024)
    .max(4_194_304)
    .default(262_144)
    .describe('most octets of a decoded answer: protects against compression bombs'),
  privateNetwork: z
    .boolean()
    .optional()
    .describe(
      'true: the host name in url may lead to a private address (a container network); an address in url always may',
    ),
  smsToken: z
    .string()
    .regex(/^[\w.@-]{1,64}$/)
    .optional()
    .describe(
      'the name of a token in admin.tokensFile: SMS that answers ask for are its own, so that the application can see and cancel them; absent: nobody but the back end touches them',
    ),
  ended: z
    .boolean()
    .default(false)
    .describe('true: POST {url}/ended when a dialogue ends whose flow calls this back end'),
})

const app = z.strictObject({
  contract: name.describe('the HTTP contract that it uses: `ussd-connector contract list` shows them'),
  url: httpUrl.describe('where it listens; redirects are not followed'),
  closeUrl: httpUrl
    .optional()
    .describe(
      'where to tell it that a dialogue ended, if its contract has its own address for that (africastalking: events)',
    ),
  timeoutMs: ms(50, 30_000).default(7_000).describe('below dialogue.turnMs, so that there is time for the busy text'),
  patienceMs,
  tokenFile: z.string().optional().describe('file with a bearer token'),
  headers: headers.describe('sent with every request; not for secrets: see tokenFile'),
  holding: z
    .record(z.string().regex(/^[a-z]{2,3}$/), z.string().min(1).max(182))
    .optional()
    .describe(
      'the last text of a dialogue whose answer comes later, by language; the first serves all other languages',
    ),
  networks: z
    .record(name, z.string())
    .default({})
    .describe('the name of the operator in the contract, by line; default: the name of the line'),
  account: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('the account at the aggregator, for contracts that name it (nalo, arkesel); default: the bare code'),
  concurrent: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(50)
    .describe('requests at the same time; above it, requests wait'),
  octetsMax: z.number().int().min(1_024).max(1_048_576).default(65_536).describe('most octets of a decoded reply'),
  privateNetwork: z
    .boolean()
    .optional()
    .describe('true: the host name in url may lead to a private address (a container network)'),
  listen: z
    .strictObject({ host: z.string().default('127.0.0.1'), port: z.number().int().min(0).max(65_535) })
    .optional()
    .describe('where we listen for its replies, if its contract answers later (junebug)'),
})

const backend = z.union(
  [
    z.strictObject({
      module: z.string().describe('dental, pin, or a path to a file that exports `backend`'),
      patienceMs,
      concurrent: z
        .number()
        .int()
        .min(1)
        .max(1_000)
        .default(50)
        .describe('calls at the same time; above it, calls wait their turn'),
      settings: z
        .record(z.string(), z.unknown())
        .register(secretSettings, { sure: false })
        .default({})
        .describe('options of the module'),
    }),
    z.strictObject({ http }),
  ],
  { error: 'must be { module: name } or { http: { url: … } }' },
)

const dialogue = z.strictObject({
  totalMs: ms(1_000, 3_600_000).default(180_000).describe('a dialogue ends at this age; networks allow 180 s or more'),
  idleMs: ms(1_000, 3_600_000).default(60_000).describe('a dialogue ends after this long without an answer'),
  turnMs: ms(200, 60_000)
    .default(8_000)
    .describe('we reply by then, whatever a back end does: before the network gives up'),
  resumeMs: ms(0, 86_400_000)
    .default(300_000)
    .describe('a subscriber who redials within this time may continue a lost dialogue; 0: never'),
  tombstoneMs: ms(0, 3_600_000)
    .default(120_000)
    .describe(
      'how long late copies of an opening PDU are recognised, and a last screen without a response is sent again',
    ),
  leaseMs: ms(200, 60_000).default(3_000).describe('another daemon takes over the turn of a dead daemon after this'),
  takeoversMax: z
    .number()
    .int()
    .min(0)
    .max(20)
    .default(2)
    .describe(
      'how often a turn is taken over from daemons that died or stalled; then it ends with the busy text: ' +
        'one daemon may be stopped and a second may fail, but if three died, the turn itself is the cause',
    ),
  confirmMs: ms(200, 60_000)
    .default(12_000)
    .describe(
      'a reply without a response from the SMSC is sent once more after this; one that was lost with its link, each time',
    ),
  duplicateBeginMs: ms(0, 60_000)
    .default(10_000)
    .describe('for networks without dialogue ids: the same dial within this time, before any answer, is a copy'),
  snapshotOctetsMax: z
    .number()
    .int()
    .min(4_096)
    .max(1_048_576)
    .default(131_072)
    .describe(
      'most octets to store of one dialogue: a list of 1,000 rows with `search` needs some 50,000; most dialogues need less than 2,000',
    ),
  sweepMs: ms(50, 10_000).default(500).describe('how often to look for dialogues past their deadline'),
  openMax: z
    .number()
    .int()
    .min(1)
    .default(100_000)
    .describe('dialogues open at the same time; above it, new ones get texts.overload'),
  turnsMax: z
    .number()
    .int()
    .min(1)
    .default(2_000)
    .describe('turns at the same time in this daemon; above it, new dialogues are turned away'),
  perSubscriber: z
    .strictObject({
      perSecond: z
        .number()
        .min(0.1)
        .max(100_000)
        .default(20)
        .describe('messages a second from one subscriber: a person types about one a second, test equipment more'),
      burst: z
        .number()
        .int()
        .min(1)
        .max(100_000)
        .default(200)
        .describe(
          'messages in one burst, after a rest: test equipment walks whole menus; above it, messages are acknowledged and dropped',
        ),
    })
    .prefault({}),
  language: z
    .string()
    .regex(/^[a-z]{2,3}$/)
    .default('en')
    .describe('language of subscribers who have chosen none'),
})

/** Texts for subscribers if no flow has its own. */
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

export const settingsSchema = z.strictObject({
  lines: z.array(line).max(64).default([]).describe('may be empty only if there is a door'),
  services: z.array(service).min(1),
  flows: z
    .strictObject({
      dir: z.string().default('./flows'),
      reloadMs: ms(0, 3_600_000).default(2_000).describe('how often to look for changed files and releases; 0: never'),
      publish: z
        .enum(['files', 'released'])
        .default('files')
        .describe(
          'files: an edited file serves at once; released: only `flow publish` publishes, for all daemons together',
        ),
      plugins: z
        .array(z.string().min(1))
        .max(100)
        .default([])
        .describe('your files with types of screens, loaded once at the start; this is trusted code (docs/FLOWS.md)'),
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
    .describe('folder of your own profiles, besides the built-in ones'),
  backends: z.record(name, backend).default({}),
  apps: z.record(name, app).default({}).describe('existing applications, called by the HTTP contract that they know'),
  contracts: z
    .strictObject({ dir: z.string().optional() })
    .prefault({})
    .describe('folder of your own contracts, besides the built-in ones'),
  redis,
  postgres,
  data: z.string().default('./data').describe('folder for embedded stores and keys'),
  instance: z
    .string()
    .regex(/^[\w.:-]{1,64}$/, 'letters, digits and . : - _')
    .optional()
    .describe('the name of this daemon among those that share its stores; default: host name and admin port'),
  dialogue: dialogue.prefault({}),
  texts: texts.prefault({}),
  late: deferredSchema.prefault({}),
  reminders: remindersSchema.prefault({}),
  sms: incomingSchema.prefault({}),
  smsHooks: hooksSchema.describe('web-hooks: applications that are told what became of their SMS'),
  alarms: alarmsSchema.prefault({}).describe('what somebody is to be woken for, also without Prometheus'),
  testDials: testDialsSchema.describe('test dials: whether somebody could dial now, as a metric and an alarm'),
  door: doorSchema.optional().describe('our flows for callers over HTTP (the HTTP ingress); absent: off'),
  admin: adminSchema.prefault({}),
  push: pushSchema.prefault({}).describe('what a token with the role push may do'),
  log: log.prefault({}),
  privacy: privacy.prefault({}),
  retention: retention.prefault({}),
  records: recordsSchema.prefault({}).describe('call detail records: one of each dialogue, SMS, and dial turned away'),
  support: supportSchema.prefault({}).describe('what is kept for who answers complaints'),
  trace: traceSchema.prefault({}).describe('the trace of each bind'),
  stopMs: ms(0, 600_000).default(15_000).describe('how long replies that we owe may take after SIGTERM'),
  embeddedInProduction: z
    .boolean()
    .default(false)
    .describe(
      'true: embedded stores may serve an SMSC that is not on loopback, although they do not survive a power cut',
    ),
})

export type Settings = z.infer<typeof settingsSchema>
export type ConfiguredLine = Settings['lines'][number]

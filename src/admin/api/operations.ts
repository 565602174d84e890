/**
 * Each route of the admin server with what it takes and what it answers. Bodies and questions are the schemas by which
 * the routes check them. A route that is not here does not compile.
 */
import { z } from 'zod'
import type { AdminRoute } from '../roles.ts'
import {
  eraseBody,
  eventsAsked,
  flowBodies,
  holdBody,
  logBody,
  pushBody,
  replaceBody,
  retryBody,
  silenceBody,
  askedSmsBody,
  smsListQuery,
  testDialBody,
  traceQuery,
  writtenNumber,
} from '../routes/index.ts'
import * as about from './answers.ts'
import * as of from './fleet-answers.ts'

export interface ApiOperation {
  tag: 'daemon' | 'lines' | 'alarms' | 'log' | 'flows' | 'subscribers' | 'sms' | 'push' | 'document'
  summary: string
  query?: z.ZodObject
  /** Values of the query and of the path, for a trial. */
  values?: Readonly<Record<string, string | number>>
  body?: z.ZodType
  /** May be left out. */
  isBodyFree?: true
  example?: object
  /** Of the answer to a request that went well. Default: 200. */
  status?: number
  /** Another one of the same form. */
  also?: number
  answer: z.ZodType | 'text/plain' | 'application/vnd.tcpdump.pcap' | 'application/json'
  /** Besides those that every route has: which, and what they mean here. */
  fails?: Partial<Record<400 | 404 | 409 | 422 | 429 | 503 | 504, string>>
  /** What becomes of it must not surprise who tries it out. */
  changes?: true
}

const number = z.object({ msisdn: writtenNumber })
const since = z.string().max(40).optional().describe('a time of day, a date with a time, or so long ago: 2h')
const target = z.object({ instance: z.string().optional().describe('another daemon, or all; default: this one') })
const NO_LINE = 'there is no such line, or no such daemon'
const NO_FLOW = 'there is no such flow'
const NO_REVISION = 'there is no such revision'
const NO_SMS = 'there is no such SMS'
const TOO_LATE = 'too late: the SMSC has it, or it is being sent'
const AWAY = 'the other daemon did not take it in time'
const fleetFails = { 404: NO_LINE, 409: 'it was not done: the answer says why', 504: AWAY }
const AN_SMS = {
  to: '67570000001',
  text: 'Your appointment is tomorrow.',
  key: 'visit-4711',
  in: '90m',
  class: 'reminder',
}
const NOTE = { note: 'prices of December' }

const lineChange = (summary: string): ApiOperation => ({
  tag: 'lines',
  summary,
  query: target,
  answer: of.lineChangeAnswer,
  fails: fleetFails,
  changes: true,
})
const reload = (summary: string): ApiOperation => ({
  tag: 'daemon',
  summary,
  query: target,
  answer: of.reloadAnswer,
  fails: { ...fleetFails, 409: 'the settings are wrong, or a line goes on with its old settings' },
  changes: true,
})
const decision = (what: keyof typeof flowBodies, summary: string, example: object): ApiOperation => ({
  tag: 'flows',
  summary,
  body: flowBodies[what],
  example,
  answer: about.flowChangeAnswer,
  fails: {
    404: `${NO_FLOW}, or ${NO_REVISION}`,
    409: 'it does not go with what is in force',
    422: 'the flow is broken',
  },
  changes: true,
})

const FLEET_OPERATIONS = {
  'GET /live': { tag: 'daemon', summary: 'Whether the process lives', answer: of.liveAnswer },
  'GET /ready': {
    tag: 'daemon',
    summary: 'Whether a dial would be served now; with a token, each part',
    answer: of.readyAnswer,
    fails: { 503: 'not ready: the answer is of the same form' },
  },
  'GET /metrics': { tag: 'daemon', summary: 'Metrics for Prometheus', answer: 'text/plain' },
  'GET /v1/instances': { tag: 'daemon', summary: 'All daemons on the same database', answer: of.instancesAnswer },
  'POST /v1/reload': reload('Reads the settings again'),
  'POST /v1/reload/check': reload('Says what a reload would do, and does nothing'),
  'GET /v1/lines': { tag: 'lines', summary: 'The lines of all daemons, with their binds', answer: of.linesAnswer },
  'GET /v1/lines/:line/events': {
    tag: 'lines',
    summary: 'What happened to a line, the newest first, of all daemons',
    query: eventsAsked,
    answer: of.lineEventsAnswer,
  },
  'GET /v1/lines/:line/trace': {
    tag: 'lines',
    summary: 'The last PDUs of a line as a capture, or with form=text as a listing; clear=true needs support, too',
    query: traceQuery,
    values: { last: 20, form: 'text' },
    answer: 'application/vnd.tcpdump.pcap',
    fails: { 404: NO_LINE },
  },
  'POST /v1/lines/reload': reload('The same as /v1/reload'),
  'POST /v1/lines/:line/stop': lineChange('Unbinds a line, until it is started again or the daemon is'),
  'POST /v1/lines/:line/start': lineChange('Starts a line that was stopped'),
  'POST /v1/lines/:line/hold': {
    ...lineChange('Turns new dials away, and stays bound'),
    body: holdBody,
    isBodyFree: true,
    example: { text: 'Back at six.' },
  },
  'POST /v1/lines/:line/release': lineChange('Takes new dials again'),
  'GET /v1/test-dials': {
    tag: 'lines',
    summary: 'What test dials of the schedule found last',
    answer: of.testDialsAnswer,
  },
  'POST /v1/test-dials': {
    tag: 'lines',
    summary: 'Dials now, up to the first screen, by a daemon that has the line',
    query: target,
    body: testDialBody,
    example: { line: 'test', service: '*123#' },
    answer: of.testDialsAnswer,
    fails: fleetFails,
  },
  'GET /v1/alarms': { tag: 'alarms', summary: 'Alarms of all daemons, and silences, of now', answer: of.alarmsAnswer },
  'POST /v1/alarms/test': {
    tag: 'alarms',
    summary: 'Sends an alarm to the web-hook, and its end',
    answer: about.doneAnswer,
    changes: true,
  },
  'POST /v1/alarms/silences': {
    tag: 'alarms',
    summary: 'Nobody is woken so long',
    body: silenceBody,
    example: { line: null, for: '2h', note: 'the SMSC is upgraded' },
    status: 201,
    answer: of.silenceAnswer,
    changes: true,
  },
  'DELETE /v1/alarms/silences/:id': {
    tag: 'alarms',
    summary: 'Ends a silence',
    answer: about.doneAnswer,
    fails: { 404: 'there is no such silence' },
    changes: true,
  },
  'GET /v1/log': {
    tag: 'log',
    summary: 'The level of the log, and what is otherwise for a while',
    answer: of.logAnswer,
  },
  'POST /v1/log': {
    tag: 'log',
    summary: 'Another level for a while, of a subsystem or about one subscriber (needs support, too)',
    query: target,
    body: logBody,
    example: { level: 'debug', subsystem: 'smpp', minutes: 10 },
    answer: of.logAnswer,
    fails: fleetFails,
    changes: true,
  },
  'DELETE /v1/log': {
    tag: 'log',
    summary: 'The level of the settings again',
    query: target,
    answer: of.logAnswer,
    fails: fleetFails,
    changes: true,
  },
} as const satisfies Partial<Record<AdminRoute | 'GET /live', ApiOperation>>

const FLOW_OPERATIONS = {
  'GET /v1/flows': { tag: 'flows', summary: 'What each flow serves', answer: about.flowsAnswer },
  'GET /v1/flows/:name/revisions': {
    tag: 'flows',
    summary: 'Its revisions, the newest first',
    answer: about.revisionsAnswer,
    fails: { 404: NO_FLOW },
  },
  'GET /v1/flows/:name/history': {
    tag: 'flows',
    summary: 'Decisions and files taken, the newest first, of all daemons',
    query: eventsAsked,
    answer: about.flowHistoryAnswer,
    fails: { 404: NO_FLOW },
  },
  'GET /v1/flows/:name/funnel': {
    tag: 'flows',
    summary: 'How far dialogues come: by screen, how many reached it, answered and left',
    query: z.object({ revision: z.string().optional(), since, until: since }),
    answer: about.funnelAnswer,
    fails: { 404: NO_FLOW },
  },
  'GET /v1/flows/:name/revisions/:revision': {
    tag: 'flows',
    summary: 'The files of a revision',
    answer: about.flowSourceAnswer,
    fails: { 404: NO_REVISION },
  },
  'POST /v1/flows/:name/publish': decision('publish', 'Serves a revision, or new files, to all or to a share', {
    revision: 'dental@0123456789ab',
    ...NOTE,
  }),
  'POST /v1/flows/:name/rollback': decision('rollback', 'Serves what served before, or that revision', NOTE),
  'POST /v1/flows/:name/canary': decision('canary', 'A trial for a share of dials; revision null ends it', {
    revision: null,
    ...NOTE,
  }),
  'POST /v1/flows/:name/recall': decision('recall', 'Ends the dialogues of a revision at their next turn', {
    revision: 'dental@0123456789ab',
    texts: { en: 'Please dial again.' },
    ...NOTE,
  }),
} as const satisfies Partial<Record<AdminRoute, ApiOperation>>

const SUBSCRIBER_OPERATIONS = {
  'GET /v1/dialogues': {
    tag: 'subscribers',
    summary: 'The dialogues of one subscriber, without their texts',
    query: number,
    values: { msisdn: '67570000001' },
    answer: about.dialoguesAnswer,
  },
  'DELETE /v1/dialogues/:group/:msisdn': {
    tag: 'subscribers',
    summary: 'Ends the dialogue of a subscriber',
    answer: about.dialogueEndAnswer,
    fails: { 404: 'no dialogue is open' },
    changes: true,
  },
  'GET /v1/subscribers': {
    tag: 'subscribers',
    summary: 'What one subscriber saw, pressed and was sent',
    query: number.extend({ since, until: since }),
    values: { msisdn: '67570000001', since: '2h' },
    answer: about.storyAnswer,
  },
  'GET /v1/subscribers/dialogues/:epoch': {
    tag: 'subscribers',
    summary: 'One dialogue, by the epoch of the log; for an open one say the number, too',
    query: number.partial(),
    answer: about.dialogueStoryAnswer,
    fails: { 404: 'nothing is kept of it' },
  },
  'GET /v1/subscribers/hash': {
    tag: 'subscribers',
    summary: 'The hash by which the log names a number',
    query: number,
    values: { msisdn: '67570000001' },
    answer: about.subscriberHashAnswer,
  },
  'POST /v1/subscribers/erase': {
    tag: 'subscribers',
    summary: 'Removes everything about one subscriber; the same again finds nothing, or does the rest',
    body: eraseBody,
    example: { msisdn: '67570000009', note: 'his letter of today', keepOptOut: false },
    answer: about.erasedAnswer,
    fails: {
      409: 'modules of back ends, or daemons, still keep something: the answer has what was removed, too',
      503: 'a store does not answer: ask again, which does the rest',
    },
    changes: true,
  },
  'GET /v1/sms': {
    tag: 'sms',
    summary: 'An own SMS by key (role sms); or those of a number, or in one state (role support)',
    query: smsListQuery.partial().extend({ key: z.string().optional(), msisdn: writtenNumber.optional() }),
    values: { state: 'failed', since: '2h' },
    answer: about.smsFoundAnswer,
    fails: { 404: NO_SMS },
  },
  'POST /v1/sms': {
    tag: 'sms',
    summary: 'Asks for an SMS; the same key again replaces it',
    body: askedSmsBody,
    example: AN_SMS,
    status: 201,
    also: 200,
    answer: about.smsPutAnswer,
    fails: { 409: TOO_LATE, 422: 'its moment is over', 429: 'too many requests of this token' },
    changes: true,
  },
  'DELETE /v1/sms': {
    tag: 'sms',
    summary: 'Takes an own SMS back, by its key',
    query: z.object({ key: z.string().min(1) }),
    values: { key: 'visit-4711' },
    answer: about.doneAnswer,
    fails: { 404: NO_SMS, 409: TOO_LATE },
    changes: true,
  },
  'DELETE /v1/sms/:id': {
    tag: 'sms',
    summary: 'Takes any SMS back that has not left',
    answer: about.doneAnswer,
    fails: { 404: NO_SMS, 409: TOO_LATE },
    changes: true,
  },
  'POST /v1/sms/:id/retry': {
    tag: 'sms',
    summary: 'Sends one again that failed',
    body: retryBody,
    isBodyFree: true,
    example: { mayBeTwice: false, for: '2h' },
    answer: about.doneAnswer,
    fails: { 404: NO_SMS, 409: 'it may be on the handset, its time is over, or it leaves anyway' },
    changes: true,
  },
  'POST /v1/sms/:id/replace': {
    tag: 'sms',
    summary: 'Another text for one that was not delivered yet',
    body: replaceBody,
    example: { text: 'Your appointment is at ten.' },
    answer: about.doneAnswer,
    fails: { 404: NO_SMS, 409: TOO_LATE, 504: 'the SMSC did not answer' },
    changes: true,
  },
  'POST /v1/push': {
    tag: 'push',
    summary: 'A screen or a text for a subscriber who has not dialled',
    body: pushBody,
    example: { msisdn: '67570000001', text: 'Your appointment is at ten.', ttlMs: 8_000 },
    answer: about.pushAnswer,
    fails: { 429: 'over the rate, or over the cap of the day', 503: 'the clock of this daemon is wrong' },
    changes: true,
  },
} as const satisfies Partial<Record<AdminRoute, ApiOperation>>

export const API_OPERATIONS: Readonly<Record<AdminRoute | 'GET /live', ApiOperation>> = {
  ...FLEET_OPERATIONS,
  ...FLOW_OPERATIONS,
  ...SUBSCRIBER_OPERATIONS,
  'GET /v1/openapi.json': { tag: 'document', summary: 'This document', answer: 'application/json' },
}

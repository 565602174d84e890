/**
 * A back end over HTTP: `POST {url}/{operation}` with `{ msisdn, language, line, epoch, args }`. The answer is 200 and
 * JSON (data), or 409 and `{ refusal, data? }`. `Idempotency-Key` is the intention: the same for every repetition (key.ts
 * has other names and forms of it). A call that settles another one has that one's key in `Settles-Key`. A
 * read that is the same for everybody identifies nobody: it has no msisdn, no epoch, no key. With `ended`, the end of a
 * dialogue is one more operation, with `{ reason, turns }` as its args and the epoch as its key.
 */
import { createRequire } from 'node:module'
import { isIP } from 'node:net'
import type { Agent, Dispatcher } from 'undici'
import { abortAfter, stretch, type Counters } from '../base/index.ts'
import { type Chance, type Clock, isRefusalName, type Json, type JsonObject } from '../ussd/index.ts'
import { guardedLookup, type Resolve } from './address.ts'
import { readCacheControl } from './cache-control.ts'
import { Nonsense, ANSWER_OCTETS_MAX, readBody, readJson } from './body.ts'
import { CONCURRENT_MAX } from './guard.ts'
import { pauseMs, RETRIES, httpTroubleOf, type HttpTrouble } from './retry.ts'
import { type IdempotencySettings, keyOf } from './key.ts'
import type { Backend, CallContext, CallResult } from './types.ts'

export interface HttpSettings {
  /** The URL of the operations, without credentials, query or fragment. */
  url: string
  /** For a whole call including its repetitions. Below the turn's limit, so that a fallback screen is still in time. */
  timeoutMs?: number
  /** Sent with every call. */
  headers?: Record<string, string>
  /** Bearer token. */
  token?: string
  /** The most connections. */
  concurrent?: number
  /** How often a call is repeated at most, if the back end was unreachable or busy. */
  retries?: number
  /** The most decoded octets of an answer. */
  octetsMax?: number
  /** The name in the URL may have a private address (a container network, a company network). */
  privateNetwork?: boolean | undefined
  /** Report the end of each dialogue that may have called it: `POST {url}/ended`. */
  ended?: boolean
  /** Where and how the key of a call is sent. */
  idempotency?: IdempotencySettings | undefined
}

export interface HttpDeps {
  clock: Clock
  chance: Chance
  counters: Counters
  /** Replaces the system's resolver in tests. */
  resolve?: Resolve
  /** What continues our trace in the back end (`traceparent`). Absent: there are no traces. */
  traceHeaders?: (() => Record<string, string>) | undefined
}

const TIMEOUT_MS = 2_000
const HEADER_OCTETS_MAX = 16_384
/** With this status the back end has a problem, not the call: overload and failures. */
const TROUBLE = new Set([408, 425, 429])

/** Never rejects. Redirects are never followed. The connected address must be one that a back end may have. */
export function httpBackend(name: string, settings: HttpSettings, deps: HttpDeps): Backend {
  const { clock, chance, counters, resolve, traceHeaders } = deps
  const base = new URL(settings.url)
  const agent = agentFor(base, settings, resolve)
  const headers = headersOf(settings)

  async function once(operation: string, body: string, context: CallContext, signal: AbortSignal): Promise<Tried> {
    try {
      const answer = await agent.request({
        origin: base.origin,
        path: `${base.pathname.replace(/\/+$/, '')}/${encodeURIComponent(operation)}`,
        method: 'POST',
        headers: { ...headers, ...keysOf(context, settings.idempotency), ...traceHeaders?.() },
        body,
        signal,
      })
      const trouble = httpTroubleOf(answer.statusCode, text(answer.headers['retry-after']), clock.now())
      return { result: await understand(answer, settings.octetsMax ?? ANSWER_OCTETS_MAX), trouble }
    } catch (error) {
      return {
        result: failure(error, signal, operation),
        trouble: isConnectionError(error) ? { why: 'connection' } : null,
      }
    }
  }

  /** Tries until one call succeeds, no try is left, or the next one could not finish in time. */
  async function call(operation: string, args: JsonObject, context: CallContext): Promise<CallResult> {
    const timeoutMs = context.timeoutMs ?? settings.timeoutMs ?? TIMEOUT_MS
    const untilMs = Math.min(clock.now() + timeoutMs, context.deadlineMs ?? Infinity)
    const { signal, over } = abortAfter(clock, timeoutMs, context.signal)
    const body = request(args, context)
    try {
      for (let n = 1; ; n++) {
        const { result, trouble } = await once(operation, body, context, signal)
        if (!trouble || signal.aborted || n > (settings.retries ?? RETRIES)) return result
        const waitMs = pauseMs(trouble, n, chance)
        if (clock.now() + waitMs >= untilMs) {
          counters.count('limits_total', { limit: 'backend-retry-late' })
          return result
        }
        await rest(waitMs, signal, clock)
        if (signal.aborted) return failure(null, signal, operation)
        counters.count('backend_retries_total', { backend: name, operation, why: trouble.why })
      }
    } finally {
      over()
    }
  }

  return {
    name,
    call,
    ...(settings.ended ? { ended: (...end: Ending) => notice(call, end) } : {}),
    close: () => agent.destroy(),
  }
}

/** The key of this call, and of the call that it settles. A read that is the same for everybody has none. */
function keysOf({ epoch, intention, settles }: CallContext, how: IdempotencySettings = {}): Record<string, string> {
  if (epoch === '') return {}
  return {
    [(how.header ?? 'idempotency-key').toLowerCase()]: keyOf(intention, how),
    ...(settles === undefined ? {} : { 'settles-key': keyOf(settles, how) }),
  }
}

function headersOf(settings: HttpSettings): Record<string, string> {
  return {
    ...settings.headers,
    'content-type': 'application/json',
    accept: 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'ussd-connector',
    ...(settings.token ? { authorization: `Bearer ${settings.token}` } : {}),
  }
}

interface Tried {
  result: CallResult
  /** Not null: the call may be tried again. */
  trouble: HttpTrouble | null
}

type Ending = Parameters<NonNullable<Backend['ended']>>

async function notice(call: Backend['call'], [epoch, reason, about]: Ending): Promise<void> {
  if (!about) return
  const { msisdn, line, turns, endedMs } = about
  const never = new AbortController().signal
  const context = { intention: epoch, epoch, msisdn, language: 'en', line, todayMs: endedMs, signal: never }
  const result = await call('ended', { reason, turns }, context)
  if (result.is === 'failed') throw new Error(`ended: ${result.why}`)
}

/** It takes a sixth of the time to load all packages, so only daemons with such a back end load it. */
const undici = () => createRequire(import.meta.url)('undici') as typeof import('undici')

/** The connections to one back end: as many as the settings say, and none to an address that it may not have. */
export function agentFor(base: URL, settings: HttpSettings, resolve?: Resolve): Agent {
  const host = base.hostname.replace(/^\[|\]$/g, '')
  const timeoutMs = settings.timeoutMs ?? TIMEOUT_MS
  return new (undici().Agent)({
    connections: settings.concurrent ?? CONCURRENT_MAX,
    pipelining: 1,
    // The call has one deadline for everything.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: HEADER_OCTETS_MAX,
    connect: {
      timeout: timeoutMs,
      ...(isIP(host) ? {} : { lookup: guardedLookup(host, settings.privateNetwork ?? false, resolve) }),
    },
  })
}

function request(args: JsonObject, { msisdn, language, line, epoch }: CallContext): string {
  return JSON.stringify(epoch === '' ? { language, line, args } : { msisdn, language, line, epoch, args })
}

/** Waits, but stops at the signal. */
async function rest(ms: number, signal: AbortSignal, clock: Clock): Promise<void> {
  await new Promise<void>((done) => {
    const stop = () => (cancel(), signal.removeEventListener('abort', stop), done())
    const cancel = clock.after(ms, stop)
    signal.addEventListener('abort', stop, { once: true })
  })
}

async function understand(answer: Dispatcher.ResponseData, octetsMax: number): Promise<CallResult> {
  const { statusCode, headers, body } = answer
  if (statusCode !== 200 && statusCode !== 409) {
    // The body is not read: an error page may have any size.
    body.on('error', () => undefined).destroy()
    return { is: 'failed', why: whyOf(statusCode), detail: `status ${statusCode}` }
  }
  const octets = await readBody(body, text(headers['content-encoding']), octetsMax)
  const data = stretch('back-end-answer', readJson, octets, text(headers['content-type']))
  if (statusCode !== 200) return refusal(data)
  const keep = readCacheControl(text(headers['cache-control']), text(headers.age))
  return { is: 'data', data, ...(keep ? { keep } : {}) }
}

function refusal(data: Json): CallResult {
  const given = data !== null && typeof data === 'object' && !Array.isArray(data) ? data : {}
  if (!isRefusalName(given.refusal)) {
    throw new Nonsense('status 409 without a refusal: a name of 1 to 64 characters')
  }
  return { is: 'refused', refusal: given.refusal, ...(given.data === undefined ? {} : { data: given.data }) }
}

function whyOf(status: number): 'down' | 'refused-call' | 'nonsense' {
  if (status >= 500 || TROUBLE.has(status)) return 'down'
  return status >= 400 ? 'refused-call' : 'nonsense'
}

/** The error, without data of the subscriber. */
export function failure(error: unknown, signal: AbortSignal, operation: string): CallResult {
  if (signal.aborted) return { is: 'failed', why: 'late', detail: `${operation}: no answer in time` }
  if (error instanceof Nonsense) return { is: 'failed', why: 'nonsense', detail: `${operation}: ${error.message}` }
  return { is: 'failed', why: 'down', detail: `${operation}: ${codeOf(error) || (error as Error).name}` }
}

const CONNECTION_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_SOCKET',
  'UND_ERR_CLOSED',
])

function isConnectionError(error: unknown): boolean {
  return CONNECTION_ERRORS.has(codeOf(error))
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : ''
}

function text(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header[0] : header) ?? ''
}

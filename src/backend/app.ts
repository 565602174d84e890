/**
 * An external application as a back end: each call is one request in the contract of the application, each answer one
 * screen. The guards are those of every HTTP back end: deadline, size, no redirects, no private addresses.
 */
import { type AppAsk, type AppSaid, appHistory } from '../flow/engine/index.ts'
import { abortAfter, dialogueInLog, stretch, type Log, type Counters } from '../base/index.ts'
import { type Clock, type JsonObject, boundaryAt, clean } from '../ussd/index.ts'
import type { Resolve } from './address.ts'
import { Nonsense, readBody, REPLY_OCTETS_MAX } from './body.ts'
import type { AppReplies } from './app-replies.ts'
import type { HttpAnswer, Asked, Closing, Contract, Outgoing } from './contracts/index.ts'
import { agentFor, failure, type HttpSettings } from './http.ts'
import type { Backend, CallContext, CallResult, EndedDialogue } from './types.ts'

export interface AppSettings extends Omit<HttpSettings, 'url'> {
  /** The URL of the application. Its query is kept. */
  url: string
  /** Where to report the end of a dialogue, if the contract has its own address for that. */
  closeUrl?: string
  /** The name of the line → the operator in the words of the contract. */
  networks?: Record<string, string>
  /** The account at the aggregator, for contracts that name it. */
  account?: string
}

export interface AppDeps {
  clock: Clock
  counters: Counters
  log: Log
  /** Where replies arrive, for a contract that answers later. */
  replies?: AppReplies
  /** Replaces the system's resolver in tests. */
  resolve?: Resolve
  /** What continues our trace in the application (`traceparent`). Absent: there are no traces. */
  traceHeaders?: (() => Record<string, string>) | undefined
}

/** A second less than the turn's limit, so that the busy text is in time. Aggregators give applications 10 to 15 s. */
const APP_TIMEOUT_MS = 7_000
/** The most characters of a screen: a subscriber reads nine pages at most. */
const APP_TEXT_UNITS_MAX = 1_600
/** The most octets of the state that an application wants back, as JSON: it is stored in the record of the dialogue. */
const STATE_OCTETS_MAX = 2_048
/** The most reports of ends at once. Above that they are counted and dropped. */
const NOTICES_MAX = 100

/** Never rejects. After a crash of ours, a request may reach the application twice, with the same Idempotency-Key. */
export function appBackend(name: string, contract: Contract, settings: AppSettings, deps: AppDeps): Backend {
  const { clock, counters, log } = deps
  const timeoutMs = settings.timeoutMs ?? APP_TIMEOUT_MS
  const app = target(settings.url, { ...settings, timeoutMs }, deps)
  const events = settings.closeUrl ? target(settings.closeUrl, { ...settings, timeoutMs }, deps) : undefined
  let notices = 0

  async function exchange(asked: Asked, signal: AbortSignal): Promise<CallResult> {
    const answer = await answered(asked, signal, { app, contract, replies: deps.replies })
    if (answer.status >= 500) return { is: 'failed', why: 'down', detail: `status ${answer.status}` }
    const onLimit = (limit: string) => counters.count('limits_total', { limit })
    const said = stretch('app-reply', () => guarded(contract.understand(answer, asked), onLimit))
    return { is: 'data', data: said as unknown as JsonObject }
  }

  async function tell(closing: Closing): Promise<void> {
    const place = contract.closeTo === 'events' ? events : app
    const notice = place && contract.close(closing)
    if (!notice) return
    if (notices >= NOTICES_MAX) return counters.count('limits_total', { limit: 'app-notices' })
    notices++
    const { signal, over } = abortAfter(clock, timeoutMs)
    try {
      const { status } = await place.send(notice, hintsOf(closing), signal)
      const result = status >= 200 && status < 300 ? 'data' : 'nonsense'
      counters.count('backend_calls_total', { backend: name, operation: 'close', result })
    } catch (error) {
      const failed = failure(error, signal, 'close') as CallResult & { is: 'failed' }
      counters.count('backend_calls_total', { backend: name, operation: 'close', result: failed.why })
      const { why, detail } = failed
      log.warn({ backend: name, why, detail, ...dialogueInLog(closing) }, 'application not told that a dialogue ended')
    } finally {
      over()
      notices--
    }
  }

  return {
    name,
    async call(operation, args, context) {
      const { signal, over } = abortAfter(clock, timeoutMs, context.signal)
      try {
        return await exchange(askedOf(args as unknown as AppAsk, context, { settings, nowMs: clock.now() }), signal)
      } catch (error) {
        return failure(error, signal, operation)
      } finally {
        over()
      }
    },
    async ended(epoch, reason, about) {
      const closing = about && closingOf(epoch, about, { settings, nowMs: clock.now() })
      if (closing) await tell({ ...closing, reason })
    },
    close: async () => void (await Promise.all([app.close(), events?.close(), deps.replies?.close()])),
  }
}

/** A later reply is registered before the question is sent: it may arrive before the response to the question. */
async function answered(
  asked: Asked,
  signal: AbortSignal,
  { app, contract, replies }: { app: Target; contract: Contract; replies: AppReplies | undefined },
): Promise<HttpAnswer> {
  const send = () => app.send(contract.ask(asked), hintsOf(asked), signal)
  if (!contract.later || !replies) return send()
  const expected = replies.expect(contract.later.id(asked), signal)
  try {
    const receipt = await send()
    return receipt.status < 200 || receipt.status > 299 ? receipt : await expected.reply
  } finally {
    expected.forget()
  }
}

interface Target {
  send(outgoing: Outgoing, more: Record<string, string>, signal: AbortSignal): Promise<HttpAnswer>
  close(): Promise<void>
}

function target(
  url: string,
  settings: AppSettings & { timeoutMs: number },
  { resolve, traceHeaders }: AppDeps,
): Target {
  const base = new URL(url)
  const agent = agentFor(base, settings, resolve)
  const own = {
    'user-agent': 'ussd-connector',
    accept: '*/*',
    'accept-encoding': 'identity',
    ...settings.headers,
    ...(settings.token ? { authorization: `Bearer ${settings.token}` } : {}),
  }
  return {
    async send({ method, path, query, headers, body }, more, signal) {
      const search = [base.search.slice(1), query].filter((part) => part !== '').join('&')
      const answer = await agent.request({
        origin: base.origin,
        method,
        signal,
        headers: { ...own, ...more, ...headers, ...traceHeaders?.() },
        path: `${path === '' ? base.pathname : base.pathname.replace(/\/+$/, '') + path}${search ? `?${search}` : ''}`,
        ...(method === 'POST' ? { body } : {}),
      })
      return received(answer, settings.octetsMax ?? REPLY_OCTETS_MAX)
    },
    close: () => agent.destroy(),
  }
}

async function received(
  answer: Awaited<ReturnType<ReturnType<typeof agentFor>['request']>>,
  octetsMax: number,
): Promise<HttpAnswer> {
  const headers = Object.fromEntries(
    Object.entries(answer.headers).map(([key, value]) => [
      key.toLowerCase(),
      Array.isArray(value) ? value.join('\n') : String(value ?? ''),
    ]),
  )
  if (answer.statusCode < 200 || answer.statusCode > 299) {
    // The body is not read: an error page may have any size, and redirects are not followed.
    answer.body.on('error', () => undefined).destroy()
    return { status: answer.statusCode, headers, body: '' }
  }
  const octets = await readBody(answer.body, headers['content-encoding'] ?? '', octetsMax)
  return { status: answer.statusCode, headers, body: decoded(octets, headers['content-type'] ?? '') }
}

/** UTF-8 is what nearly everybody declares or means. Anything else is read as Latin-1, which loses nothing. */
function decoded(octets: Buffer, contentType: string): string {
  if (/charset="?(iso-8859-1|latin1|windows-1252)/i.test(contentType)) return octets.toString('latin1')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch {
    return octets.toString('latin1')
  }
}

/**
 * The screen in a form that a handset can show. Throws Nonsense if it is empty, or if its state is too large to keep.
 */
function guarded(said: AppSaid, onLimit: (limit: string) => void): AppSaid {
  const text = clean(said.text, 4 * APP_TEXT_UNITS_MAX).trim()
  if (text === '') throw new Nonsense('the screen is empty')
  if (Buffer.byteLength(JSON.stringify(said.state)) > STATE_OCTETS_MAX)
    throw new Nonsense('the state is too large to keep')
  if (text.length <= APP_TEXT_UNITS_MAX) return { ...said, text }
  onLimit('app-text')
  return { ...said, text: text.slice(0, boundaryAt(text, APP_TEXT_UNITS_MAX)).trimEnd() }
}

/**
 * Values for which contracts have no field. Accumulated text does not distinguish an answer with `*` from two answers,
 * so a header has the answer alone.
 */
function hintsOf(asked: Asked): Record<string, string> {
  return { 'idempotency-key': asked.intention, 'x-ussd-input': encodeURIComponent(asked.input) }
}

interface How {
  settings: AppSettings
  nowMs: number
}

function askedOf(ask: AppAsk, context: CallContext, { settings, nowMs }: How): Asked {
  const { epoch, msisdn, line, language, intention } = context
  return { ...ask, epoch, msisdn, line, language, intention, nowMs, ...thereOf(line, settings) }
}

function closingOf(epoch: string, about: EndedDialogue, { settings, nowMs }: How): Omit<Closing, 'reason'> | null {
  const { msisdn, line, turns, snapshot } = about
  const history = appHistory(snapshot)
  if (!history) return null
  return {
    ...history.ask,
    epoch,
    msisdn,
    line,
    language: '',
    intention: `${epoch}:end`,
    nowMs,
    ...thereOf(line, settings),
    turns,
    durationMs: Math.max(0, about.endedMs - about.openedMs),
    lastText: history.lastText,
    lastEnd: history.lastEnd,
  }
}

/** Operator and account in the words of the contract. */
function thereOf(line: string, { networks, account }: AppSettings): Pick<Asked, 'network' | 'account'> {
  const network = networks && Object.hasOwn(networks, line) ? networks[line]! : line
  return { network, ...(account === undefined ? {} : { account }) }
}

/**
 * The contract of applications behind the RestComm (Mobicents, jSS7) USSD gateway: a MAP dialogue as XML, connected by
 * the JSESSIONID cookie of the application. (USSD Gateway Admin Guide, chapter "HTTP Architecture")
 */
import type { EndReason, JsonObject } from '../../ussd/index.ts'
import { Nonsense } from '../body.ts'
import type { HttpAnswer, Asked, Contract, Outgoing } from './types.ts'
import { attribute, parseXml, type Element } from './xml.ts'

const GUIDE =
  'https://github.com/RestComm/ussdgateway/blob/master/docs/adminguide/sources-asciidoc/src/main/asciidoc/Chapter-HTTP_Architecture.adoc'
/** GSM 7-bit, language unspecified. (3GPP TS 23.038 §5) */
const DCS = 15
const BEGIN_INVOKE = 1
const COOKIE_MAX = 512

/** The application's newest message, as far as the next one depends on it. */
interface Remembered extends JsonObject {
  cookie: string
  invokeId: string
  /** Whether it was a notify: it is acknowledged, not answered. */
  notify: boolean
}

export function restcomm(): Contract {
  return {
    name: 'restcomm',
    mark: 'restcomm-1',
    sources: [{ url: GUIDE, read: '2026-11-30' }],
    closeTo: 'app',
    ask: (asked) => posted(asked, asked.sequence <= 1 ? begin(asked) : next(asked)),
    understand,
    close: (closing) => {
      const end = ENDS[closing.reason]
      return end === undefined
        ? null
        : posted(closing, dialog('Abort', closing, { ...end, mapMessagesSize: '0' }, '<errComponents/>'))
    },
  }
}

/** Reported as MAP would do it. An end by the application itself is not reported. */
const ENDS: Partial<Record<EndReason, Record<string, string>>> = {
  idle: { dialogTimedOut: 'true' },
  total: { dialogTimedOut: 'true' },
  'subscriber-abort': { mapUserAbortChoice: 'isUserSpecificReason' },
  superseded: { mapUserAbortChoice: 'isUserSpecificReason' },
  ...Object.fromEntries(
    (['network-abort', 'bind-lost', 'refused', 'drained', 'failed', 'store-failed'] as const).map((reason) => [
      reason,
      { mapAbortProviderReason: 'SupportingDialogueTransactionReleased' },
    ]),
  ),
}

interface Built {
  type: 'Begin' | 'Continue'
  inner: string
}

function begin({ dialled, msisdn }: Asked): Built {
  return { type: 'Begin', inner: request('processUnstructuredSSRequest_Request', BEGIN_INVOKE, dialled, msisdn) }
}

function next(asked: Asked): Built {
  const { invokeId, notify } = remembered(asked.state)
  if (notify) return { type: 'Continue', inner: `<unstructuredSSNotify_Response invokeId="${attribute(invokeId)}"/>` }
  return { type: 'Continue', inner: request('unstructuredSSRequest_Response', invokeId, asked.input, asked.msisdn) }
}

function request(name: string, invokeId: string | number, text: string, msisdn: string): string {
  return (
    `<${name} invokeId="${attribute(String(invokeId))}" dataCodingScheme="${DCS}" string="${attribute(text)}">` +
    `<msisdn nai="international_number" npi="ISDN" number="${attribute(msisdn)}"/></${name}>`
  )
}

function dialog(type: string, asked: Asked, attributes: Record<string, string>, inner: string): string {
  const id = dialogId(asked.epoch)
  const all = {
    type,
    appCntx: 'networkUnstructuredSsContext_version2',
    networkId: '0',
    localId: id,
    remoteId: id,
    mapMessagesSize: '1',
    returnMessageOnError: 'false',
    ...attributes,
  }
  const written = Object.entries(all)
    .map(([key, value]) => `${key}="${attribute(value)}"`)
    .join(' ')
  return `<?xml version="1.0" encoding="UTF-8" ?><dialog ${written}>${inner}</dialog>`
}

/** 48 of the epoch's random bits, as the number that applications expect. */
function dialogId(epoch: string): string {
  const hex = epoch.replace(/[^0-9a-f]/gi, '').slice(-12)
  return String(Number.parseInt(hex || '0', 16))
}

function posted(asked: Asked, what: string | Built): Outgoing {
  const body = typeof what === 'string' ? what : dialog(what.type, asked, {}, what.inner)
  const { cookie } = remembered(asked.state)
  const headers = { 'content-type': 'text/xml; charset=utf-8', ...(cookie === '' ? {} : { cookie }) }
  return { method: 'POST', path: '', query: '', headers, body }
}

function understand(answer: HttpAnswer, asked: Asked) {
  if (answer.status !== 200) throw new Nonsense(`status ${answer.status}`)
  const root = parseXml(answer.body)
  if (root.name !== 'dialog') throw new Nonsense('not a dialog')
  const message = root.children.find((child) => Object.hasOwn(MEANINGS, child.name))
  if (!message) throw new Nonsense('the dialog has no message to the subscriber')
  const meaning = MEANINGS[message.name]!
  const invokeId = invokeIdOf(message)
  const cookie = cookieOf(answer.headers['set-cookie']) ?? remembered(asked.state).cookie
  return {
    text: message.attributes.string ?? '',
    end: meaning === 'end',
    state: { cookie, invokeId, notify: meaning === 'notify' } satisfies Remembered,
  }
}

const MEANINGS: Record<string, 'ask' | 'end' | 'notify'> = {
  unstructuredSSRequest_Request: 'ask',
  processUnstructuredSSRequest_Response: 'end',
  unstructuredSSNotify_Request: 'notify',
}

function invokeIdOf(message: Element): string {
  const found = message.attributes.invokeId ?? ''
  if (!/^-?\d{1,4}$/.test(found)) throw new Nonsense('the message has no invokeId')
  return found
}

/** `JSESSIONID=…`, without its attributes; undefined if none was set. */
function cookieOf(header: string | undefined): string | undefined {
  const found = /(?:^|\n)\s*(JSESSIONID=[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*)/.exec(header ?? '')?.[1]
  return found && found.length <= COOKIE_MAX ? found : undefined
}

function remembered(state: JsonObject): Remembered {
  const { cookie, invokeId, notify } = state
  return {
    cookie: typeof cookie === 'string' ? cookie : '',
    invokeId: typeof invokeId === 'string' ? invokeId : String(BEGIN_INVOKE),
    notify: notify === true,
  }
}

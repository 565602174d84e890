/**
 * The contracts of the HTTP ingress: reads the request of an aggregator into one message, and writes the reply that it
 * expects.
 */
import { CODE_LENGTH_MAX, normaliseCode, readMsisdn, clean, type UssdAction } from '../ussd/index.ts'

/** One request of a caller. */
export interface IngressMessage {
  kind: 'begin' | 'input' | 'abort' | 'timeout' | 'end'
  /** The id of the dialogue from the caller. */
  session: string
  msisdn: string
  /** The dialled text. On an input: the text that would lead to this place, if the caller gives it. */
  code: string
  text: string
  /** The caller's count of turns, if it counts. */
  step?: number
  /** All fields of the request: a reply repeats some. */
  fields: Fields
}

export type Fields = Record<string, string>

export interface IngressReply {
  contentType: string
  body: string
}

/** How a body is written. */
export type BodyForm = 'form' | 'json'

export interface IngressContract {
  /** The forms in which its callers send. */
  speaks: readonly BodyForm[]
  /** Whether an input for an unknown dialogue has enough to begin it. */
  unknownInput: 'begin' | 'expired'
  /** The field of the subscriber's number. */
  numberIn: string
  /**
   * Null: not a request of this contract. `fields` are those of the form, or the texts, numbers and booleans of the
   * JSON object.
   */
  hear(fields: Fields, headers: Record<string, string | string[] | undefined>): IngressMessage | null
  say(action: UssdAction, text: string, to: IngressMessage): IngressReply
  /** The response to a report of an end. */
  noted: IngressReply
}

export const INGRESS_CONTRACTS = ['africastalking', 'arkesel', 'nalo', 'hubtel'] as const

const SESSION_UNITS_MAX = 100
const JSON_TYPE = 'application/json'
const TEXT_TYPE = 'text/plain; charset=utf-8'

const africastalking: IngressContract = {
  speaks: ['form', 'json'],
  numberIn: 'phoneNumber',
  unknownInput: 'begin',
  hear(fields, headers) {
    const { sessionId, phoneNumber, serviceCode, text = '', status } = fields
    if (status !== undefined) {
      return message({
        kind: status === 'Incomplete' ? 'abort' : 'end',
        session: sessionId,
        number: phoneNumber,
        fields,
      })
    }
    const code = serviceCode ?? ''
    if (text === '') return message({ kind: 'begin', session: sessionId, number: phoneNumber, code, step: 0, fields })
    // Accumulated: the newest answer is what follows the last star, unless the caller sends it alone.
    const own = headers['x-ussd-input']
    const answer = typeof own === 'string' && own !== '' ? unescaped(own) : text.slice(text.lastIndexOf('*') + 1)
    return message({
      kind: 'input',
      session: sessionId,
      number: phoneNumber,
      text: answer,
      step: text.split('*').length,
      fields,
      code: `${code.slice(0, CODE_LENGTH_MAX).replace(/#+$/, '')}*${text}#`,
    })
  },
  say: (action, text) => ({ contentType: TEXT_TYPE, body: `${goesOn(action) ? 'CON' : 'END'} ${text}` }),
  noted: { contentType: TEXT_TYPE, body: '' },
}

const arkesel: IngressContract = {
  speaks: ['json'],
  numberIn: 'msisdn',
  unknownInput: 'expired',
  hear(fields) {
    const { sessionID, newSession, msisdn, userData = '' } = fields
    return opening({ isFirst: newSession === 'true', session: sessionID, number: msisdn, typed: userData, fields })
  },
  say: (action, text, { fields }) =>
    json({
      sessionID: fields.sessionID,
      userID: fields.userID,
      msisdn: fields.msisdn,
      message: text,
      continueSession: goesOn(action),
    }),
  noted: json({}),
}

const nalo: IngressContract = {
  speaks: ['json'],
  numberIn: 'MSISDN',
  unknownInput: 'expired',
  hear(fields) {
    const { SESSIONID, MSGTYPE, MSISDN, USERDATA = '' } = fields
    // Some of its gateways send no dialogue id: the MSISDN is the id then.
    return opening({
      isFirst: MSGTYPE === 'true',
      session: SESSIONID ?? MSISDN,
      number: MSISDN,
      typed: USERDATA,
      fields,
    })
  },
  say: (action, text, { fields }) =>
    json({
      USERID: fields.USERID,
      MSISDN: fields.MSISDN,
      USERDATA: fields.USERDATA,
      MSG: text,
      MSGTYPE: goesOn(action),
    }),
  noted: json({}),
}

const hubtel: IngressContract = {
  speaks: ['json'],
  numberIn: 'Mobile',
  unknownInput: 'expired',
  hear(fields) {
    const { SessionId: session, Mobile: number, Message = '', ServiceCode = '', Sequence } = fields
    const step = Sequence !== undefined && /^\d{1,6}$/.test(Sequence) ? Number(Sequence) : undefined
    const common = { session, number, fields, ...(step === undefined ? {} : { step }) }
    switch (fields.Type?.toLowerCase()) {
      case 'initiation':
        return message({ ...common, kind: 'begin', code: Message || ServiceCode })
      case 'response':
        return message({ ...common, kind: 'input', text: Message })
      case 'release':
        return message({ ...common, kind: 'abort' })
      case 'timeout':
        return message({ ...common, kind: 'timeout' })
      default:
        return null
    }
  },
  say: (action, text, { fields }) =>
    json({
      SessionId: fields.SessionId,
      Type: goesOn(action) ? 'Response' : 'Release',
      Message: text,
      ClientState: '',
      Label: '',
      DataType: goesOn(action) ? 'input' : 'display',
      FieldType: 'text',
    }),
  noted: json({}),
}

const ALL: Record<(typeof INGRESS_CONTRACTS)[number], IngressContract> = { africastalking, arkesel, nalo, hubtel }

export function ingressContract(name: (typeof INGRESS_CONTRACTS)[number]): IngressContract {
  return ALL[name]
}

interface Opening {
  isFirst: boolean
  session: string | undefined
  number: string | undefined
  typed: string
  fields: Fields
}

/** For contracts whose first request has the dialled string in place of an answer. */
function opening({ isFirst, typed, ...rest }: Opening): IngressMessage | null {
  return message(isFirst ? { ...rest, kind: 'begin', code: typed } : { ...rest, kind: 'input', text: typed })
}

interface MessageInput {
  kind: IngressMessage['kind']
  session: string | undefined
  number: string | undefined
  code?: string
  text?: string
  step?: number
  fields: Fields
}

/** Null if the id, the number or (on a begin) the code is missing. */
function message({ kind, session, number, code = '', text = '', step, fields }: MessageInput): IngressMessage | null {
  const read = readNumber(number)
  const dialled = normaliseCode(code)
  if (!session || session.length > SESSION_UNITS_MAX || !('msisdn' in read) || (kind === 'begin' && dialled === ''))
    return null
  return {
    kind,
    session,
    msisdn: read.msisdn,
    code: dialled,
    text: clean(text),
    fields,
    ...(step === undefined ? {} : { step }),
  }
}

/** Callers send international numbers: a national one would need a line that says its country. */
function readNumber(number: string | undefined): ReturnType<typeof readMsisdn> {
  return readMsisdn({ ton: 1, npi: 1, digits: number ?? '' })
}

/** Why a request does not follow the contract, without its content. */
export function faultIn(fields: Fields | null, { numberIn }: IngressContract): { why: string; remedy: string } {
  if (!fields)
    return { why: 'form', remedy: 'the caller must send a form or a flat JSON object, with its content type' }
  const number = readNumber(fields[numberIn])
  return 'fault' in number
    ? {
        why: `${numberIn}-${number.fault}`,
        remedy: `the caller must send international digits in ${numberIn}, such as 67570000001`,
      }
    : { why: 'fields', remedy: 'compare the request with the contract that door.contract names' }
}

function goesOn(action: UssdAction): boolean {
  return action === 'continue' || action === 'notify'
}

function json(value: object): IngressReply {
  return { contentType: JSON_TYPE, body: JSON.stringify(value) }
}

function unescaped(written: string): string {
  try {
    return decodeURIComponent(written)
  } catch {
    return written
  }
}

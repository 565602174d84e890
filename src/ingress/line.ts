/**
 * The HTTP ingress as a line: each HTTP request is an incoming message, and its reply is the HTTP response. It goes
 * through the gateway like a deliver_sm, with the same stores, turns and reasons.
 */
import type {
  Dialect,
  Incoming,
  Line,
  LinkPort,
  OutgoingPdu,
  Pdu,
  SubmitOptions,
  SubmitOutcome,
} from '../smpp/index.ts'
import {
  fit,
  fits,
  statusPolicy,
  USSD_PAGE,
  type Clock,
  type UssdAction,
  type UssdMessage,
  type UssdReply,
} from '../ussd/index.ts'
import type { IngressContract, IngressMessage } from './contracts.ts'

export interface IngressLine {
  line: Line
  /**
   * Gives the message to the gateway. Resolves with the reply, or null if there is none. Call `delivered` with whether
   * the caller got it.
   */
  take(message: IngressMessage): Promise<IngressOutcome | null>
}

export interface IngressOutcome {
  action: UssdAction
  text: string
  delivered(got: boolean): void
}

export interface IngressLineDeps {
  name: string
  contract: IngressContract
  clock: Clock
  /** Unique for each daemon, so that link ids are unique. */
  instance: string
  onRequest(pdu: Pdu, line: Line, link: LinkPort): Promise<void>
}

/** A request that waits for its reply. */
interface Exchange {
  say(said: IngressOutcome): void
}

export function ingressLine(deps: IngressLineDeps): IngressLine {
  const { name, clock, instance } = deps
  const waiting = new Map<string, Exchange>()
  let serial = 0
  async function submit(pdu: OutgoingPdu, { deadline, leaving }: SubmitOptions): Promise<SubmitOutcome> {
    const id = String(pdu.body.exchange)
    const exchange = waiting.get(id)
    // The request is over: its caller may repeat it, and then gets the stored reply.
    if (!exchange) return { kind: 'timeout' }
    waiting.delete(id)
    return new Promise((done) => {
      const cancel = clock.after(Math.max(0, deadline - clock.now()), () => done({ kind: 'timeout' }))
      const delivered = (got: boolean) => {
        cancel()
        done(got ? { kind: 'ok', messageId: '', pdu: empty(0) } : { kind: 'timeout' })
      }
      leaving?.left()
      exchange.say({ action: pdu.body.action as UssdAction, text: String(pdu.body.text), delivered })
    })
  }

  const line: Line = {
    name,
    group: name,
    dialect: ingressDialect(deps.contract),
    submit,
    sms: { source: '', sourceTon: 0, sourceNpi: 0 },
    // HTTP has no push: a message without a request cannot be sent.
    bound: () => false,
    waitMs: () => 0,
    smsRoom: () => 0,
    isGone: () => false,
    states: () => [],
    start: () => undefined,
    stop: async () => undefined,
  }

  return {
    line,
    async take(message) {
      const id = String(++serial)
      const pdu: AskedPdu = empty(serial)
      pdu.message = messageOf(message, id)
      const link: LinkPort = { id: `${name}/http#${instance}.${id}`, line: name, respond: () => undefined }
      return new Promise((done, fail) => {
        waiting.set(id, { say: done })
        deps
          .onRequest(pdu, line, link)
          .then(() => done(null), fail)
          .finally(() => waiting.delete(id))
      })
    },
  }
}

/** The request is read before there is a PDU; the PDU is only a placeholder. */
interface AskedPdu extends Pdu {
  message?: UssdMessage
}

function ingressDialect({ unknownInput }: IngressContract): Dialect {
  return {
    name: 'door',
    page: USSD_PAGE,
    read: readMessage,
    write: (reply, path) => writeReply(reply, path.more ?? {}),
    policy: statusPolicy,
    habits: {
      deliverResp: 'immediate',
      submitResp: 'prompt',
      unknownInput,
      // HTTP callers have no status for it.
      overload: 'text',
      messageIdUseless: true,
      messageIdBases: { response: 'as-is', receipt: 'as-is' },
    },
  }
}

function readMessage(pdu: Pdu): Incoming {
  const { message } = pdu as AskedPdu
  return message ? { is: 'ussd', message } : { is: 'ignore', why: 'not-ours' }
}

function writeReply({ action, text }: UssdReply, { exchange = '', step }: Record<string, string>) {
  const body = { exchange, action, text: fit(text, USSD_PAGE) }
  return {
    pdu: { command: 'submit_sm' as const, body, tlvs: [] },
    cut: !fits(text, USSD_PAGE),
    // The caller increments its count with each request.
    ...(step === undefined ? {} : { step: Number(step) + 1 }),
  }
}

function messageOf({ kind, session, msisdn, code, text, step }: IngressMessage, exchange: string): UssdMessage {
  return {
    kind,
    msisdn,
    network: session,
    code,
    text,
    meta: {},
    ...(step === undefined ? {} : { step }),
    returnPath: {
      from: [1, 1, msisdn],
      to: [0, 1, ''],
      serviceType: '',
      carrier: '',
      more: { exchange, ...(step === undefined ? {} : { step: String(step) }) },
    },
  }
}

function empty(sequence: number): Pdu {
  return { command: 'deliver_sm', status: 0, sequence, body: {}, tlvs: [] }
}

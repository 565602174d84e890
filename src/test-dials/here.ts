/**
 * A test dial without the network. A dial is coded as the network of the line's dialect would code it, and enters at
 * the gateway; the whole path serves it, with its stores and back ends; the reply, coded by the dialect, is read here
 * and not sent. Then the dialogue ends.
 */
import type { GatewayDeps } from '../gateway/index.ts'
import { decode, encode, STATUS, statusLabel } from '../smpp/pdu/index.ts'
import type { Line, LinkPort, OutgoingPdu, Pdu } from '../smpp/index.ts'
import type { NetworkCoding, NetworkRequest } from '../simulator/network/index.ts'
import { normaliseCode } from '../ussd/index.ts'
import { caughtLine } from './caught-line.ts'
import { testGateway, type DialNotes } from './guarded.ts'
import { judged, type TestDialHeard, type TestDialResult } from './outcome.ts'

export interface HereAsked {
  line: Line
  /** The network's side of the dialect. */
  coding: NetworkCoding
  code: string
  /** Of no subscriber. */
  msisdn: string
  timeoutMs: number
  expected: ((text: string) => boolean) | undefined
  /** Unique among all daemons on the same stores. */
  id: string
}

/** Never rejects. */
export async function dialHere(asked: HereAsked, base: GatewayDeps): Promise<TestDialHeard> {
  const { line: real, coding, id, code, expected } = asked
  const pdu = dialled(asked)
  const message = pdu && real.dialect.read(pdu)
  if (message?.is !== 'ussd' || message.message.kind !== 'begin' || message.message.code !== normaliseCode(code))
    return { result: 'dialect', why: `a dial of ${normaliseCode(code)} from here is not read as one` }
  const notes: DialNotes = {}
  const first = new FirstReply()
  const link: LinkPort = {
    id: `${real.name}/test#${id}`,
    line: real.name,
    respond: (_, status) => {
      if (status !== STATUS.ESME_ROK) first.refused(statusLabel(status))
    },
  }
  const line = caughtLine({ real, group: `test-dial.${id}`, link, caught: (reply) => first.came(reply) })
  const gateway = testGateway(base, notes, line)
  const cancel = base.clock.after(asked.timeoutMs, () => first.late())
  try {
    gateway.onRequest(pdu!, line, link).catch((error: Error) => first.refused(error.name))
    const reply = await first.reply
    const failure = failureIn(notes, reply)
    if (failure) return failure
    const read = coding.decode({ status: 0, sequence: 0, ...(reply as OutgoingPdu) }, 'subscriber')
    if (!read || read.action === 'unknown') return { result: 'dialect', why: 'this network cannot read the reply' }
    return judged(read.decoding.text, expected)
  } finally {
    cancel()
    // Also if nothing came: what is played too late meets no dialogue.
    await gateway.end({ group: line.group, msisdn: message.message.msisdn }).catch(() => undefined)
  }
}

/** The first reply that the gateway sends, or what came in its place. */
class FirstReply {
  readonly reply: Promise<OutgoingPdu | { refused: string } | 'late'>
  #settle!: (reply: OutgoingPdu | { refused: string } | 'late') => void

  constructor() {
    this.reply = new Promise((settle) => (this.#settle = settle))
  }

  came(reply: OutgoingPdu): void {
    this.#settle(reply)
  }

  /** The network would have to deliver the dial again. */
  refused(why: string): void {
    this.#settle({ refused: why })
  }

  late(): void {
    this.#settle('late')
  }
}

const STORE: ReadonlySet<string> = new Set(['store-failed', 'crowded'])
const FAILED: ReadonlySet<string> = new Set(['failed', 'flow-gone', 'refused'])

/** A text may come although nobody is served: an apology is one, too. */
function failureIn(
  { message = '', ended = '', failed, wouldChange }: DialNotes,
  reply: OutgoingPdu | { refused: string } | 'late',
): TestDialHeard | undefined {
  const fault = (result: TestDialResult, why: string): TestDialHeard => ({ result, why })
  if (wouldChange !== undefined) return fault('would-change', `the first screen comes only after ${wouldChange}`)
  if (failed !== undefined) return fault('back-end', failed)
  if (STORE.has(message)) return fault('store', message)
  if (message !== '' && message !== 'opened') return fault('turned-away', message)
  if (reply === 'late') return fault('no-answer', 'no first screen in time')
  if ('refused' in reply) return fault(message === '' ? 'turned-away' : 'flow', reply.refused)
  return FAILED.has(ended) ? fault('flow', ended) : undefined
}

/** Through octets, as they would come over the wire. */
function dialled({ coding, msisdn, code, id }: HereAsked): Pdu | undefined {
  const number = numberOf(id) % coding.numbers
  const dialogue = coding.open({ msisdn, source: [1, 1, msisdn], code, by: 'subscriber', beginOp: 1, number })
  const spoken: NetworkRequest | null = coding.say('begin', dialogue, '')
  const encoded = spoken && encode({ ...spoken, status: 0, sequence: 1 })
  if (!encoded || 'fault' in encoded) return undefined
  const { pdu, fault } = decode(encoded.octets)
  return fault ? undefined : pdu
}

/** The number of the dialogue in its network: any will do, because each dial has a place of its own in the store. */
function numberOf(id: string): number {
  return Number(/\d+$/.exec(id)?.[0] ?? 0)
}

/** The binds that the rest of the examination is made on: one transceiver, or a transmitter and a receiver. */
import type { OutgoingPdu, Pdu } from '../smpp/types.ts'
import { bindOn, leave, wireParts, type Roles } from './connection.ts'
import { isOk, statusOf, wordsOf, type Exam } from './exam.ts'
import type { Taped } from './finding.ts'
import { THROTTLES } from './judge.ts'
import { openWire, type Answer, type Wire } from './wire.ts'

export interface HeardMessage {
  pdu: Pdu
  taped: Taped
}

export interface Station {
  tx: Wire
  rx: Wire
  /** What the SMSC delivered about the test handset. */
  heard: HeardMessage[]
  /** Of other subscribers: answered with ESME_RX_T_APPN, and not kept. */
  others(): number
  /** Hears every message of the test handset; null: nobody. */
  listen(listener: ((message: HeardMessage) => void) | null): void
  /** Sends one request, again after a pause if it was too fast. To the test handset only: throws if it is to another number. */
  send(pdu: OutgoingPdu): Promise<Answer>
  close(): Promise<Answer>
}

/** Not ours: the SMSC may try again, with whoever is bound then. (SMPP v3.4 §5.1.3) */
const TEMPORARY = 0x64
const TRIES = 4
/** Networks write one number in several ways; its last digits are the same in all. */
const DIGITS = 7

export async function openStation(exam: Exam, { transceiver }: Roles): Promise<Station | string> {
  const { plan } = exam
  const heard: HeardMessage[] = []
  let listener: ((message: HeardMessage) => void) | null = null
  let others = 0
  const onMessage = (pdu: Pdu, taped: Taped): number => {
    if (!plan.msisdn || !isAbout(pdu, plan.msisdn)) {
      others++
      return TEMPORARY
    }
    heard.push({ pdu, taped })
    listener?.({ pdu, taped })
    return 0
  }
  const wires: Wire[] = []
  for (const role of transceiver ? ['transceiver'] as const : ['transmitter', 'receiver'] as const) {
    const opened = await openWire(wireParts(exam, onMessage))
    if ('failed' in opened) return opened.failed
    wires.push(opened.wire)
    const answer = await bindOn(opened.wire, role, exam)
    if (!isOk(answer)) {
      for (const wire of wires) wire.close()
      return `bind_${role}: ${wordsOf(answer)}`
    }
  }
  const [tx, rx] = [wires[0]!, wires.at(-1)!]
  return {
    tx, rx, heard, others: () => others,
    listen: (to) => void (listener = to),
    async send(pdu) {
      const to = pdu.body.destination_addr
      // The other addresses are those of messages that exist: query_sm, cancel_sm, replace_sm.
      if ((pdu.command === 'submit_sm' || pdu.command === 'data_sm') && !isSame(String(to ?? ''), plan.msisdn)) {
        throw new Error('a request to another number than the test handset')
      }
      let answer = await tx.request(pdu, plan.times.answerMs)
      for (let i = 1; i < TRIES && THROTTLES.has(statusOf(answer) ?? 0); i++) {
        await exam.wait(plan.times.pauseMs)
        answer = await tx.request(pdu, plan.times.answerMs)
      }
      return answer
    },
    async close() {
      if (rx !== tx) await leave(rx, exam)
      return leave(tx, exam)
    },
  }
}

function isAbout({ body }: Pdu, msisdn: string): boolean {
  return [body.source_addr, body.destination_addr].some((it) => isSame(String(it ?? ''), msisdn))
}

function isSame(address: string, msisdn: string | undefined): boolean {
  const digits = address.replace(/\D/g, '')
  return msisdn !== undefined && digits.length >= DIGITS && digits.slice(-DIGITS) === msisdn.slice(-DIGITS)
}

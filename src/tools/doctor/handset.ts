/** The test handset: which messages are about it, and who hears them. */
import type { Pdu } from '../../smpp/index.ts'
import type { Taped } from './finding.ts'

export interface ReceivedMessage {
  pdu: Pdu
  taped: Taped
}

export interface HandsetInbox {
  /** What the SMSC delivered about the test handset. */
  received: ReceivedMessage[]
  /** Of other subscribers: answered with ESME_RX_T_APPN, and not kept. */
  others(): number
  /** Hears every message of the test handset; null: nobody. */
  listen(listener: ((message: ReceivedMessage) => void) | null): void
  /** Answers with the status for the SMSC. */
  take(pdu: Pdu, taped: Taped): number
}

/** Not ours: the SMSC may try again, with whoever is bound then. (SMPP v3.4 §5.1.3) */
const TEMPORARY = 0x64
/** Networks write one number in several ways; its last digits are the same in all. */
const DIGITS = 7

export function handsetInbox(msisdn: string | undefined): HandsetInbox {
  const received: ReceivedMessage[] = []
  let listener: ((message: ReceivedMessage) => void) | null = null
  let others = 0
  return {
    received,
    others: () => others,
    listen: (to) => void (listener = to),
    take(pdu, taped) {
      if (!isAbout(pdu, msisdn)) {
        others++
        return TEMPORARY
      }
      received.push({ pdu, taped })
      listener?.({ pdu, taped })
      return 0
    },
  }
}

function isAbout({ body }: Pdu, msisdn: string | undefined): boolean {
  return [body.source_addr, body.destination_addr].some((it) => isSameNumber(String(it ?? ''), msisdn))
}

/** Nobody is the handset where there is none. */
export function isSameNumber(address: string, msisdn: string | undefined): boolean {
  const digits = address.replace(/\D/g, '')
  return msisdn !== undefined && digits.length >= DIGITS && digits.slice(-DIGITS) === msisdn.slice(-DIGITS)
}

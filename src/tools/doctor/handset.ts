/** The test handset: which messages concern it, and which listener gets them. */
import type { Pdu } from '../../smpp/index.ts'
import type { Taped } from './finding.ts'

export interface ReceivedMessage {
  pdu: Pdu
  taped: Taped
}

export interface HandsetInbox {
  /** What the SMSC delivered from or about the test handset. */
  received: ReceivedMessage[]
  /** How many messages came from other subscribers. They are answered with ESME_RX_T_APPN and not kept. */
  others(): number
  /** Sets the listener that gets every message of the test handset. Null: none. */
  listen(listener: ((message: ReceivedMessage) => void) | null): void
  /** Returns the status with which to answer the SMSC. */
  take(pdu: Pdu, taped: Taped): number
}

/** Not for us: the SMSC may deliver it again to another bind. (SMPP v3.4 §5.1.3) */
const TEMPORARY = 0x64
/** Networks write one number in several ways; the last digits are always the same. */
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

/** Always false if there is no test handset. */
export function isSameNumber(address: string, msisdn: string | undefined): boolean {
  const digits = address.replace(/\D/g, '')
  return msisdn !== undefined && digits.length >= DIGITS && digits.slice(-DIGITS) === msisdn.slice(-DIGITS)
}

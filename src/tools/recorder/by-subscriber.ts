/** Selects the recorded PDUs that concern one subscriber. */
import { decode, isResponse } from '../../smpp/pdu/index.ts'
import type { RecordedPdu } from './ring.ts'

/** Networks write one number in several ways; the last digits are always the same. */
const DIGITS = 8

/** Requests from or to the number, and their responses. */
export function isAbout(all: readonly RecordedPdu[], msisdn: string): RecordedPdu[] {
  const tail = msisdn.replace(/\D/g, '').slice(-DIGITS)
  const waiting = new Set<string>()
  return all.filter((one) => {
    const { pdu } = decode(one.octets)
    if (isResponse(pdu.command)) {
      const asker = one.from === 'esme' ? 'smsc' : 'esme'
      return waiting.delete(`${one.link} ${asker} ${pdu.sequence}`)
    }
    const isIts = [pdu.body.source_addr, pdu.body.destination_addr].some((it) =>
      String(it ?? '')
        .replace(/\D/g, '')
        .endsWith(tail),
    )
    if (isIts) waiting.add(`${one.link} ${one.from} ${pdu.sequence}`)
    return isIts
  })
}

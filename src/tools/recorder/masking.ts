/**
 * A PDU without personal data, still valid and of the same length. Numbers become other numbers, always the same ones
 * under the same key. Texts become x of the same length in their own coding. A password is masked. What was dialled
 * behind a service's code, and an answer that may be secret, are masked even where numbers and texts may be seen.
 */
import { withoutPassword } from '../../smpp/session/index.ts'
import { decode, isResponse } from '../../smpp/pdu/index.ts'
import type { CodeRoute } from '../../ussd/index.ts'
import { personalIn } from './personal.ts'
import { headerOnly, rewritten, rewrittenUnlessSame } from './rewriting.ts'
import type { SeenMessage, RecordedPdu } from './ring.ts'

export interface Masking {
  mask(octets: Buffer, seen?: SeenMessage): Buffer
  /** With numbers and texts, but without what may be a PIN. */
  clear(recorded: Pick<RecordedPdu, 'octets' | 'from' | 'seen'>): Buffer
  /** Other digits of the same length. With nine digits or more the first three stay: they are the country. */
  number(digits: string): string
}

const MESSAGES = new Set(['deliver_sm', 'data_sm', 'submit_sm'])

/** Without `routes` nobody knows whose code it is, so only the first part of each code is shown. */
export function createMasking(key: Buffer, routes?: readonly CodeRoute[]): Masking {
  const personal = personalIn(key, routes)
  return {
    number: personal.number,
    mask(octets, seen) {
      const { pdu, fault } = decode(octets)
      if (isBind(pdu.command)) return withoutPassword(octets)
      // What cannot be read cannot be masked field by field.
      if (fault || pdu.command.startsWith('submit_multi')) return headerOnly(octets)
      return rewritten(octets, pdu, { personal, seen, isClear: false })
    },
    clear({ octets, from, seen }) {
      const { pdu, fault } = decode(octets)
      const isMessage = MESSAGES.has(pdu.command)
      const how = { personal, isClear: true }
      if (isBind(pdu.command)) return withoutPassword(octets)
      // Our own texts may be seen; of what we send, only an address can repeat what was dialled.
      if (from === 'esme')
        return fault || !isMessage ? octets : rewrittenUnlessSame(octets, pdu, { ...how, seen: 'open' })
      if (isMessage) return fault ? headerOnly(octets) : rewrittenUnlessSame(octets, pdu, { ...how, seen })
      return fault && !isResponse(pdu.command) ? headerOnly(octets) : octets
    },
  }
}

function isBind(command: string): boolean {
  return /^(bind_\w+|outbind)$/.test(command) && !command.endsWith('_resp')
}

/**
 * A PDU without what is personal in it, still valid and of the same length: numbers become others, always the same ones
 * under the same key; texts become as many x in their own coding; a password is blotted out. What was dialled behind a
 * service's code, and an answer that may be a secret, are blotted out even where numbers and texts may be seen.
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
  /** Other digits, as many, the first three kept where there are nine or more: they say the country. */
  number(digits: string): string
}

const MESSAGES = new Set(['deliver_sm', 'data_sm', 'submit_sm'])

/** Without `routes` nobody knows whose code it is, and of each the first part is shown. */
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
      // Our own texts may be seen; only an address that was dialled comes back in what we send.
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

/** What is to be done with each PDU that the SMSC sends. Pure: the link does it. */
import type { Pdu } from '../types.ts'
import { isKnown, isResponse, type PduFault, STATUS } from '../pdu/index.ts'

export type InboundTodo =
  /** A response: the window knows its request. */
  | { do: 'match' }
  /** It is good as it is, and has no response. */
  | { do: 'note' }
  /** `reason` is a metrics label. */
  | { do: 'drop'; reason: 'outbind' | 'nack-0' | 'unknown-response' }
  /** The rest are requests. This one goes to the gateway, which answers it. */
  | { do: 'hand' }
  | { do: 'answer'; status: number }
  | { do: 'refuse'; status: number; why: string }
  /** It crossed our unbind. After a temporary error the SMSC delivers it again, on a live bind. (SMPP v3.4 §5.1.3) */
  | { do: 'defer'; status: number }
  /** The SMSC ends the bind. */
  | { do: 'unbind'; status: number }

const MATCH: InboundTodo = { do: 'match' }
const NOTE: InboundTodo = { do: 'note' }
const HAND: InboundTodo = { do: 'hand' }
const ANSWER: InboundTodo = { do: 'answer', status: STATUS.ESME_ROK }
const UNBIND: InboundTodo = { do: 'unbind', status: STATUS.ESME_ROK }
const DEFER: InboundTodo = { do: 'defer', status: STATUS.ESME_RX_T_APPN }
const UNKNOWN: InboundTodo = { do: 'refuse', status: STATUS.ESME_RINVCMDID, why: 'unknown-command' }
const NOT_HERE: InboundTodo = { do: 'refuse', status: STATUS.ESME_RINVBNDSTS, why: 'bind-state' }

/** The highest bit of command_id says that it is a response, also in one that is in no table. (SMPP v3.4 §5.1.2.1) */
const UNKNOWN_RESPONSE = /^unknown_0x[89a-f]/

/**
 * `receives`: the bind stands, and may get deliver_sm and data_sm (SMPP v3.4 §2.3, table 2-1). `isLeaving`: one side
 * unbinds, so what begins now could no longer be answered.
 */
export function inboundTodo(
  { command, sequence }: Pdu,
  fault: PduFault | undefined,
  receives: boolean,
  isLeaving: boolean,
): InboundTodo {
  if (command === 'generic_nack' && sequence === 0) return { do: 'drop', reason: 'nack-0' }
  if (isResponse(command)) return MATCH
  switch (command) {
    case 'alert_notification':
      return NOTE
    case 'outbind':
      return { do: 'drop', reason: 'outbind' }
    case 'enquire_link':
      return ANSWER
    case 'unbind':
      return UNBIND
    case 'deliver_sm':
    case 'data_sm':
      if (!receives) return NOT_HERE
      if (fault) return { do: 'refuse', ...fault }
      return isLeaving ? DEFER : HAND
  }
  if (UNKNOWN_RESPONSE.test(command)) return { do: 'drop', reason: 'unknown-response' }
  return isKnown(command) ? NOT_HERE : UNKNOWN
}

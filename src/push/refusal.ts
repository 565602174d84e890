/** What an SMSC means by refusing USSD that we begin. Pure. (SMPP v3.4 §5.1.3) */
import { STATUS } from '../smpp/pdu/index.ts'

/**
 * absent: the handset is off, away, busy elsewhere, or the network does not say · later: the network is too busy now
 * · unsupported: it does not let us begin, or not like this · bad-number: it will never take this subscriber's number.
 */
export type PushRefusal = 'absent' | 'later' | 'unsupported' | 'bad-number'

const MEANINGS: ReadonlyMap<number, PushRefusal> = new Map<number, PushRefusal>([
  ...[STATUS.ESME_RSYSERR, STATUS.ESME_RMSGQFUL, STATUS.ESME_RTHROTTLED, STATUS.ESME_RX_T_APPN, 0x102].map(
    (status): [number, PushRefusal] => [status, 'later'],
  ),
  ...[
    STATUS.ESME_RINVCMDID,
    STATUS.ESME_RINVBNDSTS,
    STATUS.ESME_RINVSERTYP,
    STATUS.ESME_RINVESMCLASS,
    STATUS.ESME_RINVSYSTYP,
    STATUS.ESME_RINVOPTPARSTREAM,
    STATUS.ESME_ROPTPARNOTALLWD,
    STATUS.ESME_RINVPARLEN,
    STATUS.ESME_RMISSINGOPTPARAM,
    STATUS.ESME_RINVOPTPARAMVAL,
  ].map((status): [number, PushRefusal] => [status, 'unsupported']),
  // Not 0x50, which gateways also say of a subscriber who has no dialogue.
  ...[STATUS.ESME_RINVDSTADR, STATUS.ESME_RINVDSTNPI].map((status): [number, PushRefusal] => [status, 'bad-number']),
])

/** 0x45, 0xFE, 0xFF and vendors' own say no more than that it did not get there. */
export function pushRefusalOf(status: number): PushRefusal {
  return MEANINGS.get(status) ?? 'absent'
}

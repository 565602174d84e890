/**
 * What the SMPP layer counts. The books balance when nothing is under way, on every line:
 *
 *   smpp_rx        = smpp_rx_handled + smpp_rx_duplicate + smpp_rx_rejected{status} + smpp_rx_dropped{reason}
 *   smpp_tx_submit = smpp_tx_ok + smpp_tx_refused{status} + smpp_tx_timeout + smpp_tx_lost
 *
 * Every PDU read is in the first, responses too; every request of ours that was written is in the second; requests
 * that were not written are in smpp_unsent{why}. Labels are few and never personal.
 */
export type SmppCounter =
  | 'smpp_rx'
  | 'smpp_rx_handled'
  | 'smpp_rx_duplicate'
  | 'smpp_rx_rejected'
  /** reason: late-response, wrong-command, unexpected-response, unknown-response, outbind, link-closed, nack-0 */
  | 'smpp_rx_dropped'
  /** Of the rejected: came while we were unbinding; the SMSC delivers it again. */
  | 'smpp_rx_deferred'
  | 'smpp_tx_submit'
  | 'smpp_tx_ok'
  | 'smpp_tx_refused'
  | 'smpp_tx_timeout'
  | 'smpp_tx_lost'
  | 'smpp_unsent'
  /** speaks: what the octets look like that cannot be SMPP */
  | 'smpp_framing_fault'
  /** Taken in spite of it: what was wrong with the PDU. */
  | 'smpp_tolerated'
  /** A handler of ours threw, or did not answer in time: a bug. */
  | 'smpp_handler_failed'
  /** A named limit was reached. */
  | 'smpp_limit'
  | 'smpp_bind_refused'
  | 'smpp_enquire_missed'
  | 'smpp_link_lost'
  /** The socket was written to: once an event-loop turn at most. */
  | 'smpp_write'

export interface SmppCounters {
  count(name: SmppCounter, labels: Readonly<Record<string, string>>): void
}

/** Counts nothing. */
export const noCounters: SmppCounters = { count: () => undefined }

/** Why a link ended, as a label: few words; all else is `socket`. */
export function lossLabel(why: string): string {
  return LOSSES.has(why) ? why : 'socket'
}

const LOSSES = new Set([
  'framing',
  'pdu-half-sent',
  'peer-does-not-read',
  'enquire_link-unanswered',
  'unbound-by-smsc',
  'unbound',
  'unbind-timeout',
  'nack-0',
  'closed-by-peer',
  'stopped',
])

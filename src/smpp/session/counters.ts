/**
 * What the SMPP layer counts: the `smpp_` rows of the table in base/metrics.ts. The books balance when nothing is under
 * way, on every line:
 *
 *   smpp_rx        = smpp_rx_handled + smpp_rx_duplicate + smpp_rx_rejected{status} + smpp_rx_dropped{reason}
 *   smpp_tx_submit = smpp_tx_ok + smpp_tx_refused{status} + smpp_tx_timeout + smpp_tx_lost
 *
 * Every PDU read is in the first, responses too; every request of ours that was written is in the second; requests
 * that were not written are in smpp_unsent{why}. Labels are few and never personal.
 */
import type { CounterName } from '../../base/index.ts'

export type SmppCounter = Extract<CounterName, `smpp_${string}`>

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

/**
 * What the SMPP layer counts: the `smpp_` rows of the table in base/metrics.ts. On every line the books balance when
 * nothing is in flight:
 *
 *   smpp_rx        = smpp_rx_handled + smpp_rx_duplicate + smpp_rx_rejected{status} + smpp_rx_dropped{reason}
 *   smpp_tx_submit = smpp_tx_ok + smpp_tx_refused{status} + smpp_tx_timeout + smpp_tx_lost + smpp_tx_recalled
 *
 * The first counts every PDU that we read, responses too. The second counts every request that we wrote. Requests that
 * were not written are in smpp_unsent{why}; smpp_tx_recalled were taken back before the socket had them. Labels are
 * few and never personal.
 */
import type { CounterName } from '../../base/index.ts'

export type SmppCounter = Extract<CounterName, `smpp_${string}`>

export interface SmppCounters {
  count(name: SmppCounter, labels: Readonly<Record<string, string>>, by?: number): void
}

/** Counts nothing. */
export const noCounters: SmppCounters = { count: () => undefined }

type Labels = Readonly<Record<string, string>>
interface LabelNode {
  labels: Labels
  next: Map<string, LabelNode>
}

/**
 * Labels with that of the line: a turn counts some ten times, always with the same few. Each list of labels with its
 * values is made once; nobody changes it.
 */
export class LineLabels {
  readonly #root: LabelNode

  constructor(line: string) {
    this.#root = { labels: { line }, next: new Map() }
  }

  of(labels: Labels | undefined): Labels {
    let node = this.#root
    for (const name in labels) node = this.#under(this.#under(node, name), labels[name]!, name)
    return node.labels
  }

  /** A label has two nodes, of its name and of its value. */
  #under(node: LabelNode, word: string, name?: string): LabelNode {
    const known = node.next.get(word)
    if (known) return known
    const labels = name === undefined ? node.labels : { ...node.labels, [name]: word }
    const made = { labels, next: new Map() }
    node.next.set(word, made)
    return made
  }
}

/** Why a link ended, as a label: one of a few words, or `socket` for everything else. */
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

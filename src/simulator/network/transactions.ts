/** The open transactions, one per subscriber, and the ids of each subscriber's last dialogues. */
import type { NetworkCoding, NetworkDialogue } from './coding.ts'

export interface Transaction {
  dialogue: NetworkDialogue
  systemId: string
  /** Counts what was sent to the ESME, so that a late outcome does not end a dialogue that has gone on. */
  exchange: number
  callOff: () => void
  /** Sends the response to a question, if the network withholds it. */
  withheld: ((status: number) => void) | undefined
  last: { text: string; carrier: string } | undefined
}

export interface Transactions {
  of(msisdn: string): Transaction | undefined
  open(dialogue: NetworkDialogue, systemId: string): Transaction
  /** `status`: for a response that is still withheld. Default: the status for a dialogue that is gone. */
  close(transaction: Transaction, status?: number): void
  /** Whether the subscriber recently had a dialogue with this id. */
  hasEnded(msisdn: string, id: string): boolean
  /** The number of the next dialogue. */
  nextNumber(): number
  count(): number
}

/** A submit for one of the subscriber's last dialogues is late, and not a push. */
const ENDED_MAX = 4
/** How many subscribers' last dialogues are remembered. */
const SUBSCRIBERS_MAX = 100_000

export function transactions(coding: NetworkCoding, firstNumber: number): Transactions {
  const opened = new Map<string, Transaction>()
  const ended = new Map<string, string[]>()
  let number = firstNumber

  return {
    of: (msisdn) => opened.get(msisdn),
    open(dialogue, systemId) {
      const { msisdn, id } = dialogue
      const made = { dialogue, systemId, exchange: 0, callOff: () => undefined, withheld: undefined, last: undefined }
      opened.set(msisdn, made)
      const before = ended.get(msisdn)
      if (before)
        ended.set(
          msisdn,
          before.filter((other) => other !== id),
        )
      return made
    },
    close(transaction, status = coding.goneStatus) {
      const { msisdn, id } = transaction.dialogue
      transaction.callOff()
      transaction.withheld?.(status)
      transaction.withheld = undefined
      if (opened.get(msisdn) === transaction) opened.delete(msisdn)
      if (id === '') return
      ended.set(msisdn, [...(ended.get(msisdn) ?? []).filter((other) => other !== id), id].slice(-ENDED_MAX))
      if (ended.size > SUBSCRIBERS_MAX) ended.delete(ended.keys().next().value!)
    },
    hasEnded: (msisdn, id) => (ended.get(msisdn) ?? []).includes(id),
    nextNumber() {
      const given = number
      number = (number + 1) % coding.numbers
      return given
    },
    count: () => opened.size,
  }
}

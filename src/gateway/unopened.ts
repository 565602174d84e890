/**
 * Begins that were answered with the busy text because the store was unreachable. The store does not know their
 * numbers, so a late copy would look like a redial and replace the dialogue that the subscriber has by then. They are
 * kept here and stored as soon as the store is back: by the sweep, or before the subscriber's next begin.
 */
import { PAST_MAX, nameOfKey, knownMs, type DialogueKey, type DialogueStore, type Taking } from '../dialogue/index.ts'
import type { GuardStore } from './steps.ts'
import type { Metrics } from '../base/index.ts'
import { isUnsettled, type Sent } from './reply.ts'
import type { Clock } from '../ussd/index.ts'

export interface Unopened {
  /**
   * Records what became of the busy text. If it was accepted or refused, the network's dialogue is over, and anything
   * with its number is a copy. If that is unknown, it is over when another dial opens a dialogue: until then the same
   * begin may be delivered again.
   */
  note(begin: Taking, sent: Sent): void
  /** A dialogue was opened. */
  opened(begin: Taking): void
  /** Whether begins of this subscriber are still to be stored. */
  waits(key: DialogueKey): boolean
  /**
   * Stores what the store does not know yet: everything, or only for one subscriber, before this begin. False: the
   * store is still unreachable.
   */
  flush(next?: Taking): Promise<boolean>
}

interface Waiting {
  begin: Taking
  untilMs: number
  /** Whether the network's dialogue is known to be over. */
  isOver: boolean
}

export interface UnopenedDeps {
  dialogues: Pick<DialogueStore, 'bury'>
  limits: { tombstoneMs: number }
  guarded: GuardStore
  clock: Clock
  metrics: Metrics
}

/** How many subscribers are kept: two minutes of outage at 80 dials per second, and some megabytes. */
export const UNOPENED_MAX = 10_000
/** How many subscribers one sweep handles. */
const FLUSH_MAX = 200

export function createUnopened(deps: UnopenedDeps): Unopened {
  return new UnopenedBegins(deps)
}

class UnopenedBegins implements Unopened {
  readonly #deps: UnopenedDeps
  /** The last few begins of each subscriber, the oldest first. */
  readonly #waiting = new Map<string, Waiting[]>()

  constructor(deps: UnopenedDeps) {
    this.#deps = deps
  }

  note(begin: Taking, sent: Sent): void {
    if (begin.answer.kind !== 'begin' || begin.network === '') return
    const { limits, metrics } = this.#deps
    const name = nameOfKey(begin.key)
    const others = (this.#waiting.get(name) ?? []).filter((other) => other.begin.network !== begin.network)
    const one = { begin, untilMs: begin.nowMs + knownMs(begin, limits), isOver: !isUnsettled(sent) }
    this.#keep(name, [...others, one].slice(-PAST_MAX))
    if (this.#waiting.size <= UNOPENED_MAX) return
    metrics.count('limits_total', { limit: 'unopened_max' })
    this.#waiting.delete(this.#waiting.keys().next().value!)
  }

  opened({ key, network }: Taking): void {
    if (this.#waiting.size === 0) return
    const name = nameOfKey(key)
    const begins = this.#waiting.get(name)
    if (!begins) return
    // The SMSC may still deliver begins that it got later: it delivers what it kept in any order.
    const at = begins.findIndex(({ begin }) => begin.network === network)
    this.#keep(
      name,
      begins.map((one, i) => ({ ...one, isOver: one.isOver || at < 0 || i < at })),
    )
  }

  waits(key: DialogueKey): boolean {
    return this.#waiting.size > 0 && this.#waiting.has(nameOfKey(key))
  }

  async flush(next?: Taking): Promise<boolean> {
    const names = next ? [nameOfKey(next.key)] : [...this.#waiting.keys()].slice(0, FLUSH_MAX)
    for (const name of names) if (this.#waiting.has(name) && !(await this.#write(name))) return false
    return true
  }

  #keep(name: string, begins: Waiting[]): void {
    if (begins.length) this.#waiting.set(name, begins)
    else this.#waiting.delete(name)
  }

  /** False: the store is still unreachable. */
  async #write(name: string): Promise<boolean> {
    const { dialogues, guarded, clock } = this.#deps
    for (const one of this.#waiting.get(name) ?? []) {
      const { begin, untilMs, isOver } = one
      const nowMs = clock.now()
      if (nowMs < untilMs && !isOver) continue
      if (nowMs < untilMs && (await guarded('bury', () => dialogues.bury(begin, untilMs, nowMs), begin)) === undefined)
        return false
      this.#keep(
        name,
        (this.#waiting.get(name) ?? []).filter((other) => other !== one),
      )
    }
    return true
  }
}

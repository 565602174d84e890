/**
 * Begins that were answered with the busy text because the store was away. Nothing there remembers their numbers, so a
 * late copy would read as a redial, and supersede the dialogue that the subscriber has by then. They are kept here, and
 * written down as soon as the store is back: by the sweep, or before the next begin of the subscriber.
 */
import { PAST_MAX, nameOfKey, knownMs, type DialogueStore, type Taking } from '../dialogue/index.ts'
import type { GuardStore } from './steps.ts'
import type { Metrics } from '../base/index.ts'
import { isUnsettled, type Sent } from './reply.ts'
import type { Clock } from '../ussd/index.ts'

export interface Unopened {
  /**
   * What became of the busy text. Taken, or refused: the network's dialogue is over, whatever comes of its number is a
   * copy. Where nobody knows, it is over once another dial opens a dialogue: the same one may be delivered again till
   * then.
   */
  note(begin: Taking, sent: Sent): void
  /** A dialogue was opened. */
  opened(begin: Taking): void
  /**
   * Writes down what the store does not know yet: all, or of one subscriber before this begin. False: it is still away.
   */
  flush(next?: Taking): Promise<boolean>
}

interface Waiting {
  begin: Taking
  untilMs: number
  /** It is known that the network's dialogue is over. */
  isOver: boolean
}

export interface UnopenedDeps {
  dialogues: Pick<DialogueStore, 'bury'>
  limits: { tombstoneMs: number }
  guarded: GuardStore
  clock: Clock
  metrics: Metrics
}

/** Subscribers: two minutes of outage at 80 dials a second, and some megabytes. */
export const UNOPENED_MAX = 10_000
/** Subscribers of one sweep. */
const FLUSH_MAX = 200

export function createUnopened({ dialogues, limits, guarded, clock, metrics }: UnopenedDeps): Unopened {
  /** Of each subscriber the last few, oldest first. */
  const waiting = new Map<string, Waiting[]>()

  function keep(name: string, begins: Waiting[]): void {
    if (begins.length) waiting.set(name, begins)
    else waiting.delete(name)
  }

  /** False: the store is still away. */
  async function write(name: string): Promise<boolean> {
    for (const one of waiting.get(name) ?? []) {
      const { begin, untilMs, isOver } = one
      const nowMs = clock.now()
      if (nowMs < untilMs && !isOver) continue
      if (nowMs < untilMs && (await guarded('bury', () => dialogues.bury(begin, untilMs, nowMs))) === undefined)
        return false
      keep(
        name,
        (waiting.get(name) ?? []).filter((other) => other !== one),
      )
    }
    return true
  }

  return {
    note(begin, sent) {
      if (begin.answer.kind !== 'begin' || begin.network === '') return
      const name = nameOfKey(begin.key)
      const others = (waiting.get(name) ?? []).filter((other) => other.begin.network !== begin.network)
      keep(
        name,
        [...others, { begin, untilMs: begin.nowMs + knownMs(begin, limits), isOver: !isUnsettled(sent) }].slice(
          -PAST_MAX,
        ),
      )
      if (waiting.size <= UNOPENED_MAX) return
      metrics.count('limits_total', { limit: 'unopened_max' })
      waiting.delete(waiting.keys().next().value!)
    },
    opened({ key, network }) {
      const name = nameOfKey(key)
      const begins = waiting.get(name)
      if (!begins) return
      // Of those that were heard before, the later ones may still be waited for: the network delivers what it kept in
      // no order.
      const at = begins.findIndex(({ begin }) => begin.network === network)
      keep(
        name,
        begins.map((one, i) => ({ ...one, isOver: one.isOver || at < 0 || i < at })),
      )
    },
    async flush(next) {
      const names = next ? [nameOfKey(next.key)] : [...waiting.keys()].slice(0, FLUSH_MAX)
      for (const name of names) if (waiting.has(name) && !(await write(name))) return false
      return true
    },
  }
}

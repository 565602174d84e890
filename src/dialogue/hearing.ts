/** A message of the network meets the record of its subscriber: what it is to it, and what is written of it. */
import { StoreError } from '../base/index.ts'
import { decidedAgain, type Classified, type classifyBegin } from './classify.ts'
import type { Decider, Ruling } from './decider.ts'
import { deadlineMs, playedAtOnce, recordOf, type DialogueEntry } from './entry.ts'
import { rest } from './outcome.ts'
import type { DialogueLimits, Held, PlayAtOnce, TakeResult, Taking } from './types.ts'

export interface Hearing {
  decider: Decider
  limits: DialogueLimits
  /** Of a begin, or of an answer. */
  classify: typeof classifyBegin
}

export async function hearMessage(how: Hearing, taking: Taking, atOnce?: PlayAtOnce): Promise<TakeResult> {
  try {
    return await hear(how, taking, atOnce)
  } catch (error) {
    // What was played at once is too large to be kept: its answer is taken all the same, and its rest will fail.
    if (atOnce && error instanceof StoreError && error.code === 'too-large') return hear(how, taking)
    throw error
  }
}

async function hear(how: Hearing, taking: Taking, atOnce?: PlayAtOnce): Promise<TakeResult> {
  const { decider, limits, classify } = how
  const { key, nowMs, leaseUntilMs, answer } = taking
  const unreadable = answer.kind === 'begin' ? 'replace' : 'refuse'
  const decided = await decider.decide({ key, nowMs, unreadable }, (now, first): Ruling<Classified> => {
    const found = classify(now?.entry, taking, limits)
    const heard = now === first ? found : decidedAgain(first?.entry, now?.entry, found, taking)
    if ((heard.is !== 'opened' && heard.is !== 'next') || heard.again) return { told: heard }
    const outcome = atOnce?.(recordsOf(heard))
    if (!outcome) return { told: heard, write: { entry: heard.entry, dueMs: leaseUntilMs } }
    const entry = { ...rest(heard.entry, outcome, '', limits), version: playedAtOnce(taking.token) }
    return { told: heard, write: { entry, dueMs: deadlineMs(entry, limits) } }
  })
  return decided ? takenOf(decided.told, decided.held) : { is: 'crowded' }
}

function recordsOf({ entry }: { entry: DialogueEntry }) {
  return { record: recordOf(entry), previous: entry.previous && recordOf(entry.previous) }
}

/** `held`: what stands there by now; it rests already where it was played at once. */
function takenOf(heard: Classified, held: Held | null): TakeResult {
  if (heard.is === 'unknown') return { is: 'unknown' }
  if (heard.is === 'repeat') return { is: 'repeat', record: recordOf(heard.entry), resend: heard.resend }
  if (heard.is === 'busy') return { is: 'busy', record: recordOf(heard.entry) }
  const { record, previous } = recordsOf(heard)
  const taken = { record, held: held!, ...(held!.entry.status === 'taken' ? {} : { isOver: true as const }) }
  return heard.is === 'next' ? { is: 'next', ...taken } : { is: 'opened', previous, ...taken }
}

/** A message of the network meets the record of its subscriber: what it means, and what is written. */
import { StoreError } from '../base/index.ts'
import { decidedAgain, type Classified, type classifyBegin } from './classify.ts'
import { recordsFor, type Recording } from './cdr.ts'
import type { Decider, Ruling } from './decider.ts'
import { deadlineMs, recordOf, type DialogueEntry } from './entry.ts'
import { rest } from './outcome.ts'
import type { DialogueLimits, DialogueRegister, Held, PlayAtOnce, TakeResult, Taking } from './types.ts'

export interface TakeDeps {
  register: Pick<DialogueRegister, 'touch'>
  decider: Decider
  limits: DialogueLimits
  /** Absent: no call detail records are kept. */
  recording?: Recording | undefined
  /** For a begin, or for an answer. */
  classify: typeof classifyBegin
}

export function takeMessage(deps: TakeDeps, taking: Taking, atOnce?: PlayAtOnce): Promise<TakeResult> {
  const told = (decided: Decided) => toldOf(deps, decided)
  return decide(deps, taking, atOnce).then(told, (error: unknown) => {
    // What was played at once is too large to store: its answer is taken anyway, and its rest will fail.
    if (!atOnce || !(error instanceof StoreError && error.code === 'too-large')) throw error
    return decide(deps, taking).then(told)
  })
}

function toldOf(deps: TakeDeps, decided: Decided): TakeResult | Promise<TakeResult> {
  if (!decided) return { is: 'crowded' }
  const { result, held } = decided
  const { found } = result
  if (found.is !== 'repeat' || found.overdueMs === undefined) return takenOf(result, held)
  return lookSoon(deps, found.entry, found.overdueMs).then(() => takenOf(result, held))
}

/**
 * The message may be the next one of a subscriber who has the screen, or a copy of the last one while the screen is on
 * its way: nothing tells. If nobody hears soon that the screen arrived, the sweep sends it once more, so that the
 * subscriber does not meet silence.
 */
async function lookSoon({ register }: TakeDeps, { key, version }: DialogueEntry, overdueMs: number): Promise<void> {
  // If the store fails here, the sweep looks as late as for any reply.
  await register.touch(key, version, overdueMs).catch(() => undefined)
}

/** What a message is; the records, if they were made for the turn. */
interface Judged {
  found: Classified
  records?: Records
}

type Records = Pick<Parameters<PlayAtOnce>[0], 'record' | 'previous'>
type Decided = { result: Judged; held: Held | null } | null

function decide(deps: TakeDeps, taking: Taking, atOnce?: PlayAtOnce): Promise<Decided> {
  const { decider, limits, classify } = deps
  const { key, nowMs, leaseUntilMs, answer } = taking
  const unreadable = answer.kind === 'begin' ? 'replace' : 'refuse'
  return decider.decide({ key, nowMs, unreadable, mayRecall: true }, (now, first): Ruling<Judged> => {
    const seen = classify(now?.entry, taking, limits)
    const found = now === first ? seen : decidedAgain(first?.entry, now?.entry, seen, taking)
    if ((found.is !== 'opened' && found.is !== 'next') || found.again) return { result: { found } }
    const mayBeCopy = found.is === 'next' && found.mayBeCopy === true
    const writtenMs = found.is === 'next' ? now!.entry.touchedMs : null
    const { record, previous } = recordsOf(found)
    const result: Judged = { found, records: { record, previous } }
    const outcome = atOnce?.({ record, previous, mayBeCopy, writtenMs })
    if (outcome === 'show-again') return { result: { found: { is: 'repeat', entry: now!.entry, resend: true } } }
    const replaced = found.is === 'opened' && now?.entry.status !== 'ended' ? found.entry.previous : null
    if (!outcome) {
      return {
        result,
        write: {
          from: now,
          entry: found.entry,
          nowMs,
          dueMs: leaseUntilMs,
          records: recordsFor(deps.recording, replaced),
        },
      }
    }
    const entry = rest(found.entry, outcome, '', limits)
    const records = recordsFor(deps.recording, entry, replaced)
    return { result, write: { from: now, entry, nowMs, dueMs: deadlineMs(entry, limits), records } }
  })
}

function recordsOf({ entry }: { entry: DialogueEntry }): Records {
  return { record: recordOf(entry), previous: entry.previous && recordOf(entry.previous) }
}

/** `held`: the current value. If the turn was played at once, it rests already. */
function takenOf({ found, records }: Judged, held: Held | null): TakeResult {
  if (found.is === 'unknown') return { is: 'unknown' }
  if (found.is === 'repeat') return { is: 'repeat', record: recordOf(found.entry), resend: found.resend }
  if (found.is === 'busy') return { is: 'busy', record: recordOf(found.entry) }
  const { record, previous } = records ?? recordsOf(found)
  const taken: Extract<TakeResult, { is: 'next' | 'opened' }> =
    found.is === 'next' ? { is: 'next', record, held: held! } : { is: 'opened', record, previous, held: held! }
  if (held!.entry.status !== 'taken') taken.isOver = true
  return taken
}

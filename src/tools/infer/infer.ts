/** START HERE: turns a recording of an SMSC's PDUs into a profile, with how sure each field is. */
import type { DialectProfile } from '../../smpp/dialect/index.ts'
import type { Captured } from '../capture/index.ts'
import { learnCarrier } from './carrier.ts'
import { learnCode } from './code-place.ts'
import { newDraft, type Draft } from './draft.ts'
import { learnEndBit } from './end-bit.ts'
import { learnHabits } from './habits.ts'
import { recordDialogues, type PduRecording } from './recorded.ts'
import { learnReplies } from './replies.ts'
import { learnTextIn } from './text-coding.ts'
import { learnTextOut } from './text-out.ts'
import { learnOperation, learnWays } from './ways.ts'

export interface Inference {
  recording: PduRecording
  draft: Draft
}

/** `standard` fills the gaps. Whatever a network sends, it never throws. */
export function infer(pdus: readonly Captured[], standard: DialectProfile, name = 'inferred'): Inference {
  const recording = recordDialogues(pdus)
  const draft = newDraft(standard, name)
  if (recording.dialogues.length === 0) {
    draft.untold('inbound', 'no dialogue was seen')
    draft.untold('outbound', 'no dialogue was seen')
    return { recording, draft }
  }
  learnTextIn(recording, draft)
  learnOperation(recording, draft)
  learnCarrier(recording, draft)
  learnEndBit(recording, draft)
  learnCode(recording, draft)
  learnWays(recording, draft)
  learnTextOut(recording, draft)
  learnReplies(recording, draft)
  learnHabits(recording, draft)
  if (recording.dialogues.length < 2) doubtAll(draft)
  draft.untold('push.idFrom', 'we opened no dialogue')
  draft.untold('outbound.endByBeginOp', 'no phase 1 handset dialled')
  draft.untold('responses.unknownInput', 'we may choose')
  draft.untold('responses.statusMeaning', 'the SMSC refused no reply')
  draft.untold('limits', 'no value came near them')
  return { recording, draft }
}

/** What a single dialogue shows may be chance: a number that never changed, or a first message that was no begin. */
function doubtAll(draft: Draft): void {
  for (const { path, value, sure, note } of draft.findings()) {
    if (sure && /^(?:inbound|outbound)\./.test(path))
      draft.doubtful(path, value, `only one dialogue was seen (${note})`)
  }
}

/** A played turn in the form for the store and the log: with nothing that JSON would lose. */
import type { EndReason, UssdReply } from '../ussd/index.ts'
import type { Step } from './track.ts'
import type { HeldCall, Played } from './turn.ts'
import type { DialogueRecord } from './types.ts'

export interface Turned {
  flow: string
  revision: string
  snapshot: DialogueRecord['snapshot'] & {}
  reply: UssdReply
  ended: EndReason | null
  step?: Step | undefined
  /** A back end is still working on it. */
  held?: HeldCall | undefined
}

export function turned(played: Played): Turned {
  const { flow, snapshot, reply, ended, held, step } = played
  return {
    flow: flow.name,
    revision: flow.revision,
    snapshot: snapshot as unknown as Turned['snapshot'],
    reply,
    ended,
    step,
    held,
  }
}

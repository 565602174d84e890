/** Call detail records that no write of a dialogue makes: of deferred answers, and of dials that were turned away. */
import type { ToldAnswer } from '../../deferred/index.ts'
import { type CallRecord, type Recording, screenOf, spokenIn, withCalls, withTexts } from '../../dialogue/index.ts'
import type { Runtime } from '../runtime.ts'

export interface TurnedAwayDial {
  msisdn: string
  code: string
  line: string
  why: string
}

/** From the dial to the moment at which it was told; the dialogue's own record ends with the holding text. */
export function deferredRecord(
  { record, said, how }: ToldAnswer,
  nowMs: number,
  { instance, serviceOf }: Recording,
): CallRecord {
  const { epoch, key, line, code, openedMs, turn } = record
  const snapshot = said?.snapshot ?? record.snapshot
  const { calls, exact } = said?.step ?? {}
  return {
    epoch,
    kind: 'deferred',
    openedMs,
    endedMs: Math.max(openedMs, nowMs),
    msisdn: key.msisdn,
    line,
    ...serviceOf({ code, line, msisdn: key.msisdn }),
    channel: how === 'shown' ? 'push' : 'sms',
    flow: said?.revision ?? record.revision,
    reason: said?.ended ?? (said ? 'completed' : how === 'given-up' ? 'failed' : 'flow-gone'),
    screen: screenOf({ snapshot }),
    turns: turn,
    waitMs: 0,
    backendMs: Math.max(0, nowMs - openedMs),
    language: spokenIn({ snapshot }),
    instance,
    path: '',
    ...(calls ? { calls: withCalls('', calls) } : {}),
    ...(exact ? { texts: withTexts([], turn, exact, said!.reply.text) } : {}),
    detail: how,
  }
}

/** Of a dial that was turned away: nothing of it is in the store. */
export function refusedRecord(
  { msisdn, code, line, why }: TurnedAwayDial,
  { clock, mint }: Pick<Runtime, 'clock' | 'mint'>,
  { instance, serviceOf }: Recording,
): CallRecord {
  const nowMs = clock.now()
  const nothing = { flow: '', screen: '', turns: 0, waitMs: 0, backendMs: 0, language: '', path: '', detail: '' }
  return {
    epoch: mint.epoch(),
    kind: 'refused',
    openedMs: nowMs,
    endedMs: nowMs,
    msisdn,
    line,
    ...serviceOf({ code, line, msisdn }),
    reason: why,
    instance,
    ...nothing,
  }
}

/**
 * What a subscriber read and typed, word for word, where that is kept (`support.transcriptDays`): carried in the entry of
 * a dialogue and then in its record, short and bounded. Never a secret screen, and nothing that may be a secret. Pure.
 */
import type { CompiledFlow, FlowSnapshot, Want } from '../flow/engine/index.ts'
import { mayBeSecret } from './shown.ts'
import type { DialogueRecord } from './types.ts'

/** One turn: what was typed before it, and what it showed. Null: nothing, or it is a secret. */
export type TurnTexts = [turn: number, typed: string | null, shown: string | null]

/** What a turn tells of its texts. */
export interface ExactStep {
  typed: string | null
  /** The screen that it shows asks for a secret. */
  isSecret: boolean
}

/** Some forty full screens: longer dialogues are lost subscribers, and all of it is written with each turn. */
export const TEXTS_OCTETS_MAX = 8_000
/** In place of a turn for which there was no room. */
const CUT: TurnTexts = [0, null, null]

/** What was typed in the record's answer, if it may be kept. */
export function typedIn(flow: CompiledFlow, record: DialogueRecord): string | null {
  const { snapshot, answer } = record
  if (answer.kind !== 'input' || !snapshot || mayBeSecret(record)) return null
  return wantsSecret(flow.want(snapshot as FlowSnapshot)) ? null : answer.text
}

export function wantsSecret(want: Want): boolean {
  return want.do === 'ask' && want.secret === true
}

export function withTexts(texts: readonly TurnTexts[], turn: number, { typed, isSecret }: ExactStep, shown: string) {
  const one: TurnTexts = [turn, typed, isSecret ? null : shown]
  if (isCut(texts)) return [...texts]
  return octetsOf(texts) + octetsOf([one]) <= TEXTS_OCTETS_MAX ? [...texts, one] : [...texts, CUT]
}

/** Whether a turn found no room. */
export function isCut(texts: readonly TurnTexts[]): boolean {
  return texts.at(-1)?.[0] === 0
}

function octetsOf(texts: readonly TurnTexts[]): number {
  return texts.reduce(
    (sum, [, typed, shown]) => sum + Buffer.byteLength(typed ?? '') + Buffer.byteLength(shown ?? ''),
    0,
  )
}

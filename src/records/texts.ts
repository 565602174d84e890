/** Exact texts of dialogues in `cdr_text`: sealed with the key of the store, and bound to their row. */
import { type CallRecord, HIDDEN, type TurnTexts } from '../dialogue/index.ts'

/** The row of `cdr_text`. */
export interface TextsPlace {
  day: string
  epoch: string
  kind: string
}

export interface SealedTexts extends TextsPlace {
  sealed: string
}

/** The part of the sealer of the stores that is needed here. */
export interface TextsSealer {
  named(name: string): { seal(text: string, bound: string): string; open(stored: string, bound: string): string }
}

/** The form of the JSON. */
const FORM = 1

/** Undefined: the record has none. */
export function sealTexts(sealer: TextsSealer, { texts, epoch, kind }: CallRecord, day: string): string | undefined {
  return texts && sealer.named(keyOf(day)).seal(JSON.stringify([FORM, texts]), boundOf(epoch, kind))
}

/** Null: its key is not here, it was altered or moved, or a later release wrote it. */
export function openTexts(sealer: TextsSealer, { day, epoch, kind, sealed }: SealedTexts): TurnTexts[] | null {
  try {
    const [form, texts] = JSON.parse(sealer.named(keyOf(day)).open(sealed, boundOf(epoch, kind))) as [
      number,
      TurnTexts[],
    ]
    return form === FORM ? texts : null
  } catch {
    return null
  }
}

/** A key of its own for each day, as dialogues have one each. */
const keyOf = (day: string) => `texts:${HIDDEN}${day}`
const boundOf = (epoch: string, kind: string) => `${epoch}/${kind}`

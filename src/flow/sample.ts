/** What a text may look like: filled in with made-up values of the lengths that they may have. */
import type { DialogueContext } from '../../machines/dialogue.ts'
import type { Json, JsonObject } from '../ussd/types.ts'
import type { Message, Slot } from './message.ts'

/** Greatest lengths of values, by path. */
export type Bounds = ReadonlyMap<string, number>

/** Characters of a value whose bound is not known: the names of clinics, types and people are seldom longer. */
export const VALUE_LIKELY = 24

/** The longest of the forms that the message takes, choices and all, with no values or with likely ones. */
export function sample(message: Message, values: 'none' | 'likely', bounds: Bounds): string {
  const forms = message.slots.flatMap((slot) =>
    (slot.among ?? []).map((option) => ({ path: slot.path, option })),
  )
  const tried = forms.length === 0 ? [undefined] : forms
  const texts = tried.map((form) =>
    message.say(
      scopeOf(message.slots, (slot) => {
        if (form && slot.path === form.path && slot.as === 'choice') return form.option
        return valueOf(slot, values, bounds)
      }),
    ),
  )
  return texts.reduce((longest, text) => (text.length > longest.length ? text : longest))
}

function valueOf(slot: Slot, values: 'none' | 'likely', bounds: Bounds): Json {
  if (slot.as === 'date' || slot.as === 'time') return '2025-12-30T12:30:00Z'
  if (slot.as === 'number') return values === 'none' ? 0 : 100_000
  if (slot.as === 'choice' || values === 'none') return ''
  return 'x'.repeat(bounds.get(slot.path) ?? VALUE_LIKELY)
}

function scopeOf(
  slots: readonly Slot[],
  value: (slot: Slot) => Json,
): { context: DialogueContext; row: Json } {
  const roots: JsonObject = {
    data: {},
    answers: {},
    chosen: {},
    vars: {},
    row: {},
    msisdn: '675'.padEnd(15, '0'),
    language: 'en',
    code: '',
    line: '',
  }
  // Deeper paths last, so that a value never stands where a block must.
  for (const slot of slots.toSorted((a, b) => a.path.length - b.path.length))
    put(roots, slot.path.split('.'), value(slot))
  return { context: roots as unknown as DialogueContext, row: roots.row as Json }
}

function put(into: JsonObject, path: string[], value: Json): void {
  let here = into
  for (const key of path.slice(0, -1)) {
    const inner = here[key]
    here = (
      inner !== null && typeof inner === 'object' && !Array.isArray(inner) ? inner : (here[key] = {})
    ) as JsonObject
  }
  here[path.at(-1) as string] = value
}

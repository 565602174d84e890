/** What a text may look like: filled in with synthetic values of the lengths that they can have. */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { FlowFault } from '../../base/index.ts'
import type { Json, JsonObject } from '../../ussd/index.ts'
import type { Bounds } from './bounds.ts'
import type { Message, Slot } from '../text/index.ts'
import type { Scope } from '../expression/index.ts'

/** Characters of a value without a known bound. Names of clinics, types and people are seldom longer. */
const VALUE_LIKELY = 24

/** The longest form of the message, over all its choices, either without values or with likely ones. */
export function sample(
  message: Message,
  values: 'none' | 'likely',
  bounds: Bounds,
  isLettered: (path: string) => boolean = () => false,
  rows = '',
): string {
  const forms = message.slots.flatMap((slot) => (slot.among ?? []).map((option) => ({ path: slot.path, option })))
  const made = (form?: { path: string; option: string }) =>
    scopeOf(message.slots, (path, shown) =>
      form?.path === path && shown.has('choice') ? form.option : valueOf(path, shown, { values, bounds, isLettered }),
    )
  const texts = (forms.length === 0 ? [undefined] : forms).map((form) => said(message, { ...made(form), rows }))
  return texts.reduce((longest, text) => (text.length > longest.length ? text : longest))
}

/** A path that is used as two types that no value can have at once cannot be measured. */
function said(message: Message, scope: Scope): string {
  try {
    return message.say(scope)
  } catch (error) {
    if (error instanceof FlowFault) return ''
    throw error
  }
}

type Shown = ReadonlySet<Slot['as']>

interface Valued {
  values: 'none' | 'likely'
  bounds: Bounds
  /** The value may have letters that GSM 7-bit lacks. */
  isLettered: (path: string) => boolean
}

function valueOf(path: string, shown: Shown, how: Valued): Json {
  if (shown.has('date') || shown.has('time')) return shown.has('number') ? 1_767_097_800_000 : '2025-12-30T12:30:00Z'
  if (shown.has('number')) return how.values === 'none' ? 0 : (how.bounds.numbers.get(path) ?? 100_000)
  if (!shown.has('value') || how.values === 'none') return ''
  return (how.isLettered(path) ? 'ê' : 'x').repeat(how.bounds.lengths.get(path) ?? VALUE_LIKELY)
}

function scopeOf(slots: readonly Slot[], value: (path: string, shown: Shown) => Json): Scope {
  const fixed = { msisdn: '675'.padEnd(15, '0'), language: 'en', code: '*123#', line: 'a' }
  const roots: JsonObject = { data: {}, answers: {}, chosen: {}, vars: {}, row: {}, ...fixed }
  // Longer paths last, so that an object is never replaced by a value.
  const paths = [...new Set(slots.map((slot) => slot.path))].toSorted((a, b) => a.length - b.length)
  for (const path of paths) {
    const shown = new Set(slots.filter((slot) => slot.path === path).map((slot) => slot.as))
    put(roots, path.split('.'), value(path, shown))
  }
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

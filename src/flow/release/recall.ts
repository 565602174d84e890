/** A recalled revision: whatever a dialogue of it rests on, its next turn is its last, with the words of the recall. */
import type { CompiledFlow } from '../engine/index.ts'

/** `texts` by language; a language without one gets that of the flow's first language, or the flow's own `busy`. */
export function recalledFlow(flow: CompiledFlow, texts: Readonly<Record<string, string>>): CompiledFlow {
  return {
    ...flow,
    // Nothing is called and nothing moves: what the revision would do is what it was recalled for.
    step: (snapshot) => snapshot,
    want: ({ value, context }) => {
      const language = typeof context.language === 'string' ? context.language : (flow.languages[0] as string)
      const text = texts[language] ?? texts[flow.languages[0] as string] ?? flow.text('busy', language)
      return { do: 'end', text, screen: value, reason: 'recalled' }
    },
    resumable: () => false,
  }
}

/** A recalled revision: the next turn of each of its dialogues is the last, and shows the text of the recall. */
import type { CompiledFlow } from '../engine/index.ts'

/** `texts` by language. A language without a text gets that of the flow's first language, or the flow's own `busy`. */
export function recalledFlow(flow: CompiledFlow, texts: Readonly<Record<string, string>>): CompiledFlow {
  return {
    ...flow,
    // It calls nothing and moves nowhere: what the revision would do is why it was recalled.
    step: (snapshot) => snapshot,
    want: ({ value, context }) => {
      const language = typeof context.language === 'string' ? context.language : (flow.languages[0] as string)
      const text = texts[language] ?? texts[flow.languages[0] as string] ?? flow.text('busy', language)
      return { do: 'end', text, screen: value, reason: 'recalled' }
    },
    resumable: () => false,
  }
}

/** Checks that choices that may be typed by their words differ as people type them. */
import type { Complain } from './check.ts'
import { folded } from '../expression/index.ts'
import { takesLabels } from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'
import { wordsIn } from '../text/index.ts'

export function checkLabels({ definition, at }: ReadFlow, complain: Complain): void {
  for (const [name, screen] of Object.entries(definition.screens)) {
    if (!takesLabels(definition, screen) || !('choices' in screen)) continue
    for (const language of definition.languages) {
      const seen = new Set<string>()
      for (const [i, choice] of screen.choices.entries()) {
        const words = wordsIn(definition, choice.label, language)
        const typed = folded(words ?? '')
        const where = at(['screens', name, 'choices', i, 'label'])
        const about = `screen '${name}': '${words}' in '${language}'`
        if (words === undefined || words.includes('{')) continue
        const number = /^[\d*#+]/.test(typed) ? 'begins like a number, so nobody can type it' : ''
        const wrong = seen.has(typed) ? 'reads the same as another choice' : number
        if (wrong !== '')
          complain('warning', { where, what: `${about} ${wrong}`, remedy: 'use other words, or write labels: false' })
        seen.add(typed)
      }
    }
  }
}

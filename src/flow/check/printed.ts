/** Checks that numbers printed by the texts themselves, like those of choices, can be pressed. */
import type { Complain } from './check.ts'
import { type InputScreen, usesOf } from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'
import { acceptsAlone } from '../screens/index.ts'
import { wordsIn } from '../text/index.ts'

/** `1. Yes` or `0) Back` at the start of a line. */
const NUMBERED = /^[ \t]*(\d{1,3}|[*#]{1,2})[.)][ \t]+\S/gm

export function checkPrinted({ definition, at }: ReadFlow, complain: Complain): void {
  const { languages, screens } = definition
  for (const { screen, place, text, role } of usesOf(definition).texts) {
    const written = languages.map((language) => wordsIn(definition, text, language) ?? '')
    const printed = written.flatMap((words) => [...words.matchAll(NUMBERED)].map((found) => found[1] as string))
    const say = (number: string | undefined, why: string, remedy: string) => {
      if (number === undefined) return
      complain('warning', {
        where: at(place),
        what: `screen '${screen}' prints '${number}.' in its text, but ${why}`,
        remedy,
      })
    }
    if (role === 'notify') say(printed[0], 'a notification cannot be answered', 'make it a menu')
    if (role === 'title') say(printed[0], 'the connector numbers the choices itself', 'write the line under choices:')
    if (role !== 'prompt') continue
    const refused = printed.find((number) => !acceptsAlone(screens[screen] as InputScreen, number))
    say(refused, 'its rules refuse that answer', 'make it a menu, or remove the number')
  }
}

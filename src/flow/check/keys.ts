/** Whether the keys for `Back` and `Home` can be told from answers, and lead nowhere that changes something. */
import type { Complain } from './check.ts'
import { asks, kindOf, unaskedChange, keysOn } from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'

export function checkKeys({ definition, at }: ReadFlow, complain: Complain): void {
  for (const [name, screen] of Object.entries(definition.screens)) {
    if (!asks(screen)) continue
    const { back, home } = keysOn(definition, screen)
    const own = 'keys' in screen && screen.keys !== undefined
    const where = at(own ? ['screens', name, 'keys'] : ['screens', name])
    const say = (severity: 'error' | 'warning', what: string, remedy: string) =>
      complain(severity, { where, what: `screen '${name}'${what}`, remedy })
    if (back !== undefined && back === home)
      say('error', `: the key ${back} is both back and home`, 'give each a key of its own')
    if (back !== undefined && 'back' in screen && screen.back !== undefined)
      say('warning', ' has a line and a key for Back', 'leave out back:, or write keys: { back: false }')
    const { takes } = kindOf(screen)
    const taken = [back, home].filter((key) => key !== undefined && takes?.(screen, key))
    for (const key of taken)
      say('error', `: ${key} is a key, so it cannot be the answer ${key}`, 'another key, or keys: false')
    if (home !== undefined && unaskedChange(definition, definition.start)) {
      const what = `: the key ${home} leads to '${definition.start}', which changes something unasked`
      say('error', what, 'keys: { home: false }, or ask before the call')
    }
  }
}

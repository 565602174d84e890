/**
 * Checks that the keys for `Back` and `Home` differ from answers, and that they lead nowhere that changes something.
 */
import type { Complain } from './check.ts'
import { asks, type FlowDefinition, kindOf, unaskedChange, keysOn } from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'

export function checkKeys({ definition, at }: ReadFlow, complain: Complain): void {
  checkHome(definition, at, complain)
  for (const [name, screen] of Object.entries(definition.screens)) {
    if (!asks(screen)) continue
    const { back, home } = keysOn(definition, screen)
    const own = 'keys' in screen && screen.keys !== undefined
    const where = at(own ? ['screens', name, 'keys'] : ['screens', name])
    const say = (severity: 'error' | 'warning', what: string, remedy: string) =>
      complain(severity, { where, what: `screen '${name}'${what}`, remedy })
    if (back !== undefined && back === home)
      say('error', `: the key ${back} is used for both back and home`, 'use two different keys')
    for (const key of 'choices' in screen ? screen.choices.flatMap((choice) => choice.key ?? []) : [])
      if (key === back || key === home)
        say('error', `: the key ${key} goes back or home, so nobody can choose by it`, 'give the choice another key')
    if (back !== undefined && 'back' in screen && screen.back !== undefined)
      say('warning', ' has both a line and a key for Back', 'remove back: or write keys: { back: false }')
    const { takes } = kindOf(screen)
    const taken = [back, home].filter((key) => key !== undefined && takes?.(screen, key))
    for (const key of taken)
      say(
        'error',
        `: the key ${key} goes back or home, so nobody can answer ${key}`,
        'use another key, or write keys: false',
      )
    for (const to of home === undefined ? [] : [definition.start, definition.home ?? definition.start]) {
      if (!unaskedChange(definition, to)) continue
      const what = `: the key ${home} leads to '${to}', which changes something without a question`
      say('error', what, 'write keys: { home: false }, or ask a question before the call')
    }
  }
}

/** `home` without a key that leads there. */
function checkHome(definition: FlowDefinition, at: ReadFlow['at'], complain: Complain): void {
  const { home, screens } = definition
  if (home === undefined) return
  if (Object.values(screens).some((screen) => asks(screen) && keysOn(definition, screen).home !== undefined)) return
  const what = `home: ${home} has no effect, because no screen has a key for Home`
  complain('warning', { where: at(['home']), what, remedy: "keys: { home: '00' }" })
}

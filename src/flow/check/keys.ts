/**
 * Checks that the keys for `Back` and `Home` differ from answers, and that they lead nowhere that changes something.
 */
import type { Complain } from './check.ts'
import { asks, type FlowDefinition, kindOf, type ScreenDefinition, unaskedChange, keysOn } from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'
import type { Keys } from '../plan/index.ts'

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
    checkChoices(name, screen, { back, home }, at, complain)
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

/** Keys of single choices that mean something else, too. */
function checkChoices(
  name: string,
  screen: ScreenDefinition,
  keys: Keys,
  at: ReadFlow['at'],
  complain: Complain,
): void {
  const { takes } = kindOf(screen)
  for (const [i, { key }] of ('choices' in screen ? screen.choices : []).entries()) {
    if (key === undefined) continue
    const what =
      key === keys.back || key === keys.home
        ? `: the key ${key} goes back or home, so nobody can choose by it`
        : takes?.(screen, key)
          ? `: the key ${key} chooses a line, so nobody can answer ${key}`
          : undefined
    if (what === undefined) continue
    const where = at(['screens', name, 'choices', i, 'key'])
    complain('error', { where, what: `screen '${name}'${what}`, remedy: 'give the choice another key' })
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

/**
 * Checks the ways through a flow: every screen is reached, has a way out and something to press, and no circle passes
 * without a question.
 */
import type { Complain } from './check.ts'
import { circle, firstScreens, leavable, kindOf, reachable, keysOn } from '../language/index.ts'
import type { ReadFlow } from '../read/index.ts'

export function checkWays({ definition, at }: ReadFlow, complain: Complain): void {
  const reached = reachable(definition)
  const out = leavable(definition)
  const first = firstScreens(definition)
  for (const [name, screen] of Object.entries(definition.screens)) {
    const where = at(['screens', name])
    if (!reached.has(name)) {
      complain('warning', {
        where,
        what: `no screen leads to screen '${name}'`,
        remedy: 'lead to it from another screen, or delete it',
      })
    } else if (!out.has(name)) {
      complain('error', {
        where,
        what: `screen '${name}' has no way out: it leads to no end`,
        remedy: 'lead to a screen of kind end or exit',
      })
    }
    const { back, home } = keysOn(definition, screen)
    const keyed = (back !== undefined || home !== undefined) && !first.has(name)
    const dead = keyed ? undefined : kindOf(screen).deadEnd?.(screen)
    if (dead)
      complain(dead.severity, {
        where,
        what: `screen '${name}'${dead.what}`,
        remedy: 'add back: <screen>',
      })
  }
  const round = circle(definition)
  if (round) {
    const where = at(['screens', round[0] as string])
    complain('error', {
      where,
      what: `screen '${round[0]}' leads in a circle that asks nothing: ${round.join(' > ')}`,
    })
  }
}

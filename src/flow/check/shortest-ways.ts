/** The shortest way to each screen, as the keys to press. A problem shows it. The flow does not need to compile. */
import { kindOf, targetsOf, type FlowDefinition } from '../language/index.ts'

/** `dial > 2 > (wallet.buy refuses: insufficient)`, by screen. Screens that are never reached have none. */
export function trailsOf(definition: FlowDefinition): ReadonlyMap<string, string> {
  const trails = new Map([[definition.start, 'dial']])
  const next = [definition.start]
  for (const name of next) {
    const screen = definition.screens[name]
    if (!screen) continue
    const ways = targetsOf(screen).map(({ to, path }) => ({ to, pressed: kindOf(screen).pressed(screen, path, name) }))
    // The normal way first: a trail over a failure is only for what is not reached without it.
    for (const { to, pressed } of ways.toSorted((a, b) => Number(a.pressed !== '') - Number(b.pressed !== ''))) {
      if (trails.has(to)) continue
      trails.set(to, `${trails.get(name)}${pressed === '' ? '' : ` > ${pressed}`}`)
      next.push(to)
    }
  }
  return trails
}

/** The shortest way to each screen, as it is pressed: what a complaint shows itself by. Needs no flow that compiles. */
import { conditionWords } from '../expression/index.ts'
import { targetsOf, type FlowDefinition, type ScreenDefinition } from '../language/index.ts'

/** `dial > 2 > (wallet.buy refuses: insufficient)`, by screen; screens that are never reached have none. */
export function trailsOf(definition: FlowDefinition): ReadonlyMap<string, string> {
  const trails = new Map([[definition.start, 'dial']])
  const next = [definition.start]
  for (const name of next) {
    const screen = definition.screens[name]
    if (!screen) continue
    for (const { to, path } of targetsOf(screen)) {
      if (trails.has(to)) continue
      const pressed = pressedFor(name, screen, path)
      trails.set(to, `${trails.get(name)}${pressed === '' ? '' : ` > ${pressed}`}`)
      next.push(to)
    }
  }
  return trails
}

/** What is pressed, answered or found on that way; '' if it is what happens when all is well. */
function pressedFor(name: string, screen: ScreenDefinition, path: readonly (string | number)[]): string {
  const [key, which] = path
  if (key === 'choices' && 'choices' in screen) {
    // The rows of a list come first: how many there are, nobody knows here.
    const label = screen.choices[which as number]?.label
    if (screen.kind === 'menu') return String(Number(which) + 1)
    return `"${typeof label === 'string' ? label : Object.values(label ?? {})[0]}"`
  }
  if (key === 'back') return screen.kind === 'menu' ? String(screen.choices.length + 1) : 'Back'
  if (key === 'empty') return '(no rows)'
  if (screen.kind === 'list') return '1'
  if (key === 'giveUp') return '(too many wrong answers)'
  if (screen.kind === 'input') return `(an answer to '${name}')`
  if (screen.kind === 'notify') return '(shown)'
  if (screen.kind === 'branch') {
    const condition = key === 'branch' ? screen.branch[which as number]?.if : undefined
    return condition === undefined ? '' : `(${conditionWords(condition)})`
  }
  if (screen.kind !== 'call' || key === 'to') return ''
  return key === 'refused' ? `(${screen.call} refuses: ${which})` : `(${screen.call} fails)`
}

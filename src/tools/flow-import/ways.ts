/** Where a screen of a journey leads: by name, by conditions, through what is kept or asked on the way. */
import { besides, listOf, remark, type Locals } from './carrying.ts'
import type { JourneyNode } from './journey.ts'
import { conditionOf, type ScreenDraft } from './words.ts'

/** Puts the screen there; what its texts ask of the back end is called in front of it. */
export function putScreen(desk: ScreenDraft, screen: JourneyNode): void {
  const { carrying, name } = desk
  const asked = carrying.operations.get(name)
  if (!asked) return void (carrying.screens[name] = screen)
  const shown = besides(desk, name, 'shown')
  carrying.screens[name] = askOf(desk, shown)
  carrying.screens[shown] = screen
}

function askOf({ carrying, name }: ScreenDraft, to: string): JourneyNode {
  const { args, fields } = carrying.operations.get(name)!
  return { call: `${carrying.backend}.${name}`, with: args, expect: Object.fromEntries(fields), to }
}

interface Ways {
  /** Where it leads when no condition holds. */
  default: unknown
  /** The key of the screen that it is about. */
  key: string
  /** What the branch is called, if it takes one. */
  name: string
}

/** The screen that `next_screen` leads to: a name, or a list of conditions that a branch is made for. */
export function waysOf(desk: ScreenDraft, written: unknown, ways: Ways): string {
  const { carrying } = desk
  if (typeof written === 'string' && ways.name !== desk.name) return carrying.nameOf(written)
  const cases = listOf(written)
  if (cases.length === 0 && typeof ways.default === 'string' && ways.name !== desk.name)
    return carrying.nameOf(ways.default)
  const own: ScreenDraft = { ...desk, name: ways.name }
  const branch: JourneyNode[] = []
  let otherwise: string | undefined
  for (const one of cases) {
    const to = carrying.nameOf(String(one.next_screen))
    const locals = { ...own.locals, ...(one.locals as Locals | undefined) }
    const condition = conditionOf(one.condition ?? one.expression, { ...own, locals }, ways.key)
    if (condition === false) continue
    if (condition === true) otherwise ??= to
    else if (otherwise === undefined) branch.push({ if: condition, to })
  }
  otherwise ??= typeof ways.default === 'string' ? carrying.nameOf(ways.default) : nowhere(desk, ways)
  if (branch.length === 0 && ways.name !== desk.name) return otherwise
  const step: JourneyNode = branch.length ? { branch, else: otherwise } : { set: { passed: true }, to: otherwise }
  if (!carrying.operations.has(ways.name)) carrying.screens[ways.name] = step
  else {
    carrying.screens[besides(desk, ways.name, 'answered')] = step
    carrying.screens[ways.name] = askOf(own, besides(desk, ways.name, 'answered'))
  }
  return ways.name
}

/** Where a screen with `next_screen` and `default_next_screen` leads. */
export function nextOf(desk: ScreenDraft): string {
  const { next_screen: next, default_next_screen: otherwise } = desk.screen.written
  return waysOf(desk, next, { default: otherwise, key: 'next_screen', name: besides(desk, desk.name, 'next') })
}

function nowhere(desk: ScreenDraft, { key }: Ways): string {
  const { carrying, screen, name } = desk
  const what = `screen '${screen.name}' leads nowhere if no condition holds`
  remark(carrying, screen, key, {
    what,
    remedy: `the dialogue then ends with goodbye: add a default_next_screen`,
    lost: false,
  })
  carrying.screens[besides(desk, name, 'nowhere')] = { exit: true }
  return besides(desk, name, 'nowhere')
}

/** Copies what was just kept, if other kinds of screens keep theirs under the same key; where the way goes on. */
export function keep(desk: ScreenDraft, key: string, path: string, to: string): string {
  const { carrying, name } = desk
  if (!carrying.copied.has(key)) return to
  carrying.screens[besides(desk, name, 'keep')] = { set: { [carrying.keyName(key)]: `{${path}}` }, to }
  return besides(desk, name, 'keep')
}

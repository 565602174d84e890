/** Where a screen of a journey leads: by name, by conditions, and through what is kept or asked on the way. */
import { besides, listOf, remark, type Locals } from './carrying.ts'
import type { JourneyNode } from './journey.ts'
import { conditionOf, type ScreenDraft } from './words.ts'

/** Adds the screen. If its texts need the back end, a call is put before it. */
export function putScreen(draft: ScreenDraft, screen: JourneyNode): void {
  const { carrying, name } = draft
  const asked = carrying.operations.get(name)
  if (!asked) return void (carrying.screens[name] = screen)
  const shown = besides(draft, name, 'shown')
  carrying.screens[name] = askOf(draft, shown)
  carrying.screens[shown] = screen
}

function askOf({ carrying, name }: ScreenDraft, to: string): JourneyNode {
  const { args, fields } = carrying.operations.get(name)!
  return { call: `${carrying.backend}.${name}`, with: args, expect: Object.fromEntries(fields), to }
}

interface Ways {
  /** Where it leads if no condition holds. */
  default: unknown
  /** The key of the screen that has these ways. */
  key: string
  /** The name of the branch, if one is needed. */
  name: string
}

/** The screen to which `next_screen` leads: a name, or a list of conditions that becomes a branch. */
export function waysOf(draft: ScreenDraft, written: unknown, ways: Ways): string {
  const { carrying } = draft
  if (typeof written === 'string' && ways.name !== draft.name) return carrying.nameOf(written)
  const cases = listOf(written)
  if (cases.length === 0 && typeof ways.default === 'string' && ways.name !== draft.name)
    return carrying.nameOf(ways.default)
  const own: ScreenDraft = { ...draft, name: ways.name }
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
  otherwise ??= typeof ways.default === 'string' ? carrying.nameOf(ways.default) : nowhere(draft, ways)
  if (branch.length === 0 && ways.name !== draft.name) return otherwise
  const step: JourneyNode = branch.length ? { branch, else: otherwise } : { set: { passed: true }, to: otherwise }
  if (!carrying.operations.has(ways.name)) carrying.screens[ways.name] = step
  else {
    carrying.screens[besides(draft, ways.name, 'answered')] = step
    carrying.screens[ways.name] = askOf(own, besides(draft, ways.name, 'answered'))
  }
  return ways.name
}

/** Where a screen with `next_screen` and `default_next_screen` leads. */
export function nextOf(draft: ScreenDraft): string {
  const { next_screen: next, default_next_screen: otherwise } = draft.screen.written
  return waysOf(draft, next, { default: otherwise, key: 'next_screen', name: besides(draft, draft.name, 'next') })
}

function nowhere(draft: ScreenDraft, { key }: Ways): string {
  const { carrying, screen, name } = draft
  const what = `screen '${screen.name}' leads nowhere if no condition holds`
  remark(carrying, screen, key, {
    what,
    remedy: `the dialogue then ends with goodbye: add a default_next_screen`,
    lost: false,
  })
  carrying.screens[besides(draft, name, 'nowhere')] = { exit: true }
  return besides(draft, name, 'nowhere')
}

/**
 * If other kinds of screens write the same key, copies the value that was just kept. Returns where the way continues.
 */
export function keep(draft: ScreenDraft, key: string, path: string, to: string): string {
  const { carrying, name } = draft
  if (!carrying.copied.has(key)) return to
  carrying.screens[besides(draft, name, 'keep')] = { set: { [carrying.keyName(key)]: `{${path}}` }, to }
  return besides(draft, name, 'keep')
}

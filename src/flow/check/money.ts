/**
 * Checks of calls that change something: that somebody says so, that no negative amount reaches them, and that none of
 * them is made again while nobody knows what became of it.
 */
import type { Problem } from '../../base/index.ts'
import { isExpression, wholePath } from '../expression/index.ts'
import {
  asks,
  callOf,
  type CallScreen,
  type FlowDefinition,
  firstScreens,
  isSeen,
  kindOf,
  type Scalar,
  type ScreenDefinition,
  SMS,
  SUBSCRIBER,
  targetsOf,
  usesOf,
} from '../language/index.ts'
import { saidOfCall, type ReadFlow } from '../read/index.ts'
import type { Complain } from './check.ts'
import { rangesOf } from './ranges.ts'
import { trailsOf } from './shortest-ways.ts'
import { typesIn } from './types.ts'

export function checkMoney(read: ReadFlow, complain: Complain): void {
  checkSaid(read, complain)
  checkNegative(read, complain)
  for (const [name, screen] of callsIn(read.definition)) {
    checkSettling(name, screen, read, complain)
    if (screen.once) checkUnknown(name, screen, read, complain)
  }
}

/** Calls of back ends of the operator: not those of the daemon itself. */
export function callsIn(definition: FlowDefinition): [string, CallScreen][] {
  return Object.entries(definition.screens).flatMap(([name, screen]): [string, CallScreen][] => {
    const call = callOf(screen)
    return call && ![SMS, SUBSCRIBER].includes(call.call.split('.')[0] as string) ? [[name, call]] : []
  })
}

/** How many dialled answers are enough to make one think: `*123*4*1#` is typed or stored by many. */
const DIALLED_AT_ONCE = 2

function checkSaid(read: ReadFlow, complain: Complain): void {
  const { definition, at, backends } = read
  const trails = trailsOf(definition)
  for (const [name, screen] of callsIn(definition)) {
    const { call } = screen
    const [backend = ''] = call.split('.')
    if (screen.once === false && saidOfCall(screen, backends)?.does === 'changes') {
      complain('error', {
        where: at(['screens', name, 'once']),
        what: `screen '${name}' says once: false, but ${backends.get(backend)?.file} says that ${call} changes something`,
        remedy: 'remove once: false, or correct the file of the back end',
      })
    }
    if (screen.once !== undefined) continue
    const keys = (trails.get(name) ?? '').split(' > ').slice(1)
    const isDialled = keys.length <= DIALLED_AT_ONCE && trails.has(name) && keys.every((key) => /^\d+$/.test(key))
    const dialled = isDialled ? `; *123${keys.map((key) => `*${key}`).join('')}# makes it` : ''
    complain('error', {
      where: at(['screens', name, 'call']),
      what: `screen '${name}' calls ${call}, and nothing says whether that reads or changes something${dialled}`,
      remedy: `write does: reads or does: changes in backends/${backend}.yaml, or once: true or once: false here`,
    })
  }
}

function checkNegative({ definition, at }: ReadFlow, complain: Complain): void {
  const ranges = rangesOf(definition, { unsaidMin: 0 })
  const typeOf = typesIn(definition)
  for (const { screen, place, value } of usesOf(definition).values) {
    const call = callOf(definition.screens[screen])
    if (place[2] !== 'with' || !call?.once) continue
    const path = wholePath(value)
    if (path !== undefined ? typeOf(path) !== 'number' : !isExpression(value)) continue
    const range = ranges.ofValue(value, screen)
    if (range === undefined || range.min >= 0) continue
    // A least value that somebody wrote down is meant, or at least seen.
    const severity = range.min === -Infinity ? 'error' : 'warning'
    const shown = path ?? expressionWords(value)
    complain(severity, {
      rule: 'negative',
      where: at(place),
      what: `screen '${screen}' sends '${shown}' to ${call.call}, which changes something, but it may be negative`,
      remedy: 'give its input or its set a lower bound: number: { min: 1 }, or = max(…, 0)',
    })
  }
}

const expressionWords = (value: Scalar) => String(value).replace(/^=\s*/, '')

/** `settle` must name a call that only asks. */
function checkSettling(name: string, screen: CallScreen, { definition, at }: ReadFlow, complain: Complain): void {
  if (screen.settle === undefined) return
  const where = at(['screens', name, 'settle'])
  const by = callOf(definition.screens[screen.settle])
  if (!by || by.once) {
    const what = `screen '${name}' is settled by '${screen.settle}', which is not a call that reads`
    complain('error', { where, what, remedy: 'name the screen that asks the back end what became of the call' })
  } else if (!screen.once) {
    const what = `screen '${name}' has settle, but its call changes nothing`
    complain('warning', { rule: 'settle-unused', where, what, remedy: 'use failed instead' })
  }
}

function checkUnknown(name: string, screen: CallScreen, read: ReadFlow, complain: Complain): void {
  const { definition, at, backends } = read
  const said = saidOfCall(screen, backends)
  const [backend] = screen.call.split('.')
  const declared = said?.settledBy === undefined ? undefined : `${backend}.${said.settledBy}`
  const named = screen.settle === undefined ? undefined : callOf(definition.screens[screen.settle])
  const status = new Set([declared, named?.call])
  const key = screen.settle === undefined ? 'failed' : 'settle'
  const start = targetsOf(screen).find(({ path }) => path[0] === key)?.to
  const where = at(start === undefined ? ['screens', name] : ['screens', name, key])
  const found = start === undefined ? undefined : again(screen, start, { definition, status })
  if (found) {
    const over = found.fails
      ? `'${found.screen}', which may fail, leads to it again`
      : `'${found.screen}' leads to it again`
    const problem: Problem = {
      where,
      what: `screen '${name}' may have been done when it fails, but the way over ${over}${found.fails ? '' : ', and no call asks before'}`,
      remedy: 'lead to a call that asks what became of it: settle: <screen>, or settledBy in the file of the back end',
    }
    complain('error', problem)
  } else if (declared !== undefined && !(start !== undefined && leadsTo(declared, start, definition))) {
    const what = `${declared} settles ${screen.call}, but '${name}' does not lead to it when it fails`
    complain('warning', { rule: 'unsettled', where, what, remedy: `write settle: <the screen that calls ${declared}>` })
  }
}

/**
 * The screen over which the same operation is made again before a call told what became of the first. Undefined: there
 * is no such way. A subscriber who is back at the start begins again, as after a redial.
 */
function again(
  { call }: CallScreen,
  start: string,
  { definition, status }: { definition: FlowDefinition; status: ReadonlySet<string | undefined> },
): { screen: string; fails: boolean } | undefined {
  const stops = new Set([definition.start, ...firstScreens(definition)])
  const over = new Map([[start, { screen: start, fails: false }]])
  const next = [start]
  for (const name of next) {
    const screen = definition.screens[name]
    if (!screen || stops.has(name)) continue
    const made = callOf(screen)
    if (made?.call === call && made.once) return over.get(name)
    const settles = made !== undefined && status.has(made.call)
    for (const { to, path } of targetsOf(screen)) {
      if (over.has(to) || (settles && path[0] !== 'failed')) continue
      over.set(to, settles ? { screen: name, fails: true } : over.get(name)!)
      next.push(to)
    }
  }
  return undefined
}

/** Whether the way from this screen makes the call before the next question. */
function leadsTo(call: string, start: string, definition: FlowDefinition): boolean {
  const seen = new Set<string>()
  const look = (name: string): boolean => {
    const screen: ScreenDefinition | undefined = definition.screens[name]
    if (!screen || seen.has(name)) return false
    seen.add(name)
    if (callOf(screen)?.call === call) return true
    if (asks(screen) || kindOf(screen).does === 'end' || isSeen(screen)) return false
    return targetsOf(screen).some(({ to }) => look(to))
  }
  return look(start)
}

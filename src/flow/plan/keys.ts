/**
 * The keys for `Back` and `Home`, around any screen that asks. The trail records the screens that were seen, and the
 * lines that name the keys stand under the page. The screen inside lays its page out in the space that they leave.
 */
import type { DialogueContext, DialogueEvent, Move, Visit } from '../../../machines/dialogue.ts'
import { type PageLimit, trimAnswer } from '../../ussd/index.ts'
import { pageFor, roomAbove } from '../engine/index.ts'
import { left, restless, type Env, type Plan } from './plan.ts'

/** The most screens in the trail. Each costs some 40 octets of every snapshot, and nobody goes back further. */
export const TRAIL_MAX = 20
/** The state that leads on to the screen seen before. */
export const BACK = '_back'

export interface Keys {
  back?: string | undefined
  home?: string | undefined
}

/** Where `Home` leads: to `start`, and to `home` once the dialogue has been there. */
export interface Homes {
  start: string
  home?: string | undefined
}

/** Adds the keys of a screen that asks to its plan. */
export function keyed(plan: Plan, env: Env, keys: Keys, homes: Homes): Plan {
  const around: Around = { env, keys, homes, rooms: [] }
  const { arrive = (context: DialogueContext) => context, answer, pass } = plan
  return {
    ...plan,
    targets: [...plan.targets, BACK, ...leads(homes)],
    arrive: (context) => {
      const here = seen(context, env.name)
      return { ...arrive(narrowed(here, around)), page: context.page, again: null }
    },
    answer: (context, event) =>
      keyPressed(context, event, around) ?? widened(answer?.(narrowed(context, around), event), context),
    ...(pass ? { pass: (context: DialogueContext) => passed(context, pass, around) } : {}),
    choice: (context, answer) =>
      [keys.back, keys.home].find((key) => key !== undefined && key === trimAnswer(answer)) ??
      plan.choice?.(narrowed(context, around), answer),
    want: (context) => {
      const want = plan.want(narrowed(context, around))
      return want.do === 'ask' ? { ...want, text: [want.text, ...linesOf(context, around)].join('\n') } : want
    },
  }
}

/** The plan of the state to which `Back` leads: on to the screen seen before, at the page that was shown. */
export function backPlan(asking: readonly string[], env: Env, start: string): Plan {
  return {
    targets: [...asking, start],
    pass: (context) => {
      const last = trailOf(context).at(-1)
      if (!last) return { to: start, context }
      return { to: last.screen, context: { ...context, again: last.at, ...(last.find ? { find: last.find } : {}) } }
    },
    want: () => restless(env),
  }
}

/** Every screen to which `Home` may lead. */
const leads = ({ start, home }: Homes): string[] => [start, ...(home === undefined ? [] : [home])]

/**
 * The same plan; arriving there, the dialogue has reached the screen of `home`, or starts again. Before it was there, no
 * key leads to it: a screen behind a PIN is not reached past the PIN.
 */
export function reaching(plan: Plan, homed: true | null): Plan {
  const { arrive } = plan
  return { ...plan, arrive: (context) => arrive?.({ ...context, homed }) ?? { ...context, homed } }
}

/** The context with an empty trail: a call has changed something since. */
export function barred(context: DialogueContext): DialogueContext {
  return context.trail === undefined ? context : { ...context, trail: [] }
}

interface Around {
  env: Env
  keys: Keys
  homes: Homes
  /** The last pages that the lines left: the dialects of the lines have only a few limits, and a flow few languages. */
  rooms: Room[]
}

/** The page that the lines leave. */
interface Room {
  language: string
  isHome: boolean
  septets: number
  ucs2: number
  page: PageLimit
}

/** The most of them. */
const ROOMS_MAX = 20

function trailOf(context: DialogueContext): Visit[] {
  return context.trail ?? []
}

/** On arrival: adds the screen to the trail. If the trail has the screen already, everything since then is dropped. */
function seen(context: DialogueContext, screen: string): DialogueContext {
  const trail = trailOf(context)
  const before = trail.findIndex((visit) => visit.screen === screen)
  const kept = before < 0 ? trail.slice(1 - TRAIL_MAX) : trail.slice(0, before)
  return { ...context, trail: [...kept, { screen, at: null }] }
}

function keyPressed(context: DialogueContext, event: DialogueEvent, around: Around): Move | undefined {
  if (event.type !== 'ANSWER') return undefined
  const answer = trimAnswer(event.text)
  const trail = trailOf(context)
  const page = context.shown?.at ?? []
  if (answer === around.keys.back && page.length > 1 && trail.length > 0) return turnedTo(context, page.slice(0, -1))
  if (answer === around.keys.back && trail.length > 1)
    return { to: BACK, context: left({ ...context, dialled: context.dialled, trail: trail.slice(0, -1) }) }
  const home = answer === around.keys.home ? homeOf(context, around) : undefined
  if (home !== undefined) return { to: home, context: left({ ...context, dialled: context.dialled, trail: [] }) }
  return undefined
}

/** Going back a page arrives at the screen again. */
function turnedTo(context: DialogueContext, at: Visit['at']): Move {
  const trail = [...trailOf(context).slice(0, -1), visitOf(context, trailOf(context).at(-1) as Visit, at)]
  return { to: BACK, context: left({ ...context, trail }) }
}

function passed(context: DialogueContext, pass: NonNullable<Plan['pass']>, around: Around): Move | undefined {
  const [next, ...rest] = context.dialled
  const key =
    next === undefined ? undefined : keyPressed({ ...context, dialled: rest }, { type: 'ANSWER', text: next }, around)
  if (key) return key
  const move = widened(pass(narrowed(context, around)), context)
  // A list without rows leads on and is never seen.
  const unseen = move?.to !== undefined && context.shown === null
  return unseen ? { ...move, context: { ...move.context, trail: trailOf(context).slice(0, -1) } } : move
}

/** Restores the full page size after a move, and records the page that was shown in the trail. */
function widened(move: Move | undefined, before: DialogueContext): Move | undefined {
  if (!move) return undefined
  const context = { ...move.context, page: before.page }
  const here = trailOf(context).at(-1)
  if (move.to === undefined || !here || !before.shown) return { ...move, context }
  return {
    ...move,
    context: { ...context, trail: [...trailOf(context).slice(0, -1), visitOf(before, here, before.shown.at)] },
  }
}

function visitOf({ find }: DialogueContext, { screen }: Visit, at: Visit['at']): Visit {
  return find ? { screen, at, find } : { screen, at }
}

/** Where the key for `Home` leads from here. Undefined: there is none, or the dialogue is there. */
function homeOf({ homed }: DialogueContext, { env, keys, homes: { start, home } }: Around): string | undefined {
  if (keys.home === undefined) return undefined
  if (homed && home !== undefined) return env.home ? undefined : home
  return env.first ? undefined : start
}

/** The lines of the keys that lead somewhere from here. */
function linesOf(context: DialogueContext, around: Around): string[] {
  const { env, keys } = around
  const back = keys.back !== undefined && (trailOf(context).length > 1 || (context.shown?.at.length ?? 0) > 1)
  return [
    ...(back ? [`${keys.back}. ${env.word('back', context)}`] : []),
    ...(homeOf(context, around) === undefined ? [] : [`${keys.home}. ${env.word('home', context)}`]),
  ]
}

/** Reserves space for all possible lines, so that a page is the same when it is shown again. */
function narrowed(context: DialogueContext, around: Around): DialogueContext {
  const isHome = homeOf(context, around) !== undefined
  return around.keys.back === undefined && !isHome ? context : { ...context, page: roomIn(context, isHome, around) }
}

function roomIn(context: DialogueContext, isHome: boolean, { env, keys, rooms }: Around): PageLimit {
  const { language, page } = context
  const { septets, ucs2 } = page
  for (const one of rooms)
    if (one.language === language && one.isHome === isHome && one.septets === septets && one.ucs2 === ucs2)
      return one.page
  const back = keys.back === undefined ? [] : [`${keys.back}. ${env.word('back', context)}`]
  const home = isHome ? [`${keys.home}. ${env.word('home', context)}`] : []
  const above = roomAbove([...back, ...home], pageFor(context))
  if (rooms.length >= ROOMS_MAX) rooms.length = 0
  rooms.push({ language, isHome, septets, ucs2, page: above })
  return above
}

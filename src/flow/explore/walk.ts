/** A flow walked breadth-first with made-up data: every page that it shows, with the shortest way to each. */
import { toEnd, FlowFault } from '../../base/index.ts'
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { USSD_PAGE } from '../../ussd/index.ts'
import {
  CALLS_PER_TURN_MAX,
  WALKED_AT,
  type CompiledFlow,
  type FlowEvent,
  type FlowSnapshot,
  type Want,
} from '../engine/index.ts'
import type { Compilation } from '../load/index.ts'
import { leadsTo, meets, edgesOf, type Edge } from './edge.ts'
import { NEVER_RIGHT } from '../language/index.ts'
import { stateKeys } from './state-key.ts'
import type { Lengths } from './synthetic-rows.ts'
import { syntheticWorld, type SyntheticWorld } from './fixtures.ts'

/** Pages of one walk. A flow has a page or two for each screen and state of its conditions. */
export const PAGES_MAX = 2000

/** A page as the handset shows it. */
export interface WalkedPage {
  /** `main`, `slot-2`: the screen, and which of the pages seen on it. */
  id: string
  screen: string
  want: Exclude<Want, { do: 'call' }>
  /** What is pressed and what is answered by back ends, from the dial on. */
  trail: readonly string[]
  context: DialogueContext
  /** What each answer led to. */
  leads: Edge[]
}

/** Where the walk could not go on as a subscriber would have wished. */
export interface WalkFault {
  screen: string
  trail: readonly string[]
  what: string
}

export interface Walk {
  pages: WalkedPage[]
  faults: WalkFault[]
  /** Screens that were seen or passed through as calls. */
  screens: ReadonlySet<string>
  /** There are more pages than the walk has taken. */
  cut: boolean
}

interface Step {
  snapshot: FlowSnapshot
  trail: readonly string[]
  calls: number
  from: Edge
}

interface Walking {
  flow: CompiledFlow
  world: SyntheticWorld
  sign: (snapshot: FlowSnapshot) => string
  queue: Step[]
  seen: Map<string, WalkedPage>
  /** What came first to each call. */
  called: Map<string, Edge>
  ids: Map<string, number>
  walk: Walk & { screens: Set<string> }
}

/** Walks in that language. Faults in a screen end that branch, not the walk. */
export function walkFlow(compilation: Compilation, language: string, lengths: Lengths = 'likely'): Walk {
  return toEnd(walkingFlow(compilation, language, lengths))
}

/** Steps between two rests: some milliseconds. */
const STEPS_MAX = 10

/** The same in pieces: whoever has more to do than to walk may do it at each `yield`. */
export function* walkingFlow(
  { flow, definition }: Compilation,
  language: string,
  lengths: Lengths = 'likely',
): Generator<undefined, Walk> {
  const walking: Walking = {
    flow,
    world: syntheticWorld(definition, lengths),
    sign: stateKeys(definition),
    queue: [],
    seen: new Map(),
    called: new Map(),
    ids: new Map(),
    walk: { pages: [], faults: [], screens: new Set(), cut: false },
  }
  const input = {
    msisdn: '67570000001',
    code: '*123#',
    line: 'walk',
    language,
    dialled: [],
    page: USSD_PAGE,
    now: WALKED_AT,
  }
  attempt(walking, { screen: definition.start, trail: ['dial'] }, () => {
    walking.queue.push({ snapshot: flow.begin(input), trail: ['dial'], calls: 0, from: edgesOf('dial') })
  })
  for (let i = 0; i < walking.queue.length; i++) {
    const step = walking.queue[i] as Step
    attempt(walking, { screen: step.snapshot.value, trail: step.trail }, () => rest(step, walking))
    if (i % STEPS_MAX === 0) yield
  }
  return walking.walk
}

function rest(step: Step, walking: Walking): void {
  const { flow, seen, walk } = walking
  const want = flow.want(step.snapshot)
  walk.screens.add(step.snapshot.value)
  const sign = walking.sign(step.snapshot)
  if (want.do === 'call') {
    const first = walking.called.get(sign)
    if (first) return meets(first, step.from)
    walking.called.set(sign, step.from)
    return called(step, walking)
  }
  const known = seen.get(sign)
  if (known) return leadsTo(step.from, known.id)
  if (walk.pages.length >= PAGES_MAX) return void (walk.cut = true)
  const page = pageOf(step, want, walking)
  seen.set(sign, page)
  walk.pages.push(page)
  leadsTo(step.from, page.id)
  if (want.do === 'notify') follow({ step, page, event: { type: 'ACK' }, told: '(shown)' }, walking)
  if (want.do === 'ask') answered(step, page, walking)
}

function called(step: Step, walking: Walking): void {
  const { snapshot, trail, from } = step
  if (step.calls >= CALLS_PER_TURN_MAX) {
    const what = `more than ${CALLS_PER_TURN_MAX} calls without a question between them`
    return void walking.walk.faults.push({ screen: snapshot.value, trail, what })
  }
  for (const { event, told } of walking.world.outcomes(snapshot.value)) {
    const way = told === '' ? trail : [...trail, `(${told})`]
    attempt(walking, { screen: snapshot.value, trail: way }, () => {
      const next = walking.flow.step(snapshot, event)
      walking.queue.push({ snapshot: next, trail: way, calls: step.calls + 1, from })
    })
  }
}

/** Every number that the page prints, or an answer that the input takes. */
function answered(step: Step, page: WalkedPage, walking: Walking): void {
  const typed = walking.world.answers(page.screen)
  const isSecret = walking.world.isSecret(page.screen)
  const toldOf = (answer: string) => (isSecret && typed.includes(answer) ? MASK : answer)
  const printed = [...page.want.text.matchAll(/^([\d*#]+)\. /gm)].map((found) => found[1] as string)
  const input = page.context.shown === null
  if (!input && printed.length === 0) {
    const what = 'no key leads on from here'
    walking.walk.faults.push({ screen: page.screen, trail: step.trail, what })
  }
  const keys = printed.filter((pressed) => !/^[1-9]/.test(pressed))
  for (const answer of input ? [...typed, ...keys] : printed)
    follow({ step, page, event: { type: 'ANSWER', text: answer }, told: toldOf(answer), typed: input }, walking)
  const letters = page.context.find ? undefined : walking.world.searched(page.screen, page.context)
  if (letters !== undefined) follow({ step, page, event: { type: 'ANSWER', text: letters }, told: letters }, walking)
  if (walking.world.givesUp(page.screen)) giveUp(step, page, walking)
}

/** What a secret answer reads like wherever it is shown. */
const MASK = '****'

/** Wrong answers until the screen leads on. */
function giveUp(step: Step, page: WalkedPage, walking: Walking): void {
  const trail = [...step.trail, '(wrong answers)']
  attempt(walking, { screen: page.screen, trail }, () => {
    let { snapshot } = step
    do snapshot = walking.flow.step(snapshot, { type: 'ANSWER', text: NEVER_RIGHT })
    while (snapshot.value === page.screen)
    walking.queue.push({ snapshot, trail, calls: 0, from: pressedOn(page, '(wrong answers)') })
  })
}

function follow(
  {
    step,
    page,
    event,
    told,
    typed = false,
  }: { step: Step; page: WalkedPage; event: FlowEvent; told: string; typed?: boolean },
  walking: Walking,
): void {
  const trail = [...step.trail, told]
  attempt(walking, { screen: page.screen, trail }, () => {
    const snapshot = walking.flow.step(step.snapshot, event)
    const { wrong } = contextOf(snapshot)
    // Whether a made-up answer holds against what else is known, only the screen can say.
    if (typed && wrong > 0 && snapshot.value === step.snapshot.value) return undefined
    if (snapshot === step.snapshot || (wrong > 0 && snapshot.value === step.snapshot.value)) {
      const what = `the page prints ${told}, but the screen does not take it`
      return void walking.walk.faults.push({ screen: page.screen, trail, what })
    }
    walking.queue.push({ snapshot, trail, calls: 0, from: pressedOn(page, told) })
  })
}

function pressedOn(page: WalkedPage, answer: string): Edge {
  const pressed = edgesOf(answer)
  page.leads.push(pressed)
  return pressed
}

function attempt(walking: Walking, at: { screen: string; trail: readonly string[] }, run: () => void): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof FlowFault)) throw error
    // What is passed through on the way may be at fault, and says so.
    const [, screen = at.screen, what = error.message] = /^screen '([^']+)': (.*)$/s.exec(error.message) ?? []
    walking.walk.faults.push({ ...at, screen, what })
  }
}

function pageOf(step: Step, want: WalkedPage['want'], { ids }: Walking): WalkedPage {
  const n = (ids.get(want.screen) ?? 0) + 1
  ids.set(want.screen, n)
  const id = n === 1 ? want.screen : `${want.screen}-${n}`
  return { id, screen: want.screen, want, trail: step.trail, context: contextOf(step.snapshot), leads: [] }
}

export function contextOf(snapshot: FlowSnapshot): DialogueContext {
  return snapshot.context as unknown as DialogueContext
}

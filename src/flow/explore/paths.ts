/** Talks made from a flow: the shortest ways that take every transition, with made-up back ends and subscribers. */
import { getShortestPaths } from 'xstate/graph'
import { FlowFault } from '../../base/index.ts'
import { USSD_PAGE } from '../../ussd/index.ts'
import { CALLS_PER_TURN_MAX, WALKED_AT, type FlowEvent, type FlowInput, type FlowSnapshot } from '../engine/index.ts'
import type { Compilation } from '../load/index.ts'
import { isPlain, writeTalk, talkOf, type TalkEntry } from '../talk/index.ts'
import { NEVER_RIGHT } from '../language/index.ts'
import { transitionsOf, type Transition } from './transitions.ts'
import { contextOf, PAGES_MAX } from './walk.ts'
import { stateKeys } from './state-key.ts'
import { syntheticWorld, type SyntheticWorld } from './fixtures.ts'

const CODE = '*123#'

export interface Paths {
  /** A `.talk` file; each talk ends where a transition is taken that no talk before has. */
  text: string
  talks: number
  /** Transitions that there are, and those that no talk takes. */
  all: number
  missing: Transition[]
  /** The flow has more places than were looked at: some of what is missing may be beyond them. */
  cut: boolean
}

/** What is done at one place of the graph: one event, or as many wrong answers as it takes. */
interface Act {
  type: string
  events: readonly FlowEvent[]
}

/** A place of the graph. */
interface Place {
  snapshot: FlowSnapshot
  /** Calls since the last answer. */
  calls: number
  /** A fault was run into: the check tells of it. */
  fault?: true
}

interface Way {
  acts: readonly Act[]
  end: Place
  finds: string[]
}

/** For a flow that has been checked. `placesMax`: of the flow, that are looked at. */
export function talksOf(compilation: Compilation, placesMax = PAGES_MAX): Paths {
  const { definition, flow } = compilation
  const input: FlowInput = {
    msisdn: '67570000001',
    code: CODE,
    line: 'talk',
    language: definition.languages[0]!,
    dialled: [],
    page: USSD_PAGE,
    now: WALKED_AT,
  }
  const graph = graphOf(compilation, input, placesMax)
  const { ways, found } = waysOf(graph, compilation, input)
  // A way that another one goes on from is told by that.
  const whole = ways.filter(
    (way) => !ways.some((other) => other !== way && way.acts.every((act, i) => other.acts[i] === act)),
  )
  const talks = whole.map((way) => {
    const entries: TalkEntry[] = [
      { input },
      ...settled(way, graph).flatMap((act) => act.events.map((event) => ({ event }))),
    ]
    return writeTalk({ title: way.finds.at(-1)!, steps: talkOf({ flow, entries })!.steps })
  })
  const { all } = transitionsOf(compilation)
  const head = `# Written by flow paths: every transition that it reaches with synthetic answers.\nflow ${definition.flow}\ncode ${CODE}\n`
  const missing = all.filter(({ name }) => !found.has(name))
  return { text: [head, ...talks].join('\n'), talks: talks.length, all: all.length, missing, cut: graph.isCut }
}

interface Graph {
  start: Place
  /** Each the shortest, by length; their acts lead from the start through `next`. */
  paths: (readonly Act[])[]
  acts(place: Place): readonly Act[]
  next(place: Place, act: Act): Place
  isCut: boolean
}

/**
 * The flow as xstate/graph walks it: two places are one where nothing that may still be read tells them apart. What is
 * asked more than once (a traversal asks twice) is worked out once.
 */
function graphOf(compilation: Compilation, input: FlowInput, placesMax: number): Graph {
  const { flow, definition } = compilation
  const world = syntheticWorld(definition, 'likely')
  const sign = stateKeys(definition)
  const acts = remembered((place: Place) => (place.fault ? [] : actsAt(place, compilation, world)))
  const steps = remembered((_place: Place) => new Map<Act, Place>())
  const signs = remembered((place: Place) => `${place.fault ? 'fault ' : ''}${sign(place.snapshot)}`)
  const next = (place: Place, act: Act) => {
    const known = steps(place).get(act) ?? stepped(flow, place, act)
    steps(place).set(act, known)
    return known
  }
  const start: Place = { snapshot: flow.begin(input), calls: 0 }
  const looked = new Set<Place>()
  // Over the limit nothing more is looked at; xstate's own limit would throw.
  const isBeyond = (place: Place) => looked.size >= placesMax || !looked.add(place)
  const logic = { transition: next, getInitialSnapshot: () => start }
  const paths = getShortestPaths(
    logic as never,
    {
      events: acts,
      serializeState: signs,
      serializeEvent: ({ type }: Act) => type,
      stopWhen: isBeyond,
    } as never,
  ) as unknown as { steps: { event: Act }[] }[]
  // The first step of each path is xstate's own: the beginning.
  const waysTo = paths.map((path) => path.steps.slice(1).map(({ event }) => event))
  return { start, paths: waysTo.slice(0, placesMax), acts, next, isCut: waysTo.length > placesMax }
}

function remembered<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>()
  return (key) => {
    const value = known.get(key) ?? make(key)
    known.set(key, value)
    return value
  }
}

function stepped(flow: Compilation['flow'], { snapshot, calls }: Place, { events }: Act): Place {
  try {
    const next = events.reduce((at, event) => flow.step(at, event), snapshot)
    const isCall = flow.want(snapshot).do === 'call'
    flow.want(next)
    return { snapshot: next, calls: isCall ? calls + 1 : 0 }
  } catch (error) {
    if (!(error instanceof FlowFault)) throw error
    return { snapshot, calls, fault: true }
  }
}

/** Ways that are each the shortest to a transition that none before it takes. */
function waysOf(graph: Graph, compilation: Compilation, input: FlowInput): { ways: Way[]; found: Set<string> } {
  const { begun, taken, all } = transitionsOf(compilation)
  const known = new Set(all.map(({ name }) => name))
  const found = new Set<string>()
  const news = (names: readonly string[]) =>
    [...new Set(names)].filter((name) => known.has(name) && !found.has(name) && found.add(name))
  const ways: Way[] = [{ acts: [], end: graph.start, finds: news(begun(input)) }]
  for (const acts of graph.paths) {
    if (found.size === known.size) break
    const place = acts.reduce(graph.next, graph.start)
    for (const act of graph.acts(place)) {
      const end = graph.next(place, act)
      if (end.fault) continue
      const finds = news(takenBy(act, place, compilation, taken))
      if (finds.length > 0) ways.push({ acts: [...acts, act], end, finds })
    }
  }
  return { ways, found }
}

function takenBy(
  { events }: Act,
  { snapshot }: Place,
  { flow }: Compilation,
  taken: ReturnType<typeof transitionsOf>['taken'],
): string[] {
  let at = snapshot
  return events.flatMap((event) => {
    const names = taken(at, event)
    at = flow.step(at, event)
    return names
  })
}

/** A way that stops at a call goes on with what is well, for a talk shows pages. */
function settled({ acts, end }: Way, { acts: actsOf, next }: Graph): readonly Act[] {
  const out = [...acts]
  let place = end
  for (let n = 0; n < CALLS_PER_TURN_MAX; n++) {
    const well = actsOf(place).find(({ events }) => events[0]!.type === 'RESULT')
    if (!well) break
    out.push(well)
    place = next(place, well)
  }
  return out
}

function actsAt({ snapshot, calls }: Place, { flow }: Compilation, world: SyntheticWorld): Act[] {
  const want = flow.want(snapshot)
  if (want.do === 'end') return []
  if (want.do === 'notify') return [{ type: 'ACK', events: [{ type: 'ACK' }] }]
  if (want.do === 'call') {
    if (calls >= CALLS_PER_TURN_MAX) return []
    return world.outcomes(snapshot.value).map(({ event }, i) => ({ type: `${i}`.padStart(4, 'c'), events: [event] }))
  }
  const context = contextOf(snapshot)
  const printed = [...want.text.matchAll(/^([\d*#]+)\. (.*)$/gm)]
  const keys = printed.map((line) => line[1]!)
  const typed =
    context.shown === null
      ? [...world.answers(want.screen), ...world.wrongAnswers(want.screen, context), ...keys]
      : keys
  const letters = context.find ? undefined : world.searched(want.screen, context)
  const words = printed.map((line) => line[2]!).find((label) => world.takesWords(want.screen) && /^\p{L}/u.test(label))
  const all = [...typed, ...[letters, words].filter((text) => text !== undefined && isPlain(text))] as string[]
  const answers = [...new Set(all)].map((text): Act => ({ type: `> ${text}`, events: [{ type: 'ANSWER', text }] }))
  return world.givesUp(want.screen) ? [...answers, givingUp(snapshot, flow, answers)] : answers
}

/** A wrong answer until the screen leads on. */
function givingUp(snapshot: FlowSnapshot, flow: Compilation['flow'], answers: readonly Act[]): Act {
  const isWrong = ({ events: [event] }: Act) => {
    const next = flow.step(snapshot, event!)
    return next.value === snapshot.value && contextOf(next).wrong > contextOf(snapshot).wrong
  }
  const wrong: FlowEvent = answers.find(isWrong)?.events[0] ?? { type: 'ANSWER', text: NEVER_RIGHT }
  const events: FlowEvent[] = []
  let at = snapshot
  do {
    at = flow.step(at, wrong)
    events.push(wrong)
  } while (at.value === snapshot.value)
  return { type: 'give up', events }
}

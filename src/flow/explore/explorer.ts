/**
 * The explorer finds every state of a flow and every edge between them, once, breadth-first, with example answers of
 * subscribers and back ends. The checks, the pictures and the written talks use what it found.
 */
import { FlowFault, toEnd } from '../../base/index.ts'
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { undirected, USSD_PAGE } from '../../ussd/index.ts'
import {
  CALLS_PER_TURN_MAX,
  type FlowEvent,
  type FlowInput,
  type FlowSnapshot,
  TALK_MSISDN,
  WALKED_AT,
  type Want,
} from '../engine/index.ts'
import type { Compilation } from '../load/index.ts'
import { type FlowDefinition, NEVER_RIGHT, takesLabels } from '../language/index.ts'
import type { Examples, Lengths } from '../screens/index.ts'
import { isPlain } from '../talk/index.ts'
import { examplesIn } from './examples.ts'
import { contextOf, stateKeys } from './state-key.ts'

/** The most pages that are explored. A flow has a page or two for each screen and each result of its conditions. */
export const PAGES_MAX = 2000
/** The code that is dialled. */
export const CODE = '*123#'

export interface ExploreOptions {
  language: string
  /** Default: answers of the usual length. */
  lengths?: Lengths
  /**
   * Also try wrong answers and choices by their words: everything that a subscriber may type. Default: only what leads
   * on.
   */
  everything?: boolean
  pagesMax?: number
  /**
   * The same walk in another language, or with other lengths: the ways between pages are the same. Where a page has
   * the same keys, only the ways are taken that lead to states not seen yet: each page is seen in each walk, and each
   * way is tried in one.
   */
  like?: Exploration | undefined
}

export interface Exploration {
  input: FlowInput
  /** In the order in which they were found. The way to each state is the shortest one, and never gets shorter. */
  states: State[]
  /** The states that a handset shows. */
  pages: ExploredPage[]
  faults: ExploredFault[]
  /** There are more pages than were explored. */
  isCut: boolean
  /** The first state of each kind, whatever its language. */
  kinds: ReadonlyMap<string, State>
}

/**
 * A screen, with everything that makes a difference from there on: a page as the handset shows it, or a call that is
 * wanted.
 */
export interface State {
  /** `main`, `slot-2`: the screen, and a number if several states were found on it. */
  id: string
  screen: string
  want: Want
  snapshot: FlowSnapshot
  context: DialogueContext
  /** How many calls were made since the last answer. */
  calls: number
  /** What is pressed, and what back ends answer, from the dial on. */
  trail: readonly string[]
  /** The first edge that led here. Undefined: the dial. */
  by: Edge | undefined
  /** What tells it from other states, except the language. */
  kind: string
  /** The state of this kind in the walk that this one is like. */
  twin?: State | undefined
  edges: Edge[]
}

export type ExploredPage = State & { want: Exclude<Want, { do: 'call' }> }

/** What is done in a state: one event, or as many wrong answers as the screen allows. */
export interface Edge extends Act {
  from: State
  /** Undefined: the edge leads to a fault, or to a page that was not explored. */
  to: State | undefined
  isFault?: boolean
  /** The screen refuses it and is shown again. */
  isRefused?: boolean
}

interface Act {
  /** As a trail shows it; '' if there is nothing to say. */
  told: string
  events: readonly FlowEvent[]
  /** `printed`: the screen must accept it. `typed`: only the screen's checks can say whether it is accepted. */
  how: 'printed' | 'typed' | 'tried'
}

/** A place where the flow could not go on as a subscriber would wish. */
export interface ExploredFault {
  screen: string
  trail: readonly string[]
  what: string
}

interface Exploring extends Exploration {
  flow: Compilation['flow']
  definition: FlowDefinition
  options: ExploreOptions
  examples: (screen: string) => Examples
  keyOf: (snapshot: FlowSnapshot) => string
  /** By language and kind. */
  known: Map<string, Map<string, State>>
  kinds: Map<string, State>
  ids: Map<string, number>
}

/** A fault in a screen ends that way, but not the exploration. */
export function explore(compilation: Compilation, options: ExploreOptions): Exploration {
  return toEnd(exploring(compilation, options))
}

/** How many edges are explored between two pauses: some milliseconds. */
const EDGES_MAX = 10

/** Explores in pieces: the caller may do other work at each `yield`. */
export function* exploring(
  { flow, definition }: Compilation,
  options: ExploreOptions,
): Generator<undefined, Exploration> {
  const { language, lengths = 'likely' } = options
  const exploring: Exploring = {
    flow,
    definition,
    options,
    input: { msisdn: TALK_MSISDN, code: CODE, line: 'talk', language, dialled: [], page: USSD_PAGE, now: WALKED_AT },
    examples: examplesIn(definition, lengths),
    keyOf: stateKeys(definition),
    known: new Map(),
    kinds: new Map(),
    ids: new Map(),
    states: [],
    pages: [],
    faults: [],
    isCut: false,
  }
  attempt(exploring, { screen: definition.start, trail: ['dial'] }, () => {
    reach(exploring, flow.begin(exploring.input), { trail: ['dial'], calls: 0, by: undefined })
  })
  let looked = 0
  for (const state of exploring.states) {
    for (const edge of edgesFrom(state, exploring)) {
      state.edges.push(edge)
      if (++looked % EDGES_MAX === 0) yield
    }
  }
  const { input, states, pages, faults, isCut, kinds } = exploring
  return { input, states, pages, faults, isCut, kinds }
}

/** The pages that an edge leads to, for all answers of the calls between. */
export function pagesFrom(edge: Edge): ExploredPage[] {
  const seen = new Set<State>(edge.to ? [edge.to] : [])
  for (const state of seen) {
    if (isPage(state)) continue
    for (const { to } of state.edges) if (to) seen.add(to)
  }
  return [...seen].filter(isPage)
}

/** The edges from the dial to this state. */
export function pathTo({ by }: State): Edge[] {
  return by ? [...pathTo(by.from), by] : []
}

const isPage = (state: State): state is ExploredPage => state.want.do !== 'call'

/** Each edge as it is found. The states that they lead to are appended to the states that wait. */
function* edgesFrom(state: State, exploring: Exploring): Generator<Edge> {
  let wrong: FlowEvent | undefined
  const others = sameElsewhere(state)
  for (const act of actsIn(state, exploring)) {
    if (isTriedElsewhere(act, others, exploring)) continue
    const edge = edgeOf(state, act, exploring)
    if (edge.isRefused && act.how !== 'printed') wrong ??= act.events[0]
    yield edge
  }
  if (state.want.do === 'ask' && exploring.examples(state.screen).givesUp)
    yield givingUp(state, wrong ?? { type: 'ANSWER', text: NEVER_RIGHT }, exploring)
}

/** The states of this kind with the same keys in the walks that this one is like. */
function sameElsewhere(state: State): State[] {
  const found: State[] = []
  for (let { twin } = state; twin; { twin } = twin) if (hasSameKeys(twin, state)) found.push(twin)
  return found
}

/** A page with the same text has the same keys. */
function hasSameKeys(one: State, other: State): boolean {
  const [a, b] = [one.context.shown, other.context.shown]
  const isSame = one.want.do === 'ask' && other.want.do === 'ask' && one.want.text === other.want.text
  if (isSame && one.screen === other.screen && a?.n === b?.n && a?.more === b?.more) return true
  return keysOf(one) === keysOf(other)
}

/** Whether the act was tried in another walk, on a page with the same keys, and leads to nothing new in this one. */
function isTriedElsewhere({ told }: Act, others: readonly State[], { kinds }: Exploring): boolean {
  for (const other of others) {
    const edge = edgesByAct(other).get(told)
    if (edge) return edge.to === undefined || kinds.has(edge.to.kind)
  }
  return false
}

const BY_ACT = new WeakMap<State, ReadonlyMap<string, Edge>>()

/** The first edge of each act, of a state whose walk is over. */
function edgesByAct(state: State): ReadonlyMap<string, Edge> {
  const known = BY_ACT.get(state) ?? new Map(state.edges.toReversed().map((edge) => [edge.told, edge]))
  BY_ACT.set(state, known)
  return known
}

const KEYS = /^[\d*#]+(?=\. )/gm
const PRINTED = new WeakMap<State, string>()

/** The keys that a page prints, and how many of them are options: twelve rows, or eleven and `More`. */
function keysOf(state: State): string {
  const known = PRINTED.get(state) ?? keysPrinted(state)
  PRINTED.set(state, known)
  return known
}

function keysPrinted({ want, screen, context: { shown } }: State): string {
  const keys = want.do === 'ask' ? (undirected(want.text).match(KEYS) ?? []) : [want.do]
  return [screen, shown?.n, shown?.more, ...keys].join(' ')
}

function edgeOf(state: State, act: Act, exploring: Exploring): Edge {
  const { told, events, how } = act
  const edge: Edge = { told, events, how, from: state, to: undefined }
  const trail = trailOver(edge)
  const next = attempt(exploring, { screen: state.screen, trail }, () =>
    exploring.flow.step(state.snapshot, events[0]!),
  )
  if (!next) return { ...edge, isFault: true }
  const isWrong = contextOf(next).wrong > 0 && next.value === state.snapshot.value
  const isIgnored = next === state.snapshot
  edge.isRefused = isWrong || isIgnored
  if ((isWrong && act.how === 'printed') || (isIgnored && act.how !== 'tried')) {
    const what = `the page prints ${act.told}, but the screen does not take it`
    exploring.faults.push({ screen: state.screen, trail, what })
  }
  return arriving(edge, next, trail, exploring)
}

/** Wrong answers until the screen leads on. */
function givingUp(state: State, wrong: FlowEvent, exploring: Exploring): Edge {
  const events: FlowEvent[] = []
  const edge: Edge = { told: '(wrong answers)', events, how: 'tried', from: state, to: undefined }
  const next = attempt(exploring, { screen: state.screen, trail: trailOver(edge) }, () => {
    let at = state.snapshot
    do {
      at = exploring.flow.step(at, wrong)
      events.push(wrong)
    } while (at.value === state.screen)
    return at
  })
  return next ? arriving(edge, next, trailOver(edge), exploring) : { ...edge, isFault: true }
}

/** Completes the edge with the state that it leads to. */
function arriving(edge: Edge, next: FlowSnapshot, trail: readonly string[], exploring: Exploring): Edge {
  const calls = edge.from.want.do === 'call' ? edge.from.calls + 1 : 0
  const reached = attempt(exploring, { screen: next.value, trail }, () => {
    edge.to = reach(exploring, next, { trail, calls, by: edge })
    return true
  })
  if (!reached) edge.isFault = true
  return edge
}

/** The state of this snapshot. Undefined: there are too many. */
function reach(
  exploring: Exploring,
  snapshot: FlowSnapshot,
  way: Pick<State, 'trail' | 'calls' | 'by'>,
): State | undefined {
  const { flow, known, kinds, ids, states, pages, options } = exploring
  const kind = exploring.keyOf(snapshot)
  const { language } = contextOf(snapshot)
  const spoken = known.get(language) ?? new Map<string, State>()
  const found = spoken.get(kind)
  // What a back end answers may be of the wrong type, which no key of a state tells.
  if (found && way.by?.from.want.do !== 'call') return found
  const want = flow.want(snapshot)
  if (found) return found
  if (want.do !== 'call' && pages.length >= (options.pagesMax ?? PAGES_MAX)) {
    exploring.isCut = true
    return undefined
  }
  const screen = snapshot.value
  const n = (ids.get(screen) ?? 0) + 1
  ids.set(screen, n)
  const id = n === 1 ? screen : `${screen}-${n}`
  const twin = options.like?.kinds.get(kind)
  const state: State = { id, screen, want, snapshot, context: contextOf(snapshot), ...way, kind, twin, edges: [] }
  if (!kinds.has(kind)) kinds.set(kind, state)
  known.set(language, spoken.set(kind, state))
  states.push(state)
  if (isPage(state)) pages.push(state)
  return state
}

const trailOver = ({ from, told }: Edge): readonly string[] => (told === '' ? from.trail : [...from.trail, told])

function actsIn(state: State, exploring: Exploring): Act[] {
  const { want, screen, trail } = state
  if (want.do === 'end') return []
  if (want.do === 'notify') return [{ told: '(shown)', events: [{ type: 'ACK' }], how: 'printed' }]
  if (want.do === 'ask') return answersIn(state, undirected(want.text), exploring)
  if (state.calls < CALLS_PER_TURN_MAX) {
    const outcomes = exploring.examples(screen).outcomes?.() ?? []
    return outcomes.map(({ event, told }) => ({ told: told && `(${told})`, events: [event], how: 'tried' }))
  }
  const what = `more than ${CALLS_PER_TURN_MAX} calls without a question between them`
  exploring.faults.push({ screen, trail, what })
  return []
}

/** What is shown in place of a secret answer. */
const MASK = '****'

/**
 * Every key that the page prints, or an answer that the input accepts; with `everything`, also what else may be typed.
 */
function answersIn(state: State, text: string, exploring: Exploring): Act[] {
  const { screen, context, trail } = state
  const { definition, options } = exploring
  const examples = exploring.examples(screen)
  const printed = [...text.matchAll(/^([\d*#]+)\. (.*)$/gm)].map(([, key, label]) => ({ key: key!, label: label! }))
  const isInput = context.shown === null
  if (!isInput && !examples.isTyped && printed.length === 0)
    exploring.faults.push({ screen, trail, what: 'no key leads on from here' })
  const isTyped = isInput || examples.isTyped !== undefined
  const right = isTyped ? (examples.answers?.() ?? []) : []
  for (const { key } of printed.filter((line) => /^[1-9]/.test(line.key) && examples.isTyped?.(line.key))) {
    const what = `the page prints ${key}, and that could also be typed: its rules must leave out the numbers of lines`
    exploring.faults.push({ screen, trail, what })
  }
  const acts = new Map<string, Act>()
  const add = (answers: readonly string[], how: Act['how']) => {
    for (const answer of answers) {
      const told = examples.isSecret && right.includes(answer) ? MASK : answer
      if (!acts.has(answer)) acts.set(answer, { told, events: [{ type: 'ANSWER', text: answer }], how })
    }
  }
  const keys = printed.map(({ key }) => key)
  add(right, 'typed')
  if (options.everything && isTyped) add(examples.wrongAnswers?.(context) ?? [], 'tried')
  // A number in a prompt is not a key: it is an answer like others.
  add(isInput ? keys.filter((key) => !/^[1-9]/.test(key)) : keys, isInput ? 'typed' : 'printed')
  if (options.everything) add(keys, 'tried')
  const letters = context.find ? undefined : examples.letters?.(context)
  if (letters !== undefined) add([letters], 'printed')
  const words = takesLabels(definition, definition.screens[screen])
    ? printed.find(({ label }) => /^\p{L}/u.test(label) && isPlain(label))
    : undefined
  if (options.everything && words) add([words.label], 'tried')
  return [...acts.values()]
}

/** The result of `run`. Undefined: it threw a fault, which is recorded. */
function attempt<T>(exploring: Exploring, at: Pick<ExploredFault, 'screen' | 'trail'>, run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof FlowFault)) throw error
    // The fault may be in a screen that was passed on the way; the message then names that screen.
    const [, screen = at.screen, what = error.message] = /^screen '([^']+)': (.*)$/s.exec(error.message) ?? []
    exploring.faults.push({ ...at, screen, what })
    return undefined
  }
}

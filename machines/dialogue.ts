/**
 * One dialogue, as a statechart around any menu: the states are its screens.
 *
 * It is only stepped, as a pure function. The state in which it rests says what to do next. So the chart has no `after`
 * (timers do not survive a restore), no `invoke` (it would run again on restore), and no action.
 */
import { createMachine } from 'xstate'
import type { AnyMachineSnapshot, AnyStateMachine, Snapshot } from 'xstate'
import type { JsonObject, PageLimit } from '../src/ussd/index.ts'

/** If one event leads through more screens than this without a rest, they form a circle. */
const STEPS_MAX = 100

/** What a dialogue is told. FlowEvent in src/flow/engine/types.ts explains it. */
export type DialogueEvent =
  | { type: 'ANSWER'; text: string }
  | { type: 'ACK' }
  | { type: 'RESULT'; data: JsonObject[string]; key?: string }
  | { type: 'REFUSED'; refusal: string; data: JsonObject[string]; key?: string }
  | { type: 'FAILED'; why: string; key?: string }

/** The page on the handset, as it was shown: the next number pressed is looked up in it. (packed.ts has each field.) */
export type Shown = {
  /** Where each page up to this one starts: [character of the text, option]. The last entry is the page shown. */
  at: [number, number][]
  /** How many options are on the page. */
  n: number
  /** Whether the page has a `More` line. */
  more: boolean
}

/** A screen that was seen, and the page that was shown when it was left. */
export type Visit = { screen: string; at: Shown['at'] | null; find?: string }

/** Everything that a dialogue remembers. Plain JSON: it is written to the store between any two turns. */
export type DialogueContext = {
  msisdn: string
  code: string
  line: string
  /** The epoch of the dialogue that this one continues. Absent: its own. */
  began?: string
  language: string
  page: { septets: number; ucs2: number }
  /** The time of the dial, ISO 8601. */
  now?: string
  /** Answers dialled behind the code that have not been played yet. */
  dialled: string[]
  /** What was typed, by the name of the input. */
  answers: JsonObject
  /** Secret answers, from their input to the next screen that is seen. They are never stored. */
  secrets?: JsonObject | undefined
  /** The first secret input that was shown: a lost dialogue is resumed there or earlier. */
  gate?: string
  /** What was chosen from lists, by name: the fields that the flow keeps of a row. */
  chosen: JsonObject
  /** What back ends answered, by name. */
  data: JsonObject
  /** What the flow set. */
  vars: JsonObject
  shown: Shown | null
  /** A line above the next screen. */
  notice: string
  /** Wrong answers in a row. */
  wrong: number
  /**
   * The check of the input that the last answer broke. 0 on a page of options: the number is not there (lists with a
   * search).
   */
  broken?: number | undefined
  /** A back end failed on the way here. */
  failed: boolean
  /** A call whose outcome nobody knows: its idempotency key, and the screen whose call settles it. */
  unsettled?: { by: string; key: string } | undefined
  /** The last call since the last question that may be made again: the source of rows. */
  via: string
  /** Where a lost dialogue may be resumed; '' on the first screen. */
  origin: string
  /** The screens seen on the way here, with the current one last. Only in flows with a key for going back. */
  trail?: Visit[]
  /** On the way back to a screen: the page that was shown. */
  again?: Shown['at'] | null
  /** The dialogue has reached the screen of `home`: the key Home leads there. Null: it started again since. */
  homed?: true | null
  /** The search words of the list that is shown. */
  find?: string | null
  /** While the offer to resume is shown: the lost dialogue. */
  resume: { value: string; context: JsonObject } | null
}

/** Where an event leads: to another screen or (without `to`) to the same one, with this context. */
export interface Move {
  to?: string
  context: DialogueContext
}

/** What the statechart needs to know about a screen. All functions are pure. */
export interface Screen {
  /** The screens to which it may lead. */
  targets: readonly string[]
  /** Changes the context on arrival. */
  arrive?: (context: DialogueContext) => DialogueContext
  /** Where an event leads. Undefined: it has no meaning here. */
  answer?: (context: DialogueContext, event: DialogueEvent) => Move | undefined
  /** Leads on without an event. Undefined: the dialogue rests here. */
  pass?: (context: DialogueContext) => Move | undefined
}

export interface DialogueInput {
  msisdn: string
  code: string
  line: string
  language: string
  dialled: string[]
  page: PageLimit
  now?: string
  resume: DialogueContext['resume']
}

/** The state before the first: it leads to the flow's start, or to the offer to resume. */
const DIAL = '_dial'
/** The state that offers to resume. A flow without it never offers. */
export const RESUME = '_resume'

/** State and context: the minimum that must persist. */
export interface Rested {
  value: string
  context: DialogueContext
}

/** The statechart of a flow, and the screens that decide where its events lead. */
export interface DialogueMachine {
  chart: AnyStateMachine
  start: string
  screens: ReadonlyMap<string, Screen>
  steps: Steps
}

/** What all steps of one machine share. It holds nothing of any dialogue. */
interface Steps {
  /** One snapshot per state. */
  states: Map<string, AnyMachineSnapshot>
  /** One event per target state. */
  events: ReadonlyMap<string, { type: string }>
  /** Where each event leads from each state. The chart has no guards, so it always leads there. */
  moves: Map<string, Map<string | undefined, string>>
}

/** The event that leaves the screen unchanged. */
const STAY = { type: 'stay' }

/**
 * The statechart of these screens. It has one event per target: a screen decides what an answer means, and the chart
 * decides whether the screen may lead there. The dialogue's context stays outside the chart.
 */
export function dialogueMachine(id: string, start: string, screens: ReadonlyMap<string, Screen>): DialogueMachine {
  const states: Record<string, object> = { [DIAL]: stateOf([start, ...(screens.has(RESUME) ? [RESUME] : [])]) }
  for (const [name, screen] of screens) states[name] = stateOf(screen.targets)
  const chart = createMachine({ id, initial: DIAL, states })
  const events = new Map(Object.keys(states).map((name) => [name, { type: eventTo(name) }]))
  return { chart, start, screens, steps: { states: new Map(), events, moves: new Map() } }
}

function stateOf(targets: readonly string[]): object {
  const edges = targets.map((target) => [eventTo(target), { target, reenter: true }])
  return { on: { ...Object.fromEntries(edges), [STAY.type]: {} } }
}

const eventTo = (screen: string): string => `to ${screen}`

/** A new dialogue, at its first resting state. Throws what a screen throws. `passed` gets each state on the way. */
export function beginDialogue(machine: DialogueMachine, input: DialogueInput, passed?: Passed): Rested {
  const dial = { value: DIAL, context: contextOf(input) }
  passed?.(dial)
  const to = input.resume !== null && machine.screens.has(RESUME) ? RESUME : machine.start
  return ledOn(machine, dial, { to, context: dial.context }, passed)
}

/**
 * Plays one event. Undefined: the event had no meaning. Throws what a screen throws; also if the state does not exist,
 * or if the chart does not allow the move.
 */
export function stepDialogue(
  machine: DialogueMachine,
  from: Rested,
  event: DialogueEvent,
  passed?: Passed,
): Rested | undefined {
  const move = screenAt(machine, from.value).answer?.(from.context, event)
  return move && ledOn(machine, from, move, passed)
}

/** Gets each state that a dialogue enters; the state in which it rests comes last. */
export type Passed = (state: Rested) => void

function ledOn(machine: DialogueMachine, from: Rested, first: Move, passed: Passed | undefined): Rested {
  let at = from
  let move: Move | undefined = first
  for (let steps = 0; move; steps++) {
    if (steps > STEPS_MAX) throw new Error(`more than ${STEPS_MAX} screens in a row lead on unseen`)
    at = moved(machine, at, move)
    passed?.(at)
    move = screenAt(machine, at.value).pass?.(at.context)
  }
  return at
}

/** If a move does not set a key of the context, the key keeps its value. */
function moved(machine: DialogueMachine, from: Rested, { to, context }: Move): Rested {
  const value = stepped(machine, from.value, to)
  const there = merged(from.context, context)
  const arrive = to === undefined ? undefined : machine.screens.get(value)?.arrive
  return { value, context: arrive ? merged(there, arrive(there)) : there }
}

function merged(before: DialogueContext, after: DialogueContext): DialogueContext {
  if (after === before) return before
  for (const key in before) if (!(key in after)) return { ...before, ...after }
  return after
}

/**
 * One step of the chart: xstate selects the transition. Its own `transition` would then compute which states are left
 * and entered and what they do; here a state has no child, and none does anything.
 */
function stepped({ chart, steps }: DialogueMachine, from: string, to: string | undefined): string {
  const moves = steps.moves.get(from) ?? new Map<string | undefined, string>()
  const known = moves.get(to)
  if (known !== undefined) return known
  const event = to === undefined ? STAY : (steps.events.get(to) ?? { type: eventTo(to) })
  const selected = chart.getTransitionData(restored(chart, steps, from), event)[0]
  if (!selected) throw new Error(`'${from}' does not lead to '${to}'`)
  const next = selected.target?.[0]?.key ?? from
  steps.moves.set(from, moves.set(to, next))
  return next
}

/** Each state is looked up once. xstate throws if the chart has no such state. */
function restored(chart: AnyStateMachine, { states }: Steps, value: string): AnyMachineSnapshot {
  const known = states.get(value)
  if (known) return known
  const plain = { status: 'active', value, context: {}, children: {}, historyValue: {}, tags: [] }
  // What it would need of an actor is for children; the chart has none.
  const found = chart.restoreSnapshot(plain as unknown as Snapshot<unknown>, undefined as never) as AnyMachineSnapshot
  states.set(value, found)
  return found
}

function screenAt({ chart, steps, screens }: DialogueMachine, state: string): Screen {
  const screen = screens.get(state)
  if (screen) return screen
  restored(chart, steps, state)
  throw new Error(`there is no screen '${state}'`)
}

function contextOf(input: DialogueInput): DialogueContext {
  const { msisdn, code, line, now, language, page, dialled, resume } = input
  return {
    msisdn,
    code,
    line,
    ...(now === undefined ? {} : { now }),
    language,
    page: { septets: page.septets, ucs2: page.ucs2 },
    dialled,
    answers: {},
    chosen: {},
    data: {},
    vars: {},
    shown: null,
    notice: '',
    wrong: 0,
    failed: false,
    via: '',
    origin: '',
    resume,
  }
}

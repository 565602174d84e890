/**
 * One dialogue, as a statechart around any menu: the states are its screens.
 *
 * It is only ever stepped, as a pure function; what to do next is read off the state that it rests in. So there is no
 * `after` (timers do not survive a restore), no `invoke` (it would run again on restore), and no action but `assign`.
 */
import { assign, createActor, setup } from 'xstate'
import type { AnyActorScope, Snapshot } from 'xstate'
import type { JsonObject, PageLimit } from '../src/ussd/index.ts'

/** Steps that one event may cause before the machine is declared to run in a circle. */
const STEPS_MAX = 100

/** What a dialogue is told. Its meaning is written at FlowEvent in src/flow/engine/types.ts. */
export type DialogueEvent =
  | { type: 'ANSWER'; text: string }
  | { type: 'ACK' }
  | { type: 'RESULT'; data: JsonObject[string] }
  | { type: 'REFUSED'; refusal: string; data: JsonObject[string] }
  | { type: 'FAILED'; why: string }

/** The page on the handset, frozen: what the next number pressed is looked up in. */
export type Shown = {
  /** Where each page up to this one starts: [character of the text, option]. The last one is the page shown. */
  at: [number, number][]
  /** How many options are on it. */
  n: number
  /** Whether it has a `More` line. */
  more: boolean
}

/** A screen that was seen, and the page of it that was shown when it was left. */
export type Visit = { screen: string; at: Shown['at'] | null; find?: string }

/** All that a dialogue remembers. Plain JSON: it is written to the store between any two turns. */
export type DialogueContext = {
  msisdn: string
  code: string
  line: string
  /** Epoch of the dialogue that this one goes on with; absent: its own. */
  began?: string
  language: string
  page: { septets: number; ucs2: number }
  /** When it was dialled, ISO 8601. */
  now?: string
  /** Answers dialled behind the code that are still to be played. */
  dialled: string[]
  /** What was typed, by the name of the input. */
  answers: JsonObject
  /** Secret answers, from where they are typed to the next screen that is seen: never stored. */
  secrets?: JsonObject | undefined
  /** The first secret input that was shown: a lost dialogue is taken up no later than there. */
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
   * Which check of the input the last answer broke; 0 on a page of options: it was no number there (lists with a
   * search).
   */
  broken?: number | undefined
  /** A back end failed on the way here. */
  failed: boolean
  /** The last call since the last question that may be made again: where rows come from. */
  via: string
  /** Where a lost dialogue may be taken up again; '' on the first screen. */
  origin: string
  /** Screens seen on the way here, this one last; only in flows with a key for going back. */
  trail?: Visit[]
  /** On the way back to a screen: the page of it that was shown. */
  again?: Shown['at'] | null
  /** What the rows of the list on show were narrowed by. */
  find?: string | null
  /** While the offer to go on is shown: what of. */
  resume: { value: string; context: JsonObject } | null
}

/** Where an event leads: another screen, or (without `to`) the same one, with this context. */
export interface Move {
  to?: string
  context: DialogueContext
}

/** What the statechart needs to know of a screen. All functions are pure. */
export interface Screen {
  /** Screens that it may lead to. */
  targets: readonly string[]
  /** Changes the context on arrival. */
  arrive?: (context: DialogueContext) => DialogueContext
  /** Where an event leads; undefined if it means nothing here. */
  answer?: (context: DialogueContext, event: DialogueEvent) => Move | undefined
  /** Leads on without being told anything; undefined: rests. */
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

/** The state before the first: chooses between the flow's start and the offer to go on. */
const DIAL = '_dial'
/** The state that offers to go on; a flow without it never offers. */
export const RESUME = '_resume'

/** A statechart of these screens. */
export function dialogueMachine(id: string, start: string, screens: ReadonlyMap<string, Screen>) {
  const states: Record<string, object> = { [DIAL]: dialling(start) }
  for (const [name, screen] of screens) states[name] = stateOf(screen)
  return setup({
    types: {} as { context: DialogueContext; events: DialogueEvent; input: DialogueInput },
  }).createMachine({
    id,
    initial: DIAL as never,
    // Also called without input: xstate builds an inert actor to step in.
    context: ({ input }: { input: DialogueInput | undefined }) => contextOf(input),
    states: states as never,
    options: { maxIterations: STEPS_MAX },
  } as never) as unknown as DialogueMachine
}

/** The machine as it is used here: its states are data, so their names are no types. */
export type DialogueMachine = ReturnType<typeof typed>

/** A new dialogue, at its first resting state. Throws what a screen throws. */
export function beginDialogue(machine: DialogueMachine, input: DialogueInput): Rested {
  return rested(machine.getInitialSnapshot(footing(machine).scope as never, input))
}

/** One event; undefined if it meant nothing. Throws what a screen throws, and on a state that is not there. */
export function stepDialogue(machine: DialogueMachine, from: Rested, event: DialogueEvent): Rested | undefined {
  const before = restore(machine, from)
  const after = machine.transition(before, event, footing(machine).scope as never)
  return after === before ? undefined : rested(after)
}

/** State and context: the least that must persist. */
export interface Rested {
  value: string
  context: DialogueContext
}

function rested(snapshot: { value: unknown; context: DialogueContext; status: string; error?: unknown }): Rested {
  if (snapshot.status === 'error') throw snapshot.error
  return { value: String(snapshot.value), context: snapshot.context }
}

/** What all steps of one machine have in common: nothing of any dialogue. */
interface Footing {
  /**
   * What xstate's `transition` builds anew at every step, at a third of its price: an actor that never starts. Steps
   * leave nothing in it, since no action here does anything but `assign`.
   */
  scope: AnyActorScope
  /** A snapshot a state, whose context is nobody's. */
  states: Map<string, DialogueSnapshot>
}

type DialogueSnapshot = Parameters<DialogueMachine['transition']>[0]

const FOOTINGS = new WeakMap<DialogueMachine, Footing>()

function footing(machine: DialogueMachine): Footing {
  const known = FOOTINGS.get(machine)
  if (known) return known
  const self = createActor(machine, { input: undefined as never })
  const nothing = () => undefined
  const scope = {
    self,
    id: '',
    sessionId: '',
    system: self.system,
    logger: nothing,
    defer: nothing,
    stopChild: nothing,
    emit: nothing,
    actionExecutor: nothing,
  }
  const made = { scope: scope as unknown as AnyActorScope, states: new Map<string, DialogueSnapshot>() }
  FOOTINGS.set(machine, made)
  return made
}

/**
 * A state is looked up once, by `restoreSnapshot`: the time of `resolveState` grows with the machine (143 µs at 1,500
 * states), and both walk all of the context in search of actors, which there are none of.
 */
function restore(machine: DialogueMachine, { value, context }: Rested): DialogueSnapshot {
  const { scope, states } = footing(machine)
  const known = states.get(value)
  if (known) return { ...known, context }
  const plain = { status: 'active', value, context: {}, children: {}, historyValue: {}, tags: [] }
  const found = machine.restoreSnapshot(plain as unknown as Snapshot<unknown>, scope as never)
  states.set(value, found)
  return { ...found, context }
}

function typed() {
  return setup({
    types: {} as { context: DialogueContext; events: DialogueEvent; input: DialogueInput },
  }).createMachine({ context: ({ input }) => contextOf(input) })
}

function contextOf(input: DialogueInput | undefined): DialogueContext {
  return {
    msisdn: input?.msisdn ?? '',
    code: input?.code ?? '',
    line: input?.line ?? '',
    ...(input?.now === undefined ? {} : { now: input.now }),
    language: input?.language ?? '',
    page: { septets: input?.page.septets ?? 0, ucs2: input?.page.ucs2 ?? 0 },
    dialled: input?.dialled ?? [],
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
    resume: input?.resume ?? null,
  }
}

/** Without input (an inert actor) it stays where it is: cheap, and nothing can throw. */
function dialling(start: string): object {
  const dialled = ({ context }: { context: DialogueContext }) => context.page.septets > 0
  return {
    always: [
      {
        target: RESUME,
        guard: ({ context }: { context: DialogueContext }) => context.resume !== null && dialled({ context }),
      },
      { target: start, guard: dialled },
    ],
  }
}

function stateOf(screen: Screen): object {
  const { arrive, answer, pass } = screen
  const state: Record<string, unknown> = {}
  if (arrive) state.entry = assign(({ context }: { context: DialogueContext }) => arrive(context))
  if (answer) {
    const led = edges(screen.targets, answer)
    state.on = { ANSWER: led, ACK: led, RESULT: led, REFUSED: led, FAILED: led }
  }
  if (pass) state.always = edges(screen.targets, pass)
  return state
}

type Situation = { context: DialogueContext; event: DialogueEvent }

/** One transition a target, each taken if that is where the screen leads; the last one stays. */
function edges(targets: readonly string[], lead: (context: DialogueContext, event: DialogueEvent) => Move | undefined) {
  const known = new WeakMap<DialogueContext, { event: DialogueEvent; move: Move | undefined }>()
  const move = ({ context, event }: Situation) => {
    const last = known.get(context)
    if (last && last.event === event) return last.move
    const found = lead(context, event)
    known.set(context, { event, move: found })
    return found
  }
  const actions = assign((situation: Situation) => move(situation)?.context ?? situation.context)
  const led = [...new Set(targets)].map((target) => ({
    target,
    reenter: true,
    actions,
    guard: (situation: Situation) => move(situation)?.to === target,
  }))
  const stays = (situation: Situation) => {
    const found = move(situation)
    return found !== undefined && found.to === undefined
  }
  return [...led, { actions, guard: stays }]
}

/** Compiles a flow file to a statechart: every screen becomes a state, every text a compiled message. */
import { createHash } from 'node:crypto'
import { FlowFault, ProblemsError, toEnd } from '../../base/index.ts'
import {
  beginDialogue,
  dialogueMachine,
  stepDialogue,
  RESUME,
  type DialogueContext,
  type DialogueInput,
  type DialogueMachine,
  type Rested,
} from '../../../machines/dialogue.ts'
import { directed, isRtl, type Json, type JsonObject } from '../../ussd/index.ts'
import { checkingFlow, type FlowProblem } from '../check/index.ts'
import {
  abandonedCall,
  asks,
  callOf,
  rowsFrom,
  secretsOf,
  targetsOf,
  type FlowDefinition,
  type ScreenDefinition,
  type ScreenTypes,
  SMS,
  SPEC,
  firstScreens,
  guardedScreens,
  rememberingScreens,
  hasKeys,
  homeScreens,
  keysOn,
  takesLabels,
  unaskedChange,
} from '../language/index.ts'
import { readingFlow, type FlowSource, type ReadFlow } from '../read/index.ts'
import {
  BACK,
  backPlan,
  barred,
  keyed,
  reaching,
  BUSY,
  type Env,
  GOODBYE,
  type Plan,
  closingPlan,
  innermost,
  resumePlan,
} from '../plan/index.ts'
import { kindOf } from '../screens/index.ts'
import type { CompiledFlow, FlowEvent, FlowInput, FlowSnapshot, Want } from '../engine/index.ts'
import { compiledTexts } from '../text/index.ts'
import { keeping } from './kept.ts'
import { needing } from './needed.ts'

/** The most answers dialled behind a code that are played. Nobody needs more, and each is a step of the statechart. */
export const DIALLED_MAX = 20

export interface Compilation {
  flow: CompiledFlow
  /** The statechart itself, for exploring and drawing. */
  machine: DialogueMachine
  definition: FlowDefinition
  warnings: FlowProblem[]
  /** What was read, and all that is doubtful in it, with the warnings that the file accepts. */
  read: ReadFlow
  problems: FlowProblem[]
}

/**
 * Reads, checks and compiles. Throws ProblemsError with all errors at once; doubtful points are returned as warnings.
 * `backends`: the names that the daemon knows, if names are to be checked.
 */
export function compileFlow(source: FlowSource, backends?: readonly string[], types?: ScreenTypes): Compilation {
  return toEnd(compilingFlow(source, backends, types))
}

/** `compileFlow` in pieces, so that a daemon can play turns between them: half a second is too long for its stores. */
export function* compilingFlow(
  source: FlowSource,
  backends?: readonly string[],
  types?: ScreenTypes,
): Generator<undefined, Compilation> {
  const read = yield* readingFlow(source, types)
  yield
  const problems = yield* checkingFlow(read, backends)
  const errors = problems.filter((problem) => problem.severity === 'error')
  if (errors.length > 0) throw new ProblemsError(`flow ${source.file}`, errors)
  yield
  const { definition } = read
  const plans = plansOf(definition)
  yield
  const machine = dialogueMachine(definition.flow, definition.start, plans)
  yield
  const warnings = problems.filter(({ accepted }) => accepted === undefined)
  const needs = needing(definition)
  yield
  return { flow: compiled(definition, { plans, machine, needs }), machine, definition, warnings, read, problems }
}

/**
 * `dental@9f2c01ab77de`: the same for the same definition, however the file is formatted. A call that does not say
 * `once` has always counted as one that says false: revisions in the archive must stay what they are.
 */
function revisionOf({ accepts: _accepts, ...definition }: FlowDefinition): string {
  const screens = Object.fromEntries(
    Object.entries(definition.screens).map(([name, screen]) => [
      name,
      callOf(screen) ? { ...screen, once: callOf(screen)!.once ?? false } : screen,
    ]),
  )
  const canonical = JSON.stringify([SPEC, sorted({ ...definition, screens } as unknown as Json)])
  return `${definition.flow}@${createHash('sha256').update(canonical).digest('hex').slice(0, 12)}`
}

interface Compiled {
  plans: ReadonlyMap<string, Plan>
  machine: DialogueMachine
  /** What a resting dialogue still needs. */
  needs: (rested: Rested) => Rested
}

function compiled(definition: FlowDefinition, { plans, machine, needs }: Compiled): CompiledFlow {
  const { flow: name, languages } = definition
  const words = compiledTexts(definition)
  const changing = new Set(Object.keys(definition.screens).filter((screen) => unaskedChange(definition, screen)))
  const planAt = (state: string): Plan => {
    const plan = plans.get(state)
    if (!plan) throw new FlowFault(`flow ${name} has no screen '${state}'`)
    return plan
  }
  const doesAt = (state: string) => {
    const screen = definition.screens[state]
    return screen && kindOf(screen).does
  }
  /** What waits for a back end does not rest: its call, and what follows, may read everything. */
  const stored = (rested: Rested) => snapshotOf(doesAt(rested.value) === 'call' ? rested : needs(unveiled(rested)))
  const faulting = <T>(state: string, run: () => T): T => {
    try {
      return run()
    } catch (error) {
      if (error instanceof FlowFault) throw error
      throw new FlowFault(`flow ${name}, after '${state}': ${(error as Error).message}`, error)
    }
  }
  return {
    name,
    languages,
    revision: revisionOf(definition),
    backends: backendsOf(definition),
    begin: (input) => faulting(definition.start, () => stored(beginDialogue(machine, openingOf(input, languages)))),
    step: (snapshot, event) =>
      faulting(snapshot.value, () => {
        planAt(snapshot.value)
        const next = stepDialogue(machine, restedOf(snapshot), event as FlowEvent)
        return next ? stored(next) : snapshot
      }),
    want: (snapshot) =>
      faulting(snapshot.value, () => {
        const { context } = restedOf(snapshot)
        const want = planAt(snapshot.value).want(context)
        return isRtl(context.language) ? directedWant(want) : want
      }),
    ifLeft: (snapshot) => faulting(snapshot.value, () => leftAt(planAt(snapshot.value), restedOf(snapshot))),
    choice: (snapshot, answer) => planAt(snapshot.value).choice?.(restedOf(snapshot).context, answer),
    useless: (snapshot, outcome) => {
      const screen = definition.screens[snapshot.value]
      return screen && kindOf(screen).useless?.(screen, outcome)
    },
    text: (key, language) => (isRtl(language) ? directed(words.wordIn(key, language)) : words.wordIn(key, language)),
    changes: (screen) => changing.has(screen),
    resumable: (snapshot) => {
      const { origin } = innermost(restedOf(snapshot)).context
      if (typeof origin !== 'string' || !plans.has(origin)) return false
      return snapshot.value === RESUME || doesAt(snapshot.value) === 'ask'
    },
  }
}

function leftAt({ ifLeft }: Plan, { context }: Rested): JsonObject | undefined {
  const args = ifLeft?.(context)
  return args && isRtl(context.language) ? directedArgs(args) : args
}

/** With the marks that order a right-to-left text on a handset. */
function directedWant(want: Want): Want {
  if (want.do !== 'call') return { ...want, text: directed(want.text) }
  return want.backend === SMS ? { ...want, args: directedArgs(want.args) } : want
}

function directedArgs(args: JsonObject): JsonObject {
  return typeof args.text === 'string' ? { ...args, text: directed(args.text) } : args
}

export function openingOf(input: FlowInput, languages: readonly string[]): DialogueInput {
  const { msisdn, code, line, dialled, page, now } = input
  const language = languages.includes(input.language) ? input.language : (languages[0] as string)
  // A subscriber who dials a deep code wants that screen, not the lost dialogue.
  const resume =
    input.resume && dialled.length === 0 ? snapshotOf(innermost(restedOf(input.resume as FlowSnapshot))) : null
  return {
    msisdn,
    code,
    line,
    language,
    dialled: dialled.slice(0, DIALLED_MAX),
    page,
    resume,
    ...(now === undefined ? {} : { now }),
  }
}

/** Removes the secrets: a dialogue that rests is stored. */
function unveiled(rested: Rested): Rested {
  if (!('secrets' in rested.context)) return rested
  const { secrets: _secret, ...rest } = rested.context
  return { value: rested.value, context: rest }
}

function snapshotOf(rested: Rested): FlowSnapshot {
  return rested as unknown as FlowSnapshot
}

function restedOf(snapshot: FlowSnapshot): Rested {
  return snapshot as unknown as Rested
}

function plansOf(definition: FlowDefinition): ReadonlyMap<string, Plan> {
  const { word, text, condition } = compiledTexts(definition)
  const guarded = guardedScreens(definition)
  const remembering = rememberingScreens(definition)
  const first = firstScreens(definition)
  const home = homeScreens(definition)
  const keep = keeping(definition)
  const secrets = secretsOf(definition)
  const backKeys = backKeysOf(definition)
  const env = (name: string): Env => ({
    name,
    word,
    text,
    condition,
    keep,
    languages: definition.languages,
    zone: definition.zone,
    wrongMax: definition.wrongMax,
    secrets,
    guarded: guarded.has(name),
    remembering: remembering.has(name),
    first: first.has(name),
    home: home.has(name),
    keyed: backKeys.has(name),
    labels: takesLabels(definition, definition.screens[name]),
  })
  const builtIn = (key: 'goodbye' | 'busy') =>
    Object.assign(({ context }: { context: DialogueContext }) => word(key, context), { reads: [] })
  const plans = new Map<string, Plan>()
  const navigates = hasKeys(definition)
  for (const [name, screen] of Object.entries(definition.screens)) {
    const plan = kindOf(screen).plan(screen, env(name))
    const whole = navigates ? homing(navigated(plan, env(name), definition, screen), name, definition) : plan
    plans.set(name, leaving(whole, screen, env(name)))
  }
  if (navigates) {
    const asking = Object.keys(definition.screens).filter((name) => asks(definition.screens[name] as ScreenDefinition))
    plans.set(BACK, backPlan(asking, env(BACK), definition.start))
  }
  plans.set(GOODBYE, closingPlan(env(GOODBYE), builtIn('goodbye'), 'too-many-wrong'))
  plans.set(BUSY, closingPlan(env(BUSY), builtIn('busy'), 'backend-failed'))
  plans.set(RESUME, resumePlan(env(RESUME), definition.start, originsOf(definition), guarded))
  return plans
}

/** Adds the SMS for who leaves the dialogue on this screen. */
function leaving(plan: Plan, screen: ScreenDefinition, env: Env): Plan {
  const call = abandonedCall(screen)
  if (!call) return plan
  const { want } = kindOf(call).plan(call, env)
  return {
    ...plan,
    ifLeft(context) {
      const asked = want(context)
      return asked.do === 'call' ? asked.args : {}
    },
  }
}

/** Adds the keys to screens that ask. After a call that changes something there is no way back. */
function navigated(plan: Plan, env: Env, definition: FlowDefinition, screen: ScreenDefinition): Plan {
  if (asks(screen)) return keyed(plan, env, keysOn(definition, screen), definition)
  if (!kindOf(screen).changes?.(screen)) return plan
  return { ...plan, arrive: (context) => barred(plan.arrive?.(context) ?? context) }
}

/** The screen of `home` notes that the dialogue was there; the first screen, that it starts again. */
function homing(plan: Plan, name: string, { start, home }: FlowDefinition): Plan {
  if (home === undefined || home === start || (name !== home && name !== start)) return plan
  return reaching(plan, name === home ? true : null)
}

/** Screens with a key for going back. */
function backKeysOf(definition: FlowDefinition): Set<string> {
  const screens = Object.entries(definition.screens)
  return new Set(screens.flatMap(([name, screen]) => (keysOn(definition, screen).back === undefined ? [] : [name])))
}

/** Whether a call may be made again. */
function isRepeatable(screen: ScreenDefinition): boolean {
  const { does, changes } = kindOf(screen)
  return does === 'call' && !changes?.(screen)
}

/** The screens at which a dialogue can be resumed: screens that ask, and calls that may be made again. */
function originsOf(definition: FlowDefinition): string[] {
  return Object.entries(definition.screens)
    .filter(([, screen]) => asks(screen) || (isRepeatable(screen) && leadsToList(definition, screen)))
    .map(([name]) => name)
}

function leadsToList(definition: FlowDefinition, screen: ScreenDefinition): boolean {
  const seen = new Set<ScreenDefinition>()
  const look = (here: ScreenDefinition | undefined): boolean => {
    if (!here || seen.has(here)) return false
    seen.add(here)
    if (asks(here)) return rowsFrom(here) !== undefined
    return targetsOf(here).some(({ to }) => look(definition.screens[to]))
  }
  return look(screen)
}

function backendsOf(definition: FlowDefinition): string[] {
  const calls = Object.values(definition.screens).flatMap((screen) =>
    'call' in screen ? [screen.call.split('.')[0] as string] : [],
  )
  return [...new Set(calls)].toSorted()
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, sorted(value[key] as Json)]),
  )
}

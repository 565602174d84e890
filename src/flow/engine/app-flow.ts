/**
 * An external application, spoken to over HTTP, as a flow. One state asks the application, one shows its answer, one
 * shows its last text. So the gateway, the stores and the deadlines handle it like any other flow.
 */
import { createHash } from 'node:crypto'
import { FlowFault } from '../../base/index.ts'
import {
  beginDialogue,
  dialogueMachine,
  stepDialogue,
  RESUME,
  type DialogueContext,
  type DialogueEvent,
  type Move,
  type Rested,
  type Screen,
} from '../../../machines/dialogue.ts'
import { readCode, type Json, type JsonObject } from '../../ussd/index.ts'
import { layAppPage, moreKey } from './app-pages.ts'
import { builtIn } from '../terms/index.ts'
import type { CompiledFlow, FlowInput, FlowSnapshot, Want } from './types.ts'

/** What a call tells the application, and what is remembered between calls. JSON. */
export type AppAsk = {
  /** `*384#`: the code under which the application is known. */
  serviceCode: string
  /** `*384*1#`: everything that was dialled. */
  dialled: string
  /** Everything entered so far, including dialled answers, joined by `*`; '' at first. */
  text: string
  /** The newest answer as typed; '' at first. */
  input: string
  /** 1 on the first request of a dialogue. */
  sequence: number
  /** What the contract wants back in the next call: cookies, tokens of the application. */
  state: JsonObject
}

/** The data of a call's result. */
export type AppSaid = { text: string; end: boolean; state: JsonObject }

/** What an ended dialogue and its application said to each other; null if the application was never asked. */
export interface AppHistory {
  ask: AppAsk
  /** The application's newest screen; '' if it never answered. */
  lastText: string
  lastEnd: boolean
}

/** `*` and answers. No menu needs more, and the snapshot must stay under the store's limit. */
const ENTERED_UNITS_MAX = 2_000
/** Changes when open dialogues could not continue with a newer engine. */
const SPEC = 1

const ASK = 'ask'
const SAID = 'said'
const CLOSED = 'closed'
const BUSY = 'busy'

/** The prefix of the name of every application's flow. Names in the settings cannot have a colon. */
export const APP_LEAD = 'app:'

/** The name of an application in flows, back ends and metrics. */
export function appName(app: string): string {
  return APP_LEAD + app
}

/**
 * The flow of an application. `contract` names its contract: a dialogue finishes on the contract with which it began.
 */
export function appFlow(
  app: string,
  contract: string,
  texts: { busy?: string; holding?: Readonly<Record<string, string>> } = {},
): CompiledFlow {
  const name = appName(app)
  const screens = screensOf()
  const machine = dialogueMachine(name, ASK, screens)
  const busy = (language: string) => texts.busy ?? builtIn('busy', language)
  const holding = (language: string) =>
    texts.holding?.[language] ?? Object.values(texts.holding ?? {})[0] ?? builtIn('holding', language)
  const guarded = <T>(state: string, run: () => T): T => {
    if (!screens.has(state)) throw new FlowFault(`${name} has no state '${state}'`)
    try {
      return run()
    } catch (error) {
      throw error instanceof FlowFault
        ? error
        : new FlowFault(`${name}, in '${state}': ${(error as Error).message}`, error)
    }
  }
  return {
    name,
    revision: `${name}@${createHash('sha256')
      .update(JSON.stringify([SPEC, contract]))
      .digest('hex')
      .slice(0, 12)}`,
    languages: ['en'],
    backends: [name],
    begin: (input) => guarded(ASK, () => snapshotOf(beginDialogue(machine, opening(input)))),
    step: (snapshot, event) =>
      guarded(snapshot.value, () => {
        const next = stepDialogue(machine, restedOf(snapshot), event as DialogueEvent)
        return next ? snapshotOf(next) : snapshot
      }),
    want: (snapshot) => guarded(snapshot.value, () => wantOf(snapshot.value, restedOf(snapshot).context, name, busy)),
    text: (key, language) =>
      key === 'busy' ? busy(language) : key === 'holding' ? holding(language) : builtIn(key, language),
    // The application gets every answer, and may change something.
    changes: (screen) => screen === ASK,
    // The application was told that the dialogue is over; a redial is a new dialogue for it.
    resumable: () => false,
  }
}

/** The snapshot that shows the application's last text, whatever state it was in. The text may have several pages. */
export function closing(snapshot: FlowSnapshot, text: string): FlowSnapshot {
  const { context } = restedOf(snapshot)
  return snapshotOf({ value: CLOSED, context: shown({ ...context, vars: { ...context.vars, said: text, end: true } }) })
}

/** What the snapshot of an application's dialogue says of both sides. */
export function appHistory(snapshot: JsonObject | null): AppHistory | null {
  const context = snapshot?.context as DialogueContext | undefined
  if (!context) return null
  const ask = askOf(context)
  return ask.sequence < 1 ? null : { ask, lastText: textOf(context), lastEnd: context.vars.end === true }
}

function screensOf(): ReadonlyMap<string, Screen> {
  return new Map<string, Screen>([
    [ASK, { targets: [SAID, CLOSED, BUSY], arrive: counted, answer: takeAnswer }],
    [SAID, { targets: [ASK, BUSY], arrive: shown, answer: answered }],
    [CLOSED, { targets: [], arrive: shown, answer: leafed }],
    [BUSY, { targets: [] }],
    // The machine requires this state; an application's dialogue is never resumed.
    [RESUME, { targets: [ASK], pass: (context) => ({ to: ASK, context }) }],
  ])
}

function opening({ msisdn, code, line, language, dialled, page }: FlowInput) {
  return { msisdn, code, line, language, dialled, page, resume: null }
}

/** On entering the call. The first time, the answers dialled behind the code count as entered. */
function counted(context: DialogueContext): DialogueContext {
  const sequence = Number(context.vars.sequence ?? 0) + 1
  const first: JsonObject =
    sequence > 1
      ? {}
      : {
          serviceCode: serviceCodeOf(context.code, context.dialled.length),
          text: context.dialled.join('*'),
          input: '',
          state: {},
        }
  return { ...context, dialled: [], shown: null, vars: { ...context.vars, ...first, sequence } }
}

function takeAnswer(context: DialogueContext, event: DialogueEvent): Move | undefined {
  if (event.type === 'RESULT') {
    const { text, end, state } = event.data as AppSaid
    const vars = { ...context.vars, said: text, end, state }
    return { to: end ? CLOSED : SAID, context: { ...context, vars } }
  }
  if (event.type === 'FAILED' || event.type === 'REFUSED') return { to: BUSY, context: { ...context, failed: true } }
  return undefined
}

function shown(context: DialogueContext): DialogueContext {
  return turned(context, 0)
}

function answered(context: DialogueContext, event: DialogueEvent): Move | undefined {
  if (event.type !== 'ANSWER') return undefined
  if (context.shown?.more && event.text.trim() === moreKey(textOf(context))) return leafed(context, event)
  const entered = String(context.vars.text)
  const text = entered === '' ? event.text : `${entered}*${event.text}`
  if (text.length > ENTERED_UNITS_MAX) return { to: BUSY, context: { ...context, failed: true } }
  return { to: ASK, context: { ...context, vars: { ...context.vars, text, input: event.text } } }
}

/** The next page of a long text. On the last screen, any key asks for it. */
function leafed(context: DialogueContext, event: DialogueEvent): Move | undefined {
  if (event.type !== 'ANSWER' || !context.shown?.more) return undefined
  return { context: turned(context, layAppPage(textOf(context), pageStart(context), sheetOf(context)).next) }
}

function turned(context: DialogueContext, start: number): DialogueContext {
  const { more } = layAppPage(textOf(context), start, sheetOf(context))
  return { ...context, shown: { at: [[start, 0]], n: 0, more } }
}

function wantOf(state: string, context: DialogueContext, name: string, busy: (language: string) => string): Want {
  if (state === ASK) {
    const ask = askOf(context)
    const operation = ask.sequence === 1 ? 'begin' : 'answer'
    return { do: 'call', screen: ASK, backend: name, operation, args: ask as unknown as JsonObject, once: true }
  }
  if (state === BUSY) return { do: 'end', text: busy(context.language), screen: BUSY, reason: 'backend-failed' }
  const page = layAppPage(textOf(context), pageStart(context), sheetOf(context))
  if (state === CLOSED && !page.more) return { do: 'end', text: page.text, screen: CLOSED, reason: 'completed' }
  return { do: 'ask', text: page.text, screen: state }
}

function sheetOf(context: DialogueContext) {
  return { limit: context.page, more: builtIn('more', context.language) }
}

function askOf(context: DialogueContext): AppAsk {
  const { serviceCode, text, input, sequence, state } = context.vars as Record<string, Json | undefined>
  return {
    serviceCode: String(serviceCode ?? ''),
    dialled: context.code,
    text: String(text ?? ''),
    input: String(input ?? ''),
    sequence: Number(sequence ?? 0),
    state: (state ?? {}) as JsonObject,
  }
}

/** The code without the answers dialled behind it; the whole code if the service takes every code. */
function serviceCodeOf(code: string, beyond: number): string {
  const read = readCode(code)
  const parts = read?.parts.slice(0, read.parts.length - beyond) ?? []
  return read && parts.length > 0 ? `${read.lead}${parts.join('*')}#` : code
}

function textOf(context: DialogueContext): string {
  return String(context.vars.said ?? '')
}

function pageStart(context: DialogueContext): number {
  return context.shown?.at.at(-1)?.[0] ?? 0
}

function snapshotOf(rested: Rested): FlowSnapshot {
  return rested as unknown as FlowSnapshot
}

function restedOf(snapshot: FlowSnapshot): Rested {
  return snapshot as unknown as Rested
}

/** Records what is played, so that it can be written as a talk that passes when it is played again. */
import { UsageError } from '../../base/index.ts'
import { undirected } from '../../ussd/index.ts'
import {
  TALK_MSISDN,
  WALKED_AT,
  WORD_CODE,
  type CompiledFlow,
  type FlowEvent,
  type FlowInput,
  type FlowSnapshot,
  type Want,
} from '../engine/index.ts'
import { SMS, SMS_SEND, SUBSCRIBER } from '../language/index.ts'
import { syntheticSecrets, type SyntheticSecrets } from './synthetic-secrets.ts'
import { parseTalks, type Stub, type Talk, type TalkStep } from './talk.ts'
import { isPlain, writeTalk } from './writer.ts'

/** How many subscribers' last dialogues are kept. */
export const RECORDED_MAX = 100
/** How many events of a dialogue are kept. After that many, its talk stops. */
export const EVENTS_MAX = 1_000

/** How a dialogue was left that did not end by itself. */
export type Left = 'hang-up' | 'lost'

export interface TalkRecorder {
  /** The flow to play in place of the original. It records what is played. */
  watch(flow: CompiledFlow): CompiledFlow
  /** What this subscriber played last. Undefined: nothing. A lost dialogue and its resumption are one talk. */
  talk(msisdn: string, left?: Left): RecordedTalk | undefined
}

/** A talk without secrets: synthetic values take their place. */
export type RecordedTalk = Pick<Talk, 'flow' | 'title' | 'steps'> & {
  /** '': a word by SMS started it. */
  code: string
  /** The talk stops at a secret for which no synthetic value was found. */
  cut: boolean
}

export type TalkEntry = { input: FlowInput } | { event: FlowEvent }

/** A dialogue as it was played. It begins with an input. */
export interface PlayedDialogue {
  flow: CompiledFlow
  entries: readonly TalkEntry[]
}

/** The talk as a talk file. */
export function recordedText({ flow, code, title, steps, cut }: RecordedTalk): string {
  const talk = writeTalk({ title, steps: code === '' ? steps : [{ line: 0, do: 'code', code }, ...steps] })
  return `flow ${flow}\n\n${talk}${cut ? '# The talk stops here: a secret was typed next, and nothing can stand in for it.\n' : ''}`
}

/**
 * A talk file with the talks of another one added. Throws UsageError if the other is about another flow, ProblemsError
 * if it is not a talk file.
 */
export function withTalks(file: string, before: string, added: string): string {
  const flows = [before, added].map((text) => parseTalks(file, text)[0]!.flow)
  if (flows[0] !== flows[1])
    throw new UsageError(`${file} has talks of flow '${flows[0]}', not of '${flows[1]}': name another file`)
  return `${before.trimEnd()}\n\n${added.replace(/^flow .*\n+/, '')}`
}

export function talkRecorder(): TalkRecorder {
  const taken = new Map<string, { flow: CompiledFlow; entries: TalkEntry[] }>()
  const begin = (flow: CompiledFlow, input: FlowInput) => {
    const before = input.resume ? taken.get(input.msisdn) : undefined
    taken.delete(input.msisdn)
    // A resumed dialogue can only be played again together with the dialogue that it continues.
    if (!input.resume || before) taken.set(input.msisdn, { flow, entries: [...(before?.entries ?? []), { input }] })
    const [oldest] = taken.keys()
    if (taken.size > RECORDED_MAX) taken.delete(oldest!)
  }
  return {
    watch: (flow) => ({
      ...flow,
      begin: (input) => {
        const snapshot = flow.begin(input)
        begin(flow, structuredClone(input))
        return snapshot
      },
      step: (snapshot, event) => {
        const next = flow.step(snapshot, event)
        const entries = taken.get(String(snapshot.context.msisdn))?.entries
        const isNothing = next === snapshot && event.type === 'ACK'
        if (entries && entries.length < EVENTS_MAX && !isNothing) entries.push({ event: structuredClone(event) })
        return next
      },
    }),
    talk: (msisdn, left) => {
      const found = taken.get(msisdn)
      return found && talkOf(found, left)
    },
  }
}

type Called = Want & { do: 'call' }

interface Telling {
  flow: CompiledFlow
  steps: TalkStep[]
  /** The current turn, until a page is shown. */
  turn: { stubs: TalkStep[]; key: TalkStep[]; calls: Called[] }
  /** The last answer of each operation. */
  told: Map<string, string>
  /** The snapshot as played (`real`) and as written (`shown`): they differ in secrets. */
  real: FlowSnapshot
  shown: FlowSnapshot
  secrets: SyntheticSecrets
  keys: string[]
}

/** The dialogue as a talk. Undefined: its beginning is missing. */
export function talkOf({ flow, entries }: PlayedDialogue, left?: Left): RecordedTalk | undefined {
  const [first] = entries
  if (!first || !('input' in first)) return undefined
  const nothing = { value: '', context: {} }
  const telling: Telling = {
    flow,
    steps: [],
    turn: { stubs: [], key: [], calls: [] },
    told: new Map(),
    real: nothing,
    shown: nothing,
    secrets: syntheticSecrets(),
    keys: [],
  }
  let cut = false
  for (const [i, entry] of entries.entries()) {
    if ('input' in entry) begun(asPlayed(flow, entry.input, entries.slice(i + 1)), telling)
    else if ((cut = !stepped(entry.event, telling))) break
    page(telling)
  }
  const { steps, keys } = telling
  const isOpen = steps.length > 0 && steps.at(-1)!.do !== 'ended'
  if (left && isOpen && !cut) steps.push({ line: 0, do: left })
  const word = wordOf(first.input)
  if (word !== undefined) return { flow: flow.name, code: '', title: `${word} by SMS`, steps, cut }
  const dialled = steps.find((step) => step.do === 'dial')?.code ?? codeOf(first.input)
  const title = `${dialled}${keys.length ? `, then ${keys.join(', ')}` : ''}`
  return { flow: flow.name, code: codeOf(first.input), title, steps, cut }
}

/** The word by SMS that started it. */
function wordOf({ code }: FlowInput): string | undefined {
  return code.startsWith(WORD_CODE) ? code.slice(WORD_CODE.length) : undefined
}

/** The service code, without the answers dialled behind it. */
function codeOf({ code, dialled }: FlowInput): string {
  const behind = dialled.map((part) => `*${part}`).join('')
  return code.endsWith(`${behind}#`) ? `${code.slice(0, code.length - behind.length - 1)}#` : code
}

function begun(input: FlowInput, telling: Telling): void {
  const { flow, steps, turn, shown } = telling
  const { msisdn, language, now, code, resume } = input
  const word = wordOf(input)
  const set = (step: TalkStep) => (steps.some((old) => JSON.stringify(old) === JSON.stringify(step)) ? [] : [step])
  if (resume) steps.push({ line: 0, do: 'lost' })
  turn.key = [
    ...set({ line: 0, do: 'language', language }),
    ...(msisdn === TALK_MSISDN ? [] : set({ line: 0, do: 'msisdn', msisdn })),
    ...(now === undefined || now === WALKED_AT ? [] : set({ line: 0, do: 'now', now })),
    word === undefined ? { line: 0, do: 'dial', code } : { line: 0, do: 'write', text: word },
  ]
  telling.real = flow.begin(input)
  telling.shown = resume ? flow.begin({ ...input, resume: shown }) : telling.real
}

/** Removes the dialled answers that were not played: nobody knows where they would lead, and one may be a PIN. */
function asPlayed(flow: CompiledFlow, input: FlowInput, rest: readonly TalkEntry[]): FlowInput {
  const next = rest.findIndex(
    (entry) => 'input' in entry || entry.event.type === 'ANSWER' || entry.event.type === 'ACK',
  )
  const events = rest
    .slice(0, next < 0 ? rest.length : next)
    .flatMap((entry) => ('event' in entry ? [entry.event] : []))
  const shownWith = (tried: FlowInput) => {
    const snapshot = events.reduce((at, event) => flow.step(at, event), flow.begin(tried))
    return JSON.stringify([snapshot.value, flow.want(snapshot)])
  }
  const code = codeOf(input)
  const cut = (n: number): FlowInput => {
    const dialled = input.dialled.slice(0, n)
    return { ...input, dialled, code: [code.slice(0, -1), ...dialled].join('*').concat('#') }
  }
  const whole = shownWith(input)
  const enough = input.dialled.findIndex((_part, n) => shownWith(cut(n)) === whole)
  return enough < 0 ? input : cut(enough)
}

/** False: the step cannot be written without revealing a secret. */
function stepped(event: FlowEvent, telling: Telling): boolean {
  const { flow, turn, real, shown, secrets, keys } = telling
  const want = flow.want(shown)
  const next = flow.step(real, event)
  let said = event
  if (event.type === 'ANSWER') {
    const isSecret =
      want.do === 'ask' &&
      want.secret &&
      !undirected(want.text)
        .split('\n')
        .some((line) => line.startsWith(`${event.text.trim()}. `))
    const text = isSecret
      ? secrets(event.text, (made) => alike(flow.step(shown, { type: 'ANSWER', text: made }), next))
      : event.text
    if (text === undefined) return false
    said = { type: 'ANSWER', text }
    keys.push(isSecret ? '****' : text)
    turn.key = [{ line: 0, do: 'answer', text }]
  } else if (event.type === 'ACK') turn.key = [{ line: 0, do: 'ack' }]
  else if (want.do === 'call') called(want, event, telling)
  telling.real = next
  telling.shown = flow.step(shown, said)
  return true
}

function alike(made: FlowSnapshot, real: FlowSnapshot): boolean {
  return (
    made.value === real.value &&
    made.context.wrong === real.context.wrong &&
    made.context.broken === real.context.broken
  )
}

function called(want: Called, event: FlowEvent, { turn, told }: Telling): void {
  // As the player does it.
  if (want.once && isWritten(turn.key)) return
  const operation = operationOf(want)
  const outcome = stubOf(event)
  const line = JSON.stringify(outcome)
  const isOurs = (want.backend === SMS || want.backend === SUBSCRIBER) && outcome.is === 'data'
  const again = turn.calls.some((call) => operationOf(call) === operation)
  if (!isOurs && told.get(operation) !== line)
    turn.stubs.push({ line: 0, do: 'stub', operation, outcome, ...(again ? { again: true } : {}) })
  told.set(operation, line)
  turn.calls.push(want)
}

/** The outcome of a call in the form of a talk. */
export function stubOf(event: FlowEvent): Stub {
  if (event.type === 'RESULT') return { is: 'data', data: event.data }
  if (event.type === 'REFUSED') return { is: 'refused', refusal: event.refusal, data: event.data }
  return { is: 'failed', why: event.type === 'FAILED' ? event.why : 'down' }
}

/** A shown page ends the turn. A turn that was left during a call is not written. */
function page({ flow, steps, turn, shown }: Telling): void {
  const want = flow.want(shown)
  if (want.do === 'call') return
  const text = undirected(want.text)
  const shows: TalkStep = { line: 0, do: isWritten(turn.key) && isPlain(text) ? 'sms' : 'expect', text }
  steps.push(...turn.stubs, ...turn.key, ...turn.calls.flatMap(callTold), shows)
  if (want.do === 'end') steps.push({ line: 0, do: 'ended', reason: want.reason })
  Object.assign(turn, { stubs: [], key: [], calls: [] })
}

const isWritten = (key: readonly TalkStep[]) => key.some((step) => step.do === 'write')

const operationOf = ({ backend, operation }: Called) => `${backend}.${operation}`

/** An SMS is written with its text. A read without arguments is left out: it would check nothing. */
function callTold(call: Called): TalkStep[] {
  const { args, once } = call
  if (operationOf(call) === SMS_SEND && typeof args.text === 'string' && /^\S(.*\S)?$/.test(args.text))
    return [{ line: 0, do: 'sms', text: undirected(args.text) }]
  return once || Object.keys(args).length > 0 ? [{ line: 0, do: 'called', operation: operationOf(call), args }] : []
}

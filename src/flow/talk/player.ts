/** Plays a talk against a compiled flow. The snapshot goes through JSON between any two turns, as in a store. */
import { isDeepStrictEqual } from 'node:util'
import { undirected, USSD_PAGE, type Json, type JsonObject } from '../../ussd/index.ts'
import {
  advance,
  type CallOutcome,
  type CallWant,
  type Advanced,
  TALK_MSISDN,
  WALKED_AT,
  WORD_CODE,
  type CompiledFlow,
  type FlowEvent,
  type FlowInput,
  type FlowSnapshot,
} from '../engine/index.ts'
import { SUBSCRIBER, SMS, SMS_SEND } from '../language/index.ts'
import type { Stub, Talk, TalkStep } from './talk.ts'

/** Where a talk went another way. */
export interface TalkFailure {
  /** `flows/dental.talk:12` */
  where: string
  what: string
  expected?: string
  got?: string
}

/** Undefined: everything went as written. Never rejects for what the flow does wrong: that is a failure of the talk. */
export async function playTalk(talk: Talk, flow: CompiledFlow): Promise<TalkFailure | undefined> {
  const stage: Stage = {
    flow,
    stubs: new Map(),
    calls: [],
    useless: [],
    snapshot: undefined,
    last: undefined,
    lost: undefined,
    written: false,
    language: '',
    msisdn: TALK_MSISDN,
    code: '',
    now: WALKED_AT,
  }
  for (const step of talk.steps) {
    const where = `${talk.file}:${step.line}`
    try {
      const failure = await play(step, stage)
      if (failure) return { where, ...failure, what: [failure.what, ...stage.useless].join('; ') }
    } catch (error) {
      return { where, what: (error as Error).message }
    }
  }
  return undefined
}

interface Stage {
  flow: CompiledFlow
  /** What each operation answers, in order. The last answer is repeated. */
  stubs: Map<string, Stub[]>
  /** Calls since the last answer. */
  calls: { operation: string; args: JsonObject; hidden: readonly string[] }[]
  /** Answers since then that the flow could not use, and why. */
  useless: string[]
  snapshot: FlowSnapshot | undefined
  last: Advanced | undefined
  lost: FlowSnapshot | undefined
  /** A word by SMS started the dialogue. */
  written: boolean
  language: string
  msisdn: string
  code: string
  now: string
}

type Failure = Omit<TalkFailure, 'where'> | undefined

async function play(step: TalkStep, stage: Stage): Promise<Failure> {
  switch (step.do) {
    case 'language':
      return void (stage.language = step.language)
    case 'msisdn':
      return void (stage.msisdn = step.msisdn)
    case 'code':
      return void (stage.code = step.code)
    case 'sms':
      return smsSent(step.text, stage)
    case 'write':
      return write(step.text, stage)
    case 'now':
      return void (stage.now = step.now)
    case 'stub':
      return void stage.stubs.set(step.operation, [
        ...(step.again ? (stage.stubs.get(step.operation) ?? []) : []),
        step.outcome,
      ])
    case 'dial':
      return dial(step.code, stage)
    case 'answer':
      return turn(stage, { type: 'ANSWER', text: step.text })
    case 'ack':
      return turn(stage, { type: 'ACK' })
    case 'hang-up':
      return hangUp(stage, false)
    case 'lost':
      return hangUp(stage, true)
    case 'expect':
      return expected(step.text, stage)
    case 'ended':
      return ended(step.reason, stage)
    case 'called':
      return called(step, stage)
  }
}

async function dial(code: string, stage: Stage): Promise<Failure> {
  const { flow, lost } = stage
  const whole = stage.code === '' ? code : stage.code
  stage.code = whole
  return begin(stage, {
    code,
    dialled: dialledBehind(code, whole),
    ...(lost && flow.resumable(lost) ? { resume: lost } : {}),
  })
}

/** As the daemon plays it: it asks nothing, and makes no call that changes something. */
async function write(word: string, stage: Stage): Promise<Failure> {
  const failure = await begin(stage, { code: `${WORD_CODE}${word}`, dialled: [] })
  const want = stage.last!.want
  if (failure || want.do === 'end') return failure
  return { what: `a word by SMS starts no flow that asks, and screen '${want.screen}' does`, got: want.text }
}

function begin(stage: Stage, how: Pick<FlowInput, 'code' | 'dialled' | 'resume'>): Promise<Failure> {
  const { flow, msisdn, now } = stage
  const language = stage.language || (flow.languages[0] as string)
  const snapshot = flow.begin({ msisdn, line: 'talk', page: USSD_PAGE, now, language, ...how })
  stage.lost = undefined
  stage.written = how.code.startsWith(WORD_CODE)
  return settle(stage, snapshot, null)
}

function dialledBehind(code: string, whole: string): string[] {
  const prefix = whole.replace(/#$/, '')
  if (!code.startsWith(prefix)) throw new Error(`${code} does not begin with ${prefix}`)
  return code
    .slice(prefix.length)
    .replace(/#$/, '')
    .split('*')
    .filter((part) => part !== '')
}

async function turn(stage: Stage, event: FlowEvent): Promise<Failure> {
  if (!stage.snapshot || !stage.last) return { what: 'no dialogue is open: dial first' }
  if (stage.last.want.do === 'end') return { what: `the dialogue has ended: ${stage.last.want.text}` }
  return settle(stage, stage.snapshot, event)
}

async function settle(stage: Stage, from: FlowSnapshot, event: FlowEvent | null): Promise<Failure> {
  stage.calls = []
  stage.useless = []
  stage.last = await advance(stage.flow, stored(from), event, async (want, _n, at) => {
    const outcome = await answerCall(stage, want)
    const useless = stage.flow.useless?.(at, outcome)
    if (useless) stage.useless.push(uselessWords(want, useless))
    return outcome
  })
  stage.snapshot = stored(stage.last.snapshot)
  return undefined
}

function uselessWords(
  { screen, backend, operation }: CallWant,
  { refusal, lacks }: { refusal?: string; lacks?: string[] },
): string {
  const what = refusal === undefined ? 'the answer' : `the refusal '${refusal}'`
  const why = lacks ? `lacks expected fields: ${lacks.join(', ')}` : 'leads nowhere'
  return `${what} of ${backend}.${operation} to screen '${screen}' ${why}`
}

function stored(snapshot: FlowSnapshot): FlowSnapshot {
  return JSON.parse(JSON.stringify(snapshot)) as FlowSnapshot
}

/** Of the daemon's own back ends. */
function ownAnswer({ backend, operation }: CallWant): CallOutcome | undefined {
  if (backend === SUBSCRIBER) return { is: 'data', data: {} }
  if (backend !== SMS) return undefined
  return { is: 'data', data: { is: operation === 'cancel' ? 'cancelled' : 'accepted' } }
}

async function answerCall(stage: Stage, want: CallWant): Promise<CallOutcome> {
  if (stage.written && want.once) return { is: 'failed', why: 'refused-call' }
  const operation = `${want.backend}.${want.operation}`
  const own = ownAnswer(want)
  const stubs = stage.stubs.get(operation) ?? []
  const stub = (stubs.length > 1 ? stubs.shift() : stubs[0]) ?? own
  if (!stub) throw new Error(`screen '${want.screen}' calls ${operation}, but the talk has no answer for it`)
  stage.calls.push({ operation, args: want.args, hidden: want.hidden ?? [] })
  return structuredClone(stub)
}

function hangUp(stage: Stage, lost: boolean): Failure {
  if (!stage.snapshot || stage.last?.want.do === 'end') return { what: 'no dialogue is open' }
  const ifLeft = stage.flow.ifLeft?.(stage.snapshot)
  stage.calls = ifLeft ? [{ operation: SMS_SEND, args: ifLeft, hidden: [] }] : []
  stage.lost = lost ? stage.snapshot : undefined
  stage.snapshot = undefined
  return undefined
}

function expected(text: string, { last }: Stage): Failure {
  if (!last) return { what: 'nothing was dialled yet' }
  // Blanks at the end of a line are invisible, and so are the marks of right-to-left texts.
  const got = undirected(last.want.text).replace(/[^\S\n]+$/gm, '')
  return got === undirected(text)
    ? undefined
    : { what: `the text differs, on screen '${last.want.screen}'`, expected: text, got }
}

function ended(reason: string | undefined, { last }: Stage): Failure {
  if (!last) return { what: 'nothing was dialled yet' }
  if (last.want.do !== 'end')
    return { what: 'the dialogue did not end', expected: `ended ${reason ?? ''}`.trimEnd(), got: last.want.text }
  return reason === undefined || last.want.reason === reason
    ? undefined
    : { what: 'the dialogue ended for another reason', expected: reason, got: last.want.reason }
}

function called(step: { operation: string; args: Json | undefined }, { calls }: Stage): Failure {
  const made = calls.filter((call) => call.operation === step.operation)
  if (made.length === 0)
    return {
      what: `${step.operation} was not called`,
      expected: step.operation,
      got: calls.map((c) => c.operation).join('\n'),
    }
  if (step.args === undefined || made.some((call) => isDeepStrictEqual(call.args, step.args))) return undefined
  return {
    what: `${step.operation} was called with other arguments`,
    expected: argsShown(step.args),
    got: argsShown(masked(made[0])),
  }
}

function smsSent(text: string, { calls, written, last }: Stage): Failure {
  const answer = written && last ? [undirected(last.want.text)] : []
  const sent = [
    ...answer,
    ...calls.filter(({ operation }) => operation === SMS_SEND).map(({ args }) => undirected(String(args.text))),
  ]
  if (sent.includes(undirected(text))) return undefined
  return { what: sent.length === 0 ? 'no SMS was sent' : 'another SMS was sent', expected: text, got: sent.join('\n') }
}

/** Long arguments get a line each. */
function argsShown(args: Json | undefined): string {
  const whole = JSON.stringify(args)
  const isLong = whole.length > 60 && args !== null && typeof args === 'object'
  return isLong
    ? Object.entries(args!)
        .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
        .join('\n')
    : whole
}

/** The arguments without secrets. */
function masked(call: Stage['calls'][number] | undefined): JsonObject | undefined {
  return call && { ...call.args, ...Object.fromEntries(call.hidden.map((name) => [name, '****'])) }
}

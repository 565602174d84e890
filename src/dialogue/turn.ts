/**
 * One turn of a dialogue: a stored answer in, at most one reply out. Playing the same record again gives the same
 * intentions, so a turn may be repeated after a crash, here or in another daemon.
 */
import type { Backend, CallContext, Patience } from '../backend/index.ts'
import {
  advance,
  advanceOrWait,
  type CallOutcome,
  type CallWant,
  type CompiledFlow,
  type FlowEvent,
  type FlowRegistry,
  type FlowSnapshot,
  type Want,
} from '../flow/engine/index.ts'
import {
  type Clock,
  type EndReason,
  type JsonObject,
  type PageLimit,
  refusalInLog,
  type UssdReply,
} from '../ussd/index.ts'
import { abortAfter, dialogueInLog, failpoint, type Log, tellsDebug } from '../base/index.ts'
import { type CallMade, callSaid } from './calls-made.ts'
import { wantsSecret, typedIn } from './exact-texts.ts'
import type { Step } from './track.ts'
import type { DialogueRecord } from './types.ts'

export interface TurnDeps {
  flows: FlowRegistry
  backend(name: string): Backend | undefined
  clock: Clock
  /** The language of a subscriber who has not chosen one. */
  language: string
  /** The language that the subscriber chose; null if there is none or it cannot be read in time. Never rejects. */
  chosenLanguage?(msisdn: string): Promise<string | null>
  /** Whether the subscriber on this line can get the answer of a patient back end later. Absent: no. */
  mayHold?: ((line: string) => boolean) | undefined
  /** Exact texts are kept for support. Absent: they are not. */
  keepsTexts?: boolean | undefined
  /** Gets answers that the flow cannot use. */
  log?: Pick<Log, 'debug' | 'warn' | 'isLevelEnabled'>
}

/** A begin with its flow. */
export interface Begin {
  flow: string
  dialled: string[]
  /** The dialogue before this one, if it may be resumed. */
  lost: DialogueRecord | null
}

export interface Played {
  flow: CompiledFlow
  snapshot: FlowSnapshot
  reply: UssdReply
  /** Null: it rests on a question. */
  ended: EndReason | null
  calls: number
  step: Step
  /** It ended with a holding text, before a back end had answered. */
  held?: HeldCall
  /** It was held, and no answer came in all that time. */
  waitedOut?: true
}

/** A call that outlives its turn: the snapshot rests on it. */
export interface HeldCall {
  /** The number of the call in the turn. */
  n: number
  /** Absent: the daemon that made it is gone; the call is made again, with the same intention. */
  answer?: Promise<CallOutcome>
  /** When this daemon made it. Absent: as above. */
  askedMs?: number
  /** Wall-clock milliseconds: from then on it counts as failed. */
  untilMs: number
}

/**
 * Plays the record's stored answer. Back ends are cut off at `deadlineMs` (wall clock), so that the flow's own text is
 * still in time. Undefined: the flow or its revision is missing. Throws FlowFault.
 */
export async function playTurn(
  record: DialogueRecord,
  begin: Begin | null,
  { deadlineMs, begun }: { deadlineMs: number; begun?: Begun | undefined },
  deps: TurnDeps & { page: PageLimit },
): Promise<Played | undefined> {
  const started = begun ?? (begin ? await start(record, begin, deps) : await carryOn(record, deps))
  if (!started) return undefined
  const { flow, snapshot, event } = started
  failpoint('in-step')
  const time = timeOf(deadlineMs, deps.clock)
  let held: HeldCall | undefined
  const step = stepOf(flow, record, deps)
  try {
    const played = await advanceOrWait(flow, snapshot, event, async (want, n, at) => {
      const call = { flow, want, n, record, snapshot: at }
      const patience = patienceWith(call, deps)
      const askedMs = deps.clock.now()
      const outcome = patience
        ? await patiently(call, patience, deps)
        : await callBackend({ ...call, signal: time.signal(), deadlineMs }, deps)
      const ms = deps.clock.now() - askedMs
      step.backendMs += ms
      const said = callSaid('untilMs' in outcome ? null : outcome)
      step.calls = [...(step.calls ?? []), callMade(call, { said, ms, askedMs })]
      if (!('untilMs' in outcome)) return outcome
      held = outcome
      return null
    })
    if (step.exact) step.exact.isSecret = wantsSecret(played.want)
    if (played.want.do !== 'call')
      return {
        flow,
        snapshot: played.snapshot,
        calls: played.calls,
        step: restedStep(flow, played, step),
        ...said(played.want),
      }
    const text = flow.text('holding', languageOf(played.snapshot.context, deps.language))
    return {
      flow,
      snapshot: played.snapshot,
      calls: played.calls + 1,
      step,
      reply: { action: 'end', text },
      ended: 'answer-later',
      held: held!,
    }
  } finally {
    time.over()
  }
}

/** A call, for the record of the dialogue. */
function callMade({ want, n, record }: Bare, how: { said: string; ms: number; askedMs: number }): CallMade {
  const { said, ms, askedMs } = how
  const { backend, operation, once } = want
  return {
    turn: record.turn,
    n,
    backend,
    operation,
    changes: once,
    said,
    ms,
    atMs: Math.max(0, askedMs - record.openedMs),
  }
}

/** A turn up to where it awaits a back end. */
export interface Begun {
  flow: CompiledFlow
  snapshot: FlowSnapshot
  /** The event has been played. */
  event: null
}

/**
 * Plays a turn that awaits nothing: no back end, no language to look up, no revision to load. If it awaits a back end:
 * how far it got. Undefined: it awaits something before that, or the flow is missing. Throws FlowFault.
 */
export function playAtOnce(
  record: DialogueRecord,
  begin: Begin | null,
  deps: TurnDeps & { page: PageLimit },
): Played | Begun | undefined {
  const started = begin ? startAtOnce(record, begin, deps) : carryOnAtOnce(record, deps)
  if (!started) return undefined
  const { flow, snapshot, event } = started
  failpoint('in-step')
  const next = event ? flow.step(snapshot, event) : snapshot
  const want = flow.want(next)
  if (want.do === 'call') return { flow, snapshot: next, event: null }
  const own = stepOf(flow, record, deps)
  if (own.exact) own.exact.isSecret = wantsSecret(want)
  const step = restedStep(flow, { snapshot: next, want }, own)
  const { reply, ended } = said(want)
  return { flow, snapshot: next, calls: 0, step, reply, ended }
}

/** Which choice of the screen the record's answer is, and what it is word for word if that is kept. */
function stepOf(flow: CompiledFlow, record: DialogueRecord, { keepsTexts }: Pick<TurnDeps, 'keepsTexts'>): Step {
  const { snapshot, answer } = record
  const choice = snapshot && answer.kind === 'input' ? flow.choice?.(snapshot as FlowSnapshot, answer.text) : undefined
  const step: Step = choice === undefined ? { backendMs: 0 } : { choice, backendMs: 0 }
  if (keepsTexts) step.exact = { typed: typedIn(flow, record), isSecret: false }
  return step
}

/** With what to do for a subscriber who leaves where the dialogue rests now. */
function restedStep(flow: CompiledFlow, { snapshot, want }: { snapshot: FlowSnapshot; want: Want }, step: Step): Step {
  const ifLeft = want.do === 'ask' ? flow.ifLeft?.(snapshot) : undefined
  return ifLeft ? { ...step, ifLeft } : step
}

/** Plays a held turn to its end. The record is as it was taken, with the snapshot that rests on the call. */
export async function playHeld(record: DialogueRecord, held: HeldCall, deps: TurnDeps): Promise<Played | undefined> {
  const flow = await deps.flows.pinned(record.revision)
  if (!flow || !record.snapshot) return undefined
  const time = timeOf(held.untilMs, deps.clock)
  let first: CallOutcome | undefined
  const begunMs = deps.clock.now()
  const calls: CallMade[] = []
  try {
    const played = await advance(flow, record.snapshot as FlowSnapshot, null, async (want, i, at) => {
      const call = { flow, want, n: held.n + i, record, snapshot: at }
      const waits = i === 0 ? held.answer : undefined
      const askedMs = (waits && held.askedMs) ?? deps.clock.now()
      const outcome = waits
        ? await waits
        : await callBackend({ ...call, signal: time.signal(), deadlineMs: held.untilMs }, deps)
      calls.push(callMade(call, { said: callSaid(outcome), ms: deps.clock.now() - askedMs, askedMs }))
      first ??= outcome
      return outcome
    })
    const isLate = first?.is === 'failed' && first.why === 'late'
    return {
      flow,
      snapshot: played.snapshot,
      calls: played.calls,
      step: restedStep(flow, played, {
        backendMs: deps.clock.now() - begunMs,
        calls,
        ...(deps.keepsTexts ? { exact: { typed: null, isSecret: wantsSecret(played.want) } } : {}),
      }),
      ...said(played.want),
      ...(isLate ? { waitedOut: true } : {}),
    }
  } finally {
    time.over()
  }
}

/** The turn's time limit as a signal. It is created when a back end is called: most turns call none. */
function timeOf(deadlineMs: number, clock: Clock): { signal(): AbortSignal; over(): void } {
  let cutting: ReturnType<typeof abortAfter> | undefined
  return {
    signal: () => (cutting ??= abortAfter(clock, Math.max(0, deadlineMs - clock.now()))).signal,
    over: () => cutting?.over(),
  }
}

async function start(record: DialogueRecord, begin: Begin, deps: TurnDeps & { page: PageLimit }) {
  const lost = begin.lost?.snapshot ? begin.lost : null
  const old = lost ? await deps.flows.pinned(lost.revision) : undefined
  const resume = old?.name === begin.flow && old.resumable(lost!.snapshot as FlowSnapshot) ? lost!.snapshot! : undefined
  const flow = resume ? old : deps.flows.current(begin.flow, record.key.msisdn)
  if (!flow) return undefined
  const chosen = asksLanguage(flow, deps) ? await deps.chosenLanguage?.(record.key.msisdn) : null
  return begun(flow, record, begin, { deps, language: chosen ?? deps.language, resume })
}

function startAtOnce(record: DialogueRecord, begin: Begin, deps: TurnDeps & { page: PageLimit }) {
  if (begin.lost?.snapshot) return undefined
  const flow = deps.flows.current(begin.flow, record.key.msisdn)
  if (!flow || asksLanguage(flow, deps)) return undefined
  return begun(flow, record, begin, { deps, language: deps.language })
}

/** Whether the subscriber may have chosen one of the languages of this flow: then somebody must be asked. */
function asksLanguage({ languages }: CompiledFlow, { flows, chosenLanguage }: TurnDeps): boolean {
  return languages.length > 1 && chosenLanguage !== undefined && flows.mayChooseLanguage?.() !== false
}

interface Beginning {
  deps: Pick<TurnDeps, 'clock'> & { page: PageLimit }
  language: string
  resume?: JsonObject | undefined
}

function begun(flow: CompiledFlow, record: DialogueRecord, begin: Begin, { deps, language, resume }: Beginning) {
  const snapshot = flow.begin({
    msisdn: record.key.msisdn,
    code: record.code,
    line: record.line,
    language,
    dialled: begin.dialled,
    page: deps.page,
    now: new Date(deps.clock.today()).toISOString(),
    ...(resume ? { resume } : {}),
  })
  return { flow, snapshot, event: null }
}

async function carryOn(record: DialogueRecord, deps: TurnDeps) {
  return answered(await deps.flows.pinned(record.revision), record)
}

function carryOnAtOnce(record: DialogueRecord, deps: TurnDeps) {
  return answered(deps.flows.loaded?.(record.revision), record)
}

function answered(flow: CompiledFlow | undefined, { snapshot, answer }: DialogueRecord) {
  if (!flow || !snapshot) return undefined
  const event: FlowEvent = answer.kind === 'notify-ack' ? { type: 'ACK' } : { type: 'ANSWER', text: answer.text }
  return { flow, snapshot: snapshot as FlowSnapshot, event }
}

interface Call {
  flow: CompiledFlow
  want: CallWant
  n: number
  record: DialogueRecord
  snapshot: FlowSnapshot
  signal: AbortSignal
  /** When the signal fires. */
  deadlineMs: number
}

type Bare = Omit<Call, 'signal' | 'deadlineMs'>

/** Undefined: the answer must arrive within the turn. */
function patienceWith({ want, record, snapshot }: Bare, deps: TurnDeps): Patience | undefined {
  // What waits is stored, and a secret is never stored.
  const isSecret = want.hidden !== undefined || snapshot.context.secrets !== undefined
  return isSecret || !deps.mayHold?.(record.line) ? undefined : deps.backend(want.backend)?.patience
}

/** The answer; or, if it does not arrive in time for the network, the promise of it. */
async function patiently(call: Bare, { afterMs, waitMs }: Patience, deps: TurnDeps): Promise<CallOutcome | HeldCall> {
  const { clock } = deps
  const askedMs = clock.now()
  const holdMs = Math.max(0, call.record.touchedMs + afterMs - clock.now())
  const { signal, over } = abortAfter(clock, holdMs + waitMs)
  const deadlineMs = clock.now() + holdMs + waitMs
  const answer = callBackend({ ...call, signal, deadlineMs }, deps).finally(over)
  let cancel = (): void => undefined
  const late = new Promise<null>((done) => (cancel = clock.after(holdMs, () => done(null))))
  const first = await Promise.race([answer, late]).finally(() => cancel())
  return first ?? { n: call.n, answer, askedMs, untilMs: clock.now() + waitMs }
}

/** The log message if a subscriber is led to `failed` although the back end has answered. */
const USELESS = 'a back end answered what the flow cannot use'

async function callBackend(call: Call, deps: TurnDeps): Promise<CallOutcome> {
  const { want, record, signal } = call
  const intention = `${record.epoch}:${record.turn}:${call.n}`
  const key = want.keyed ? { key: intention } : {}
  const backend = deps.backend(want.backend)
  if (!backend) return { is: 'failed', why: 'refused-call', ...key }
  if (signal.aborted) return { is: 'failed', why: 'late', ...key }
  failpoint('before-call')
  const { context } = call.snapshot
  const limit = limited(call, deps.clock)
  try {
    const told: CallContext = {
      intention,
      epoch: beganAs(context, record.epoch),
      msisdn: record.key.msisdn,
      language: languageOf(context, deps.language),
      line: record.line,
      flow: call.flow.name,
      todayMs: deps.clock.today(),
      once: want.once,
      isSecret: want.hidden !== undefined,
      signal: limit.signal,
      deadlineMs: limit.deadlineMs,
    }
    if (want.cache !== undefined) told.cache = want.cache
    if (want.settles !== undefined) told.settles = want.settles
    if (want.timeoutMs !== undefined) told.timeoutMs = want.timeoutMs
    const result = await backend.call(want.operation, want.args, told)
    failpoint('after-call')
    tell(call, result, deps.log)
    return want.keyed ? { ...result, ...key } : result
  } finally {
    limit.over()
  }
}

/** At debug what it answered; and if the flow cannot use that, a warning. */
function tell({ flow, want, record, snapshot }: Call, result: CallOutcome, log: TurnDeps['log']): void {
  const { screen, backend, operation } = want
  // An object for the log takes more octets than the call.
  if (log && tellsDebug(log))
    log.debug({ ...dialogueInLog(record), backend, operation, ...saidOf(result) }, 'back end answered')
  const useless = flow.useless?.(snapshot, result)
  if (!useless) return
  const named = useless.refusal === undefined ? {} : { refusal: refusalInLog(useless.refusal) }
  log?.warn(
    { flow: flow.revision, screen, backend, operation, ...useless, ...named, ...dialogueInLog(record) },
    USELESS,
  )
}

/** Without its data, which may be personal. */
function saidOf(result: CallOutcome): object {
  if (result.is === 'failed') return { is: result.is, why: result.why }
  return result.is === 'refused' ? { is: result.is, refusal: refusalInLog(result.refusal) } : { is: result.is }
}

/** The time limit of a call: what the flow gives it, if it does, and never more than the turn has. */
function limited({ want, signal, deadlineMs }: Call, clock: Clock) {
  const { timeoutMs } = want
  if (timeoutMs === undefined) return { signal, deadlineMs, over: () => undefined }
  const { signal: cut, over } = abortAfter(clock, timeoutMs, signal)
  return { signal: cut, deadlineMs: Math.min(deadlineMs, clock.now() + timeoutMs), over }
}

/** The epoch by which back ends know this dialogue: it may have begun before we pushed it. */
export function beganAs(context: JsonObject | undefined, epoch: string): string {
  return typeof context?.began === 'string' ? context.began : epoch
}

function languageOf(context: JsonObject, otherwise: string): string {
  return typeof context.language === 'string' ? context.language : otherwise
}

function said(want: Exclude<Want, CallWant>): { reply: UssdReply; ended: EndReason | null } {
  if (want.do === 'end') return { reply: { action: 'end', text: want.text }, ended: want.reason }
  return { reply: { action: want.do === 'ask' ? 'continue' : 'notify', text: want.text }, ended: null }
}

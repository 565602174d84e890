/**
 * One turn of a dialogue: a journalled answer in, at most one reply out. The same record played again gives the same
 * intentions, so a turn may be repeated after a crash, here or elsewhere.
 */
import type { Backend, CallResult } from '../backend/types.ts'
import { advance } from '../flow/advance.ts'
import type { CompiledFlow, FlowEvent, FlowRegistry, FlowSnapshot, Want } from '../flow/types.ts'
import type { Clock, EndReason, JsonObject, PageLimit, UssdReply } from '../ussd/types.ts'
import { failpoint } from '../failpoints.ts'
import type { DialogueRecord } from './types.ts'

export interface TurnParts {
  flows: FlowRegistry
  backend(name: string): Backend | undefined
  clock: Clock
  /** Language of a subscriber who has not chosen one. */
  language: string
  /** The language that the subscriber chose; null if none, or if it cannot be had in time. Never rejects. */
  chosenLanguage?(msisdn: string): Promise<string | null>
}

/** A begin, routed. */
export interface Begin {
  flow: string
  dialled: string[]
  /** The dialogue that stood there before, if it may be offered again. */
  lost: DialogueRecord | null
}

export interface Played {
  flow: CompiledFlow
  snapshot: FlowSnapshot
  reply: UssdReply
  /** null: it rests on a question. */
  ended: EndReason | null
  calls: number
}

/**
 * Plays the record's journalled answer. Back ends are cut off at `deadlineMs` (wall clock), so that the flow's own text
 * is still in time. Undefined: the flow, or its revision, is not to be had. Throws FlowFault.
 */
export async function playTurn(
  record: DialogueRecord, begin: Begin | null, deadlineMs: number, parts: TurnParts & { page: PageLimit },
): Promise<Played | undefined> {
  const started = begin ? await start(record, begin, parts) : await carryOn(record, parts)
  if (!started) return undefined
  const { flow, snapshot, event } = started
  const time = timeOf(deadlineMs, parts.clock)
  try {
    const call = (want: CallWant, n: number) => callBackend({ want, n, record, flow, snapshot, signal: time.signal() }, parts)
    const played = await advance(flow, snapshot, event, call)
    return { flow, snapshot: played.snapshot, calls: played.calls, ...said(played.want) }
  } finally {
    time.over()
  }
}

/** The turn's time as a signal, which is made when a back end is called: most turns call none. */
function timeOf(deadlineMs: number, clock: Clock): { signal(): AbortSignal; over(): void } {
  let signal: AbortSignal | undefined
  let cancel: (() => void) | undefined
  const begin = () => {
    const cutOff = new AbortController()
    cancel = clock.after(Math.max(0, deadlineMs - clock.now()), () => cutOff.abort())
    return cutOff.signal
  }
  return { signal: () => (signal ??= begin()), over: () => cancel?.() }
}

type CallWant = Extract<Want, { do: 'call' }>

async function start(record: DialogueRecord, begin: Begin, parts: TurnParts & { page: PageLimit }) {
  const lost = begin.lost?.snapshot ? begin.lost : null
  const old = lost ? await parts.flows.pinned(lost.revision) : undefined
  const resume = old?.name === begin.flow && old.resumable(lost!.snapshot as FlowSnapshot) ? lost!.snapshot! : undefined
  const flow = resume ? old : parts.flows.current(begin.flow, record.key.msisdn)
  if (!flow) return undefined
  const chosen = flow.languages.length > 1 ? await parts.chosenLanguage?.(record.key.msisdn) : null
  const snapshot = flow.begin({
    msisdn: record.key.msisdn, code: record.code, line: record.line, language: chosen ?? parts.language,
    dialled: begin.dialled, page: parts.page, now: new Date(parts.clock.today()).toISOString(), ...(resume ? { resume } : {}),
  })
  return { flow, snapshot, event: null }
}

async function carryOn(record: DialogueRecord, parts: TurnParts) {
  const flow = await parts.flows.pinned(record.revision)
  if (!flow || !record.snapshot) return undefined
  const event: FlowEvent = record.answer.kind === 'notify-ack' ? { type: 'ACK' } : { type: 'ANSWER', text: record.answer.text }
  return { flow, snapshot: record.snapshot as FlowSnapshot, event }
}

interface Call {
  want: CallWant
  n: number
  record: DialogueRecord
  flow: CompiledFlow
  snapshot: FlowSnapshot
  signal: AbortSignal
}

async function callBackend(call: Call, parts: TurnParts): Promise<CallResult> {
  const { want, record, signal } = call
  const backend = parts.backend(want.backend)
  if (!backend) return { is: 'failed', why: 'refused-call', detail: `no back end '${want.backend}' in the settings` }
  if (signal.aborted) return { is: 'failed', why: 'late', detail: 'the turn has no time left' }
  failpoint('before-call')
  const result = await backend.call(want.operation, want.args, {
    intention: `${record.epoch}:${record.turn}:${call.n}`, epoch: record.epoch, msisdn: record.key.msisdn,
    language: languageOf(call.snapshot.context, parts.language), line: record.line, todayMs: parts.clock.today(), signal,
  })
  failpoint('after-call')
  return result
}

function languageOf(context: JsonObject, otherwise: string): string {
  return typeof context.language === 'string' ? context.language : otherwise
}

function said(want: Exclude<Want, { do: 'call' }>): { reply: UssdReply; ended: EndReason | null } {
  if (want.do === 'end') return { reply: { action: 'end', text: want.text }, ended: want.reason }
  return { reply: { action: want.do === 'ask' ? 'continue' : 'notify', text: want.text }, ended: null }
}

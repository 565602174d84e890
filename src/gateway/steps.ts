/** The building blocks of the gateway's steps: small and, except for the guard and the leases, pure. */
import {
  mayBeSecret,
  type Begin,
  type Begun,
  type Turned,
  type DialogueKey,
  type DialogueRecord,
  type Held,
  type TakeResult,
  type Taking,
} from '../dialogue/index.ts'
import {
  dialogueInLog,
  type DialogueNamed,
  StoreError,
  type Log,
  type Metrics,
  monotonicClock,
  type Standstill,
  TurnoverMap,
} from '../base/index.ts'
import { pushedFlow } from '../push/index.ts'
import type { SeenMessage } from '../tools/recorder/index.ts'
import { STATUS } from '../smpp/pdu/index.ts'
import type { Incoming, Line, LinkPort, Pdu } from '../smpp/index.ts'
import { remedyFor, routeCode, type CodeRoute, type Clock, type UssdMessage, type UssdReply } from '../ussd/index.ts'

/** A reply may always wait at least this long for its response, however late the turn was. */
export const REPLY_MS_MIN = 5_000

/** How much one sweep handles; the rest waits for the next sweep. */
export const SWEEP_MAX = 200
/** How long one sweep waits for what it started before the next may begin. */
export const SWEEP_MS = 1_000

/** A service code, and the flow that it opens. */
export interface Service extends CodeRoute {
  flow: string
}

export interface GatewayLimits {
  turnMs: number
  leaseMs: number
  /** How often a turn may be taken over. */
  takeoversMax: number
  resumeMs: number
  tombstoneMs: number
  totalMs: number
  /** The most open dialogues, as last counted by the sweep. */
  openMax: number
  /** The most running turns in this daemon. */
  turnsMax: number
  language: string
}

/** Where a message came from, and what must be acknowledged. */
export interface From {
  pdu: Pdu
  line: Line
  link: LinkPort
}

/** A reply to send. */
export interface Send {
  pdu: Parameters<Line['submit']>[0]
  action: UssdReply['action']
  from?: From | undefined
  link?: string | undefined
}

/** A begin that gets a text instead of a dialogue. `result` is a metrics label. */
export interface TurnedAway {
  result: string
  text: string
  /** A dialect may have a status for it instead. */
  mayBeStatus?: boolean
}

/** The service with the longest code that matches what was dialled, and the answers dialled behind it. */
export function serviceFor(services: readonly Service[], code: string, line: string) {
  return routeCode(services, code, line)
}

/** How the dialogue of this record begins. Null if no service has its code any more. */
export function beginOf(
  record: DialogueRecord,
  services: readonly Service[],
  lost: DialogueRecord | null,
): Begin | null {
  const pushed = pushedFlow(record.code)
  if (pushed !== null) return { flow: pushed, dialled: [], lost: null }
  const found = serviceFor(services, record.code, record.line)
  return found ? { flow: found.route.flow, dialled: found.dialled, lost } : null
}

/** What a message was, for the recorder. Undefined: not known yet. An answer of a subscriber may be a secret. */
export function seenAs(incoming: Incoming): SeenMessage | undefined {
  if (incoming.is === 'ussd') return incoming.message.kind === 'begin' ? 'code' : undefined
  return incoming.is === 'sms' || incoming.is === 'receipt' ? 'open' : undefined
}

/** Whether people who may see texts may see this answer. Only now is it known what it answers. */
export function mayBeSeen(taken: TakeResult): boolean {
  return taken.is === 'next' && !mayBeSecret(taken.record)
}

export function isBegin(incoming: Incoming): boolean {
  return incoming.is === 'ussd' && incoming.message.kind === 'begin'
}

export function dialogueKeyOf(message: UssdMessage, line: Line): DialogueKey {
  return { group: line.group, msisdn: message.msisdn }
}

/** deliver_sm_resp is sent before the turn, unless the dialect wants our submit_sm first and there will be one. */
export function isEarly(line: Line, taken: TakeResult['is']): boolean {
  return line.dialect.habits.deliverResp === 'immediate' || (taken !== 'opened' && taken !== 'next')
}

export function responseStatus(incoming: Incoming): number {
  return incoming.is === 'reject' ? incoming.status : STATUS.ESME_ROK
}

const LONG_REMEDY =
  "the answer would have to carry it: say in outbound of the line's dialect what stands there instead (docs/DIALECTS.md)"

/** What is logged about a refused PDU. */
export function refusalOf(why: string): { why: string; remedy?: string } {
  const remedy = remedyFor(why) ?? (why.endsWith('-too-long') ? LONG_REMEDY : undefined)
  return remedy === undefined ? { why } : { why, remedy }
}

interface TakingInput {
  mint: { epoch(): string; token(): string }
  nowMs: number
  still: Standstill | undefined
  leaseMs: number
}

export function takingOf(
  message: UssdMessage,
  { line, link }: From,
  { mint, nowMs, still, leaseMs }: TakingInput,
): Taking {
  const kind = message.kind === 'begin' || message.kind === 'notify-ack' ? message.kind : 'input'
  return {
    key: dialogueKeyOf(message, line),
    network: message.network,
    code: message.code,
    line: line.name,
    answer: { kind, text: message.text, step: message.step ?? null },
    link: link.id,
    returnPath: message.returnPath,
    token: mint.token(),
    nowMs,
    still,
    leaseUntilMs: nowMs + leaseMs,
    epoch: kind === 'begin' ? mint.epoch() : '',
    copyMs: line.dialect.habits.copyMs,
    sameKeyMs: line.dialect.habits.sameKeyMs,
    isGone: (id) => line.isGone(id),
  }
}

/** Counts and logs a call of the dialogue store that failed. `about`: whose dialogue it is; absent: of many. */
export type StoreFailed = (call: string, error: unknown, about?: DialogueNamed) => undefined

export function storeFailed({ metrics, log }: { metrics: Metrics; log: Log }): StoreFailed {
  return (call, error, about) => {
    const code = error instanceof StoreError ? error.code : 'bug'
    metrics.count('dialogue_store_errors_total', { call, code })
    log.error({ err: error, call, ...(about && dialogueInLog(about)) }, 'dialogue store failed')
  }
}

/**
 * Wraps calls of the dialogue store. Undefined if a call failed; that is counted and logged here. `about`: whose
 * dialogue it is; absent: of many.
 */
export type GuardStore = <T>(call: string, run: () => Promise<T>, about?: DialogueNamed) => Promise<T | undefined>

export function guardStore(failed: StoreFailed): GuardStore {
  return (call, run, about) => {
    try {
      return run().catch((error: unknown) => failed(call, error, about))
    } catch (error) {
      return Promise.resolve(failed(call, error, about))
    }
  }
}

/** The leases of the running turns, on one timer: most turns are over before the first renewal. */
export interface Leases {
  /** Calls `renew` again and again until the returned function is called. */
  keep(renew: () => void): () => void
}

export function createLeases(leaseMs: number, clock: Clock): Leases {
  const everyMs = leaseMs / 3
  const now = monotonicClock(clock)
  /** The earliest first: each is moved to the end when it is due. What renews a lease holds its whole turn. */
  const due = new TurnoverMap<() => void, number>()
  let armed = false

  function arm(atMs: number): void {
    armed = true
    clock.after(Math.max(0, atMs - now()), look)
  }

  function look(): void {
    const nowMs = now()
    armed = false
    const ready: (() => void)[] = []
    for (const [renew, atMs] of due) {
      if (atMs > nowMs) break
      ready.push(renew)
    }
    for (const renew of ready) {
      // Another one may have ended its turn.
      if (!due.delete(renew)) continue
      due.set(renew, nowMs + everyMs)
      renew()
    }
    const [nextMs] = due.values()
    if (nextMs !== undefined && !armed) arm(nextMs)
  }

  return {
    keep(renew) {
      due.set(renew, now() + everyMs)
      if (!armed) arm(now() + everyMs)
      return () => void due.delete(renew)
    },
  }
}

/** How to play a taken turn. */
export interface Turning {
  token: string
  held: Held
  /** How far it was played before it was taken. */
  begun?: Begun | undefined
  /** Absent: no link waits for it, because it was taken over. */
  from?: From | undefined
  /** The dialogue before this one, if it may be resumed. */
  lost: DialogueRecord | null
  /**
   * The turn has taken too long to be played. It ends with an apology, which is stored like any reply so that it
   * arrives.
   */
  isLate?: boolean
}

/**
 * Whether a turn that was left behind is no longer played. If daemon after daemon does not finish it, it kills or
 * stalls them: most likely through what a back end answers, and the back end would answer that again.
 */
export function isGivenUp(record: DialogueRecord, nowMs: number, { limits, metrics, log }: Giving): boolean {
  if ((record.takeovers ?? 0) <= limits.takeoversMax)
    return nowMs > record.touchedMs + limits.turnMs + limits.leaseMs * 2
  metrics.count('limits_total', { limit: 'takeovers_max' })
  const { turn, takeovers } = record
  log.error(
    { ...dialogueInLog(record), turn, takeovers, flow: record.revision || record.code },
    'turn given up after repeated take-overs: check what its back end answered and why the earlier daemons ended',
  )
  return true
}

interface Giving {
  limits: GatewayLimits
  metrics: Pick<Metrics, 'count'>
  log: Log
}

/** The end of a turn that is too late, or was tried too often. */
export function apology(record: DialogueRecord, text: string): Turned {
  return { ...gone(record, null), reply: { action: 'end', text }, ended: 'failed' }
}

export function gone(record: DialogueRecord, begin: Begin | null): Pick<Turned, 'flow' | 'revision' | 'snapshot'> {
  return {
    flow: begin?.flow ?? record.revision.split('@')[0]!,
    revision: record.revision,
    snapshot: record.snapshot ?? {},
  }
}

/**
 * The window of one link: which of our requests are written and not answered, and which wait for a slot. USSD goes
 * first, and the last slots are reserved for it; of SMS the most urgent go first. Every request ends in exactly one
 * outcome. It writes nothing and tells nobody: `next` gives what is to be done, and the link does it.
 */
import type { Clock } from '../../ussd/index.ts'
import { TurnoverMap } from '../../base/index.ts'
import type { Lane, Leaving, MayLeave, OutgoingPdu, Pdu, SubmitOutcome } from '../types.ts'
import type { AnswerTimes } from './answer-times.ts'
import type { BindRole } from './bind-request.ts'
import type { CapWaiter, LineCap } from './cap.ts'
import type { Pace } from './pace.ts'
import { STATUS } from '../pdu/index.ts'

/** Sequence numbers go from 1 to this, then 1 again. (SMPP v3.4 §3.2, §5.1.4) */
export const SEQUENCE_MAX = 0x7fffffff

/** How many timed-out requests are remembered, to recognise a response that comes late. */
const LATE_MAX = 1_000

/** The most withheld USSD submits that may wait for a response on one link. Each is a subscriber who is reading. */
const WITHHELD_MAX = 10_000

/** How often deadlines are checked at most. A timeout may come that much late, never early. */
const SWEEP_MS = 50

/** The weight of one response in what a slot takes: the last ten count most. */
const WEIGHT = 0.1

/** An SMSC that answers nothing for a shorter time only takes its time. */
const HICCUP_MS = 1_000

const CONGESTION_STATE = 0x0428

export interface WindowSettings {
  /** How many requests may wait for a response at once. */
  slots: number
  /** The share of the slots that SMS may not take: at least one slot if there is more than one. */
  ussdShare: number
  queueMax: Record<Lane, number>
  /** The first and the last sequence number: 1 and SEQUENCE_MAX, except in tests of the wrap. */
  sequence?: { first: number; last: number }
}

/** One of our requests, coded except for its sequence number. */
export interface WindowRequest {
  octets: Buffer
  command: OutgoingPdu['command']
  lane: Lane
  deadline: number
  key: string | undefined
  mayLeave?: MayLeave | undefined
  leaving?: Leaving | undefined
  tries?: number | undefined
  /** Of SMS: the lowest goes first. */
  urgency?: number | undefined
  /** What it is, for counting. */
  kind?: string | undefined
  /** When it came to the window. Monotonic milliseconds; only on a line with a cap. */
  sinceMs?: number | undefined
  /** The response comes only when the subscriber answers, so the request takes no slot. */
  withheld: boolean
  /** Tells who waits for it. */
  settle(outcome: SubmitOutcome): void
  /** When it was written. Wall-clock milliseconds. */
  sentMs?: number | undefined
  /** How it ended. */
  outcome?: SubmitOutcome | undefined
}

/** A request of the link itself. The bind machine watches its deadline. */
export type LinkCommand = `bind_${BindRole}` | 'enquire_link' | 'unbind'

/** What the response to a timed-out request said when it arrived late. */
export interface LateResponse {
  key: string | undefined
  lane: Lane
  outcome: SubmitOutcome
}

/** What a response answered. All but `matched` and those of the link itself are metrics labels. */
export type ResponseMatch = 'matched' | LinkCommand | 'late-response' | 'wrong-command' | 'unexpected-response'

/** The cap of the line, and what is to be done when it lets more go. */
export interface WindowCap {
  cap: LineCap
  pump(): void
}

export class Window implements CapWaiter {
  readonly #settings: WindowSettings
  readonly #pace: Pace
  readonly #clock: Pick<Clock, 'now'>
  readonly #pending = new TurnoverMap<number, WindowRequest | LinkCommand>()
  readonly #late = new Map<number, Pick<WindowRequest, 'command' | 'key' | 'lane'>>()
  readonly #queue: Record<Lane, WindowRequest[]> = { ussd: [], sms: [] }
  /** What is to be told. The oldest first. */
  readonly #news: (WindowRequest | LateResponse)[] = []
  readonly #smsSlots: number
  #sequence: number
  #inSlots = 0
  /** How many of them are SMS. */
  #smsInSlots = 0
  #withheld = 0
  /** How long requests took a slot lately, in milliseconds. */
  #takenMs = 0
  /** When a slot was last given or taken back. Wall-clock milliseconds. */
  #movedMs = 0
  #open = false
  #smsHeld = false
  #dueMs = Infinity
  #pausedUntilMs = Infinity
  readonly #capped: WindowCap | undefined
  readonly #answers: AnswerTimes | undefined
  /** Since when the cap holds a lane back. Monotonic milliseconds. */
  readonly #heldSinceMs: Partial<Record<Lane, number>> = {}

  /** `capped` absent: the line has no cap. `answers`: of the line, for people. */
  constructor(
    settings: WindowSettings,
    pace: Pace,
    clock: Pick<Clock, 'now'>,
    capped?: WindowCap,
    answers?: AnswerTimes,
  ) {
    this.#capped = capped
    this.#answers = answers
    this.#settings = settings
    this.#pace = pace
    this.#clock = clock
    this.#sequence = settings.sequence?.first ?? 1
    const kept = Math.max(1, Math.ceil(settings.slots * settings.ussdShare))
    this.#smsSlots = Math.max(1, settings.slots - kept)
  }

  /** The link is bound: waiting requests may be written. */
  open(): void {
    this.#open = true
  }

  /** Takes a request. False if its lane is full. */
  offer(request: WindowRequest): boolean {
    const queue = this.#queue[request.lane]
    if (queue.length >= this.#settings.queueMax[request.lane]) return false
    if (request.withheld && this.#withheld >= WITHHELD_MAX) return false
    enqueue(queue, request)
    if (this.#capped) request.sinceMs = this.#capped.cap.now()
    this.#dueMs = Math.min(this.#dueMs, leaveByMs(request))
    return true
  }

  /** How many of this lane wait here. */
  waiting(lane: Lane): number {
    return this.#queue[lane].length
  }

  /** Something waits for a response: a reply for a slot, or an SMS, whose slot is for the next SMS. */
  awaitsResponse(): boolean {
    return this.#queue.ussd.length > 0 || this.#smsInSlots > 0
  }

  /** The cap lets more go. */
  pump(): void {
    this.#capped?.pump()
  }

  /** A request of the link itself is written, outside the lanes. */
  control(octets: Buffer, command: LinkCommand): void {
    this.#number(command, octets)
  }

  /**
   * What is to be done now, one thing at a time: a request without an outcome is to be written, an outcome or a late
   * response is to be told. Undefined: nothing, until something happens or `dueMs` or `pausedUntilMs` is there.
   */
  next(): WindowRequest | LateResponse | undefined {
    const news = this.#news.shift()
    if (news) return news
    const request = this.#open ? this.#first() : undefined
    if (!request) return undefined
    const why = this.#whyNot(request)
    if (why) request.outcome = { kind: 'unsent', why }
    else this.#take(request)
    return request
  }

  /** When to ask `expire`. Wall-clock milliseconds. */
  dueMs(): number {
    return this.#dueMs
  }

  /** When the pace lets the next SMS go, if one waits for that. Wall-clock milliseconds. */
  pausedUntilMs(): number {
    return this.#pausedUntilMs
  }

  /** Takes a response and matches it by its number and its command. (SMPP v3.4 §2.6, §4.3) */
  answer(pdu: Pdu): ResponseMatch {
    const pending = this.#pending.get(pdu.sequence)
    if (!pending) return this.#answerLate(pdu)
    if (!answers(pdu, typeof pending === 'string' ? pending : pending.command)) return 'wrong-command'
    this.#pending.delete(pdu.sequence)
    if (typeof pending === 'string') return pending
    this.#measure(pending)
    const outcome = outcomeOf(pdu)
    if (outcome.kind === 'refused') this.#pace.refused(outcome.status)
    const congestion = pending.lane === 'sms' ? congestionOf(pdu) : 0
    if (congestion > 0) this.#pace.congested(congestion)
    this.#end(pending, outcome)
    return 'matched'
  }

  /** Holds the SMS lane back while the socket does not drain. */
  holdSms(held: boolean): void {
    this.#smsHeld = held
  }

  slots(): number {
    return this.#settings.slots
  }

  /** How many slots are taken. */
  taken(): number {
    return this.#inSlots
  }

  /** How many replies are ahead of the next one: in slots, or waiting. */
  ahead(): number {
    return this.#inSlots + this.#queue.ussd.length
  }

  /** For how long a request takes a slot, by the requests that were answered. 0: not known. */
  slotMs(): number {
    return this.#takenMs
  }

  /** For how long all slots have been taken and nothing was answered: the SMSC pauses. 0: it does not. */
  pausedMs(): number {
    const stoodMs = this.#inSlots < this.#settings.slots ? 0 : this.#clock.now() - this.#movedMs
    return stoodMs > HICCUP_MS ? stoodMs : 0
  }

  /** How many slots SMS may take. */
  smsSlots(): number {
    return this.#smsSlots
  }

  /** How many requests are written or waiting. The line uses it to find the least loaded link. */
  load(): number {
    return this.#inSlots + this.#withheld + this.#queue.ussd.length + this.#queue.sms.length
  }

  /** The octets of this request are late for the socket. True: it does not leave. It has ended, or ends now. */
  recall(request: WindowRequest): boolean {
    const why = request.outcome ? undefined : this.#whyNot(request)
    if (why) {
      this.#pending.delete(sequenceOf(request))
      this.#end(request, { kind: 'unsent', why })
    }
    return request.outcome !== undefined
  }

  /** Ends what is past its deadline. */
  expire(): void {
    const now = this.#clock.now()
    let next = Infinity
    for (const pending of this.#pending.values()) {
      if (typeof pending === 'string') continue
      if (pending.deadline > now) next = Math.min(next, pending.deadline)
      else this.#timeOut(pending)
    }
    for (const queue of Object.values(this.#queue)) {
      const over = queue.filter((request) => leaveByMs(request) <= now)
      if (over.length) queue.splice(0, queue.length, ...queue.filter((request) => leaveByMs(request) > now))
      for (const request of over) this.#tell(request, { kind: 'unsent', why: 'expired' })
      for (const request of queue) next = Math.min(next, leaveByMs(request))
    }
    this.#dueMs = Math.max(next, now + SWEEP_MS)
  }

  /** Writes no more requests; still takes responses. Returns the requests that wait. */
  retire(): WindowRequest[] {
    this.#open = false
    this.#pausedUntilMs = Infinity
    this.#capped?.cap.leave(this)
    return [...this.#queue.ussd.splice(0), ...this.#queue.sms.splice(0)]
  }

  /** The link is gone: written requests are lost. Returns the waiting ones, to be sent elsewhere. */
  close(): WindowRequest[] {
    for (const pending of this.#pending.values()) if (typeof pending !== 'string') this.#end(pending, { kind: 'lost' })
    this.#pending.clear()
    this.#dueMs = Infinity
    return this.retire()
  }

  /** The waiting request that may be written now. */
  #first(): WindowRequest | undefined {
    const { ussd, sms } = this.#queue
    this.#pausedUntilMs = Infinity
    this.#capped?.cap.leave(this)
    const hasSlot = ussd.length > 0 && (ussd[0]!.withheld || this.#inSlots < this.#settings.slots)
    if (hasSlot && this.#may('ussd')) return ussd.shift()
    if (!sms.length || this.#smsHeld || this.#inSlots >= this.#smsSlots) return undefined
    const waitMs = this.#pace.waitMs()
    if (waitMs > 0) this.#pausedUntilMs = this.#clock.now() + waitMs
    return waitMs <= 0 && this.#may('sms') ? sms.shift() : undefined
  }

  /** Whether the cap of the line lets one more go. */
  #may(lane: Lane): boolean {
    if (!this.#capped || this.#capped.cap.may(lane, this)) return true
    this.#heldSinceMs[lane] ??= this.#capped.cap.now()
    return false
  }

  /** One was let go. */
  #spend({ cap }: WindowCap, { lane, kind = lane, sinceMs }: WindowRequest): void {
    const heldSinceMs = this.#heldSinceMs[lane]
    const waitedMs = heldSinceMs === undefined ? 0 : cap.now() - Math.max(heldSinceMs, sinceMs!)
    if (this.#queue[lane].length === 0) delete this.#heldSinceMs[lane]
    cap.spend(lane, kind, waitedMs)
  }

  /** It gets its number, and its slot. */
  #take(request: WindowRequest): void {
    request.sentMs = this.#clock.now()
    if (request.withheld) this.#withheld++
    else {
      this.#inSlots++
      this.#movedMs = request.sentMs
    }
    if (request.lane === 'sms') {
      this.#smsInSlots++
      this.#pace.spend()
    }
    if (this.#capped) this.#spend(this.#capped, request)
    this.#number(request, request.octets)
  }

  /** The next free sequence number, written into the octets. */
  #number(pending: WindowRequest | LinkCommand, octets: Buffer): void {
    while (this.#pending.has(this.#sequence) || this.#late.has(this.#sequence)) this.#step()
    octets.writeUInt32BE(this.#sequence, 12)
    this.#pending.set(this.#sequence, pending)
    this.#step()
  }

  #whyNot(request: WindowRequest): 'expired' | 'stale' | 'unsure' | undefined {
    if (leaveByMs(request) <= this.#clock.now()) return 'expired'
    const may = request.mayLeave?.() ?? 'yes'
    return may === 'yes' ? undefined : may
  }

  #step(): void {
    const last = this.#settings.sequence?.last ?? SEQUENCE_MAX
    this.#sequence = this.#sequence === last ? 1 : this.#sequence + 1
  }

  #measure({ withheld, sentMs }: WindowRequest): void {
    if (withheld) return
    this.#movedMs = this.#clock.now()
    const tookMs = this.#movedMs - sentMs!
    this.#takenMs += (tookMs - this.#takenMs) * WEIGHT
    this.#answers?.add(tookMs)
  }

  #answerLate(pdu: Pdu): ResponseMatch {
    const late = this.#late.get(pdu.sequence)
    if (!late) return 'unexpected-response'
    if (!answers(pdu, late.command)) return 'wrong-command'
    this.#late.delete(pdu.sequence)
    this.#news.push({ key: late.key, lane: late.lane, outcome: outcomeOf(pdu) })
    return 'late-response'
  }

  #timeOut(request: WindowRequest): void {
    const sequence = sequenceOf(request)
    this.#measure(request)
    this.#pending.delete(sequence)
    if (this.#late.size >= LATE_MAX) this.#late.delete(this.#late.keys().next().value!)
    this.#late.set(sequence, { command: request.command, key: request.key, lane: request.lane })
    this.#end(request, { kind: 'timeout' })
  }

  /** A written request has ended: its slot is free. */
  #end(request: WindowRequest, outcome: SubmitOutcome): void {
    if (request.withheld) this.#withheld--
    else this.#inSlots--
    if (request.lane === 'sms') this.#smsInSlots--
    this.#tell(request, outcome)
  }

  #tell(request: WindowRequest, outcome: SubmitOutcome): void {
    request.outcome = outcome
    this.#news.push(request)
  }
}

/** Only SMS have an urgency. */
function enqueue(queue: WindowRequest[], request: WindowRequest): void {
  const urgency = request.urgency ?? Infinity
  let at = queue.length
  while (at > 0 && (queue[at - 1]!.urgency ?? Infinity) > urgency) at--
  if (at === queue.length) queue.push(request)
  else queue.splice(at, 0, request)
}

/** It is not written after this. */
function leaveByMs({ deadline, leaving }: WindowRequest): number {
  return leaving ? Math.min(leaving.byMs, deadline) : deadline
}

function sequenceOf({ octets }: WindowRequest): number {
  return octets.readUInt32BE(12)
}

function answers(pdu: Pdu, command: string): boolean {
  return pdu.command === 'generic_nack' || pdu.command === `${command}_resp`
}

/** congestion_state; 0 if the response does not have it. (SMPP v5.0 §4.8.4.18) */
function congestionOf(pdu: Pdu): number {
  return pdu.tlvs.find((tlv) => tlv.tag === CONGESTION_STATE)?.value[0] ?? 0
}

function outcomeOf(pdu: Pdu): SubmitOutcome {
  if (pdu.command !== 'generic_nack' && pdu.status === STATUS.ESME_ROK) {
    return { kind: 'ok', messageId: String(pdu.body.message_id ?? ''), pdu }
  }
  return { kind: 'refused', status: pdu.status || STATUS.ESME_RUNKNOWNERR }
}

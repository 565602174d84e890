/**
 * The window of one link: which of our requests are written and not answered, and which wait for a slot. USSD goes
 * first, and the last slots are reserved for it. Every request ends in exactly one outcome.
 */
import type { Clock } from '../../ussd/index.ts'
import type { Lane, Leaving, MayLeave, OutgoingPdu, Pdu, SubmitOutcome } from '../types.ts'
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

/** The longest possible timer. Deadlines beyond it are checked again later. */
const TIMER_MS_MAX = 2 ** 31 - 1

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
  /** The response comes only when the subscriber answers, so the request takes no slot. */
  withheld: boolean
  settle(outcome: SubmitOutcome): void
}

/** What the response to a timed-out request said when it arrived late. */
export interface LateResponse {
  key: string | undefined
  lane: Lane
  outcome: SubmitOutcome
}

/** How a response matched our requests. All but `matched` are metrics labels. */
export type ResponseMatch = 'matched' | 'late-response' | 'wrong-command' | 'unexpected-response'

export interface WindowDeps {
  clock: Clock
  pace: Pace
  /** `recall` is asked when the octets are late for the socket. True: they were taken back, and are not written. */
  write(octets: Buffer, recall?: () => boolean): void
  /** Writes octets that are not taken back: something else is said because they leave. */
  writeSurely(octets: Buffer, leaving: Leaving): void
  written(lane: Lane): void
  /** A written request was taken back. */
  recalled(lane: Lane): void
  onLate(late: LateResponse): void
  /** Nothing waits for a response, and nothing waits for a slot. */
  idle(): void
}

type Pending =
  | { answer: string; entry: WindowRequest; sentMs: number }
  /** bind, enquire_link, unbind: the bind machine watches their deadlines. */
  | { answer: string; onResponse(pdu: Pdu): void }

export class Window {
  readonly #settings: WindowSettings
  readonly #deps: WindowDeps
  readonly #pending = new Map<number, Pending>()
  readonly #late = new Map<number, { answer: string; key: string | undefined; lane: Lane }>()
  readonly #queue: Record<Lane, WindowRequest[]> = { ussd: [], sms: [] }
  readonly #smsSlots: number
  #sequence: number
  #inSlots = 0
  #withheld = 0
  /** How long requests took a slot lately, in milliseconds. */
  #takenMs = 0
  /** When a slot was last given or taken back. Wall-clock milliseconds. */
  #movedMs = 0
  #open = false
  #smsHeld = false
  #sweep: { at: number; cancel: () => void } | undefined
  #paceTimer: (() => void) | undefined

  constructor(settings: WindowSettings, deps: WindowDeps) {
    this.#settings = settings
    this.#deps = deps
    this.#sequence = settings.sequence?.first ?? 1
    const kept = Math.max(1, Math.ceil(settings.slots * settings.ussdShare))
    this.#smsSlots = Math.max(1, settings.slots - kept)
  }

  /** The link is bound: waiting requests may be written. */
  open(): void {
    this.#open = true
    this.#pump()
  }

  /** Takes a request, and writes it now or when a slot is free. False if its lane is full. */
  offer(entry: WindowRequest): boolean {
    const queue = this.#queue[entry.lane]
    if (queue.length >= this.#settings.queueMax[entry.lane]) return false
    if (entry.withheld && this.#withheld >= WITHHELD_MAX) return false
    queue.push(entry)
    this.#pump()
    if (queue.at(-1) === entry) this.#arm(leaveByMs(entry))
    return true
  }

  /** Writes a request of the link itself, outside the lanes. */
  control(octets: Buffer, answer: string, onResponse: (pdu: Pdu) => void): void {
    this.#number({ answer, onResponse }, octets)
    this.#deps.write(octets)
  }

  /** Takes a response and matches it by its number and its command. (SMPP v3.4 §2.6, §4.3) */
  answer(pdu: Pdu): ResponseMatch {
    const pending = this.#pending.get(pdu.sequence)
    if (!pending) return this.#answerLate(pdu)
    if (pdu.command !== pending.answer && pdu.command !== 'generic_nack') return 'wrong-command'
    this.#pending.delete(pdu.sequence)
    if ('onResponse' in pending) {
      pending.onResponse(pdu)
      return 'matched'
    }
    this.#release(pending.entry)
    this.#measure(pending.entry, pending.sentMs)
    const outcome = outcomeOf(pdu)
    if (outcome.kind === 'refused') this.#deps.pace.refused(outcome.status)
    const congestion = pending.entry.lane === 'sms' ? congestionOf(pdu) : 0
    if (congestion > 0) this.#deps.pace.congested(congestion)
    pending.entry.settle(outcome)
    this.#pump()
    return 'matched'
  }

  /** Holds the SMS lane back while the socket does not drain. */
  holdSms(held: boolean): void {
    this.#smsHeld = held
    if (!held) this.#pump()
  }

  slots(): number {
    return this.#settings.slots
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
    const stoodMs = this.#inSlots < this.#settings.slots ? 0 : this.#deps.clock.now() - this.#movedMs
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

  /** Writes no more requests; still takes responses. Returns the requests that wait. */
  retire(): WindowRequest[] {
    this.#open = false
    return [...this.#queue.ussd.splice(0), ...this.#queue.sms.splice(0)]
  }

  /** The link is gone: written requests are lost. Returns the waiting ones, to be sent elsewhere. */
  close(): WindowRequest[] {
    const waiting = this.retire()
    this.#sweep?.cancel()
    this.#paceTimer?.()
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    this.#inSlots = this.#withheld = 0
    for (const one of pending) if ('entry' in one) one.entry.settle({ kind: 'lost' })
    return waiting
  }

  #pump(): void {
    if (!this.#open) return this.#tellIdle()
    const { ussd, sms } = this.#queue
    while (ussd.length && (ussd[0]!.withheld || this.#inSlots < this.#settings.slots)) this.#send(ussd.shift()!)
    while (sms.length && !this.#smsHeld && this.#inSlots < this.#smsSlots) {
      const waitMs = this.#deps.pace.waitMs()
      if (waitMs > 0) {
        this.#paceTimer ??= this.#deps.clock.after(waitMs, () => {
          this.#paceTimer = undefined
          this.#pump()
        })
        break
      }
      if (this.#send(sms.shift()!)) this.#deps.pace.spend()
    }
    this.#tellIdle()
  }

  #send(entry: WindowRequest): boolean {
    const why = this.#whyNot(entry)
    if (why) {
      entry.settle({ kind: 'unsent', why })
      return false
    }
    const sentMs = this.#deps.clock.now()
    if (entry.withheld) this.#withheld++
    else {
      this.#inSlots++
      this.#movedMs = sentMs
    }
    this.#deps.written(entry.lane)
    const sequence = this.#number({ answer: `${entry.command}_resp`, entry, sentMs }, entry.octets)
    if (entry.leaving) this.#deps.writeSurely(entry.octets, entry.leaving)
    else this.#deps.write(entry.octets, () => this.#recall(sequence, entry))
    this.#arm(entry.deadline)
    return true
  }

  /** The next free sequence number, written into the octets. */
  #number(pending: Pending, octets: Buffer): number {
    while (this.#pending.has(this.#sequence) || this.#late.has(this.#sequence)) this.#step()
    const sequence = this.#sequence
    octets.writeUInt32BE(sequence, 12)
    this.#pending.set(sequence, pending)
    this.#step()
    return sequence
  }

  #recall(sequence: number, entry: WindowRequest): boolean {
    const why = this.#whyNot(entry)
    if (!why) return false
    this.#pending.delete(sequence)
    this.#release(entry)
    this.#deps.recalled(entry.lane)
    entry.settle({ kind: 'unsent', why })
    this.#pump()
    return true
  }

  #whyNot(entry: WindowRequest): 'expired' | 'stale' | 'unsure' | undefined {
    if (leaveByMs(entry) <= this.#deps.clock.now()) return 'expired'
    const may = entry.mayLeave?.() ?? 'yes'
    return may === 'yes' ? undefined : may
  }

  #step(): void {
    const last = this.#settings.sequence?.last ?? SEQUENCE_MAX
    this.#sequence = this.#sequence === last ? 1 : this.#sequence + 1
  }

  #release(entry: WindowRequest): void {
    if (entry.withheld) this.#withheld--
    else this.#inSlots--
  }

  #measure({ withheld }: WindowRequest, sentMs: number): void {
    if (withheld) return
    this.#movedMs = this.#deps.clock.now()
    this.#takenMs += (this.#movedMs - sentMs - this.#takenMs) * WEIGHT
  }

  #answerLate(pdu: Pdu): ResponseMatch {
    const late = this.#late.get(pdu.sequence)
    if (!late) return 'unexpected-response'
    if (pdu.command !== late.answer && pdu.command !== 'generic_nack') return 'wrong-command'
    this.#late.delete(pdu.sequence)
    this.#deps.onLate({ key: late.key, lane: late.lane, outcome: outcomeOf(pdu) })
    return 'late-response'
  }

  #arm(deadline: number): void {
    if (this.#sweep && this.#sweep.at <= deadline) return
    this.#sweep?.cancel()
    const now = this.#deps.clock.now()
    const at = Math.min(Math.max(deadline, now), now + TIMER_MS_MAX)
    this.#sweep = { at, cancel: this.#deps.clock.after(at - now, () => this.#expire()) }
  }

  #expire(): void {
    this.#sweep = undefined
    const now = this.#deps.clock.now()
    let next = Infinity
    for (const [sequence, pending] of this.#pending) {
      if (!('entry' in pending)) continue
      if (pending.entry.deadline > now) next = Math.min(next, pending.entry.deadline)
      else {
        this.#measure(pending.entry, pending.sentMs)
        this.#timeOut(sequence, pending.answer, pending.entry)
      }
    }
    for (const queue of Object.values(this.#queue)) {
      const over = queue.filter((entry) => leaveByMs(entry) <= now)
      if (over.length) queue.splice(0, queue.length, ...queue.filter((entry) => leaveByMs(entry) > now))
      for (const entry of over) entry.settle({ kind: 'unsent', why: 'expired' })
      for (const entry of queue) next = Math.min(next, leaveByMs(entry))
    }
    if (next < Infinity) this.#arm(Math.max(next, now + SWEEP_MS))
    this.#pump()
  }

  #timeOut(sequence: number, answer: string, entry: WindowRequest): void {
    this.#pending.delete(sequence)
    this.#release(entry)
    if (this.#late.size >= LATE_MAX) this.#late.delete(this.#late.keys().next().value!)
    this.#late.set(sequence, { answer, key: entry.key, lane: entry.lane })
    entry.settle({ kind: 'timeout' })
  }

  #tellIdle(): void {
    if (this.load() === 0) this.#deps.idle()
  }
}

/** It is not written after this. */
function leaveByMs({ deadline, leaving }: WindowRequest): number {
  return leaving ? Math.min(leaving.byMs, deadline) : deadline
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

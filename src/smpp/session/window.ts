/**
 * The window of one link: which of our requests are written and unanswered, and which wait for a slot. USSD goes first
 * and has the last slots for itself; every request ends in exactly one outcome.
 */
import type { Clock } from '../../ussd/index.ts'
import type { Lane, OutgoingPdu, Pdu, SubmitOutcome } from '../types.ts'
import type { Pace } from './pace.ts'
import { STATUS } from '../pdu/index.ts'

/** Sequence numbers go from 1 to this, then 1 again. (SMPP v3.4 §3.2, §5.1.4) */
export const SEQUENCE_MAX = 0x7fffffff

/** Timed-out requests whose response is still recognised when it comes late. */
const LATE_MAX = 1_000

/** Withheld USSD submits unanswered at once on one link: each is a subscriber who is reading. */
const WITHHELD_MAX = 10_000

/** Deadlines are looked at no more often than this; a timeout may come that much late, never early. */
const SWEEP_MS = 50

const CONGESTION_STATE = 0x0428

/** The longest that a timer can be; deadlines beyond it are looked at again. */
const TIMER_MS_MAX = 2 ** 31 - 1

export interface WindowSettings {
  /** Requests written and unanswered at once. */
  slots: number
  /** The share of them that SMS may not take; at least one slot, where there is more than one. */
  ussdShare: number
  queueMax: Record<Lane, number>
  /** Where sequence numbers begin and end; 1 and SEQUENCE_MAX but in tests of the wrap. */
  sequence?: { first: number; last: number }
}

/** A request of ours, coded but for its sequence number. */
export interface WindowRequest {
  octets: Buffer
  command: OutgoingPdu['command']
  lane: Lane
  deadline: number
  key: string | undefined
  /** The response comes only when the subscriber answers: it takes no slot. */
  withheld: boolean
  settle(outcome: SubmitOutcome): void
}

/** What the response to a timed-out request said, when it came at last. */
export interface LateResponse {
  key: string | undefined
  lane: Lane
  outcome: SubmitOutcome
}

/** What a response was to us; all but `matched` are metrics labels. */
export type ResponseMatch = 'matched' | 'late-response' | 'wrong-command' | 'unexpected-response'

export interface WindowDeps {
  clock: Clock
  pace: Pace
  write(octets: Buffer): void
  written(lane: Lane): void
  late(late: LateResponse): void
  /** Nothing is written and unanswered, and nothing waits. */
  idle(): void
}

type Pending =
  | { answer: string; entry: WindowRequest }
  /** bind, enquire_link, unbind: the bind machine keeps their time. */
  | { answer: string; heard(pdu: Pdu): void }

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

  /** The link is bound: what waits may go. */
  open(): void {
    this.#open = true
    this.#pump()
  }

  /** Takes a request, to write now or when a slot is free. False: its lane is full. */
  offer(entry: WindowRequest): boolean {
    const queue = this.#queue[entry.lane]
    if (queue.length >= this.#settings.queueMax[entry.lane]) return false
    if (entry.withheld && this.#withheld >= WITHHELD_MAX) return false
    queue.push(entry)
    this.#pump()
    if (queue.at(-1) === entry) this.#arm(entry.deadline)
    return true
  }

  /** Writes a request of the link itself, beside the lanes. */
  control(octets: Buffer, answer: string, heard: (pdu: Pdu) => void): void {
    this.#write(octets, { answer, heard })
  }

  /** Hears a response: matched by its number and its command. (SMPP v3.4 §2.6, §4.3) */
  answer(pdu: Pdu): ResponseMatch {
    const pending = this.#pending.get(pdu.sequence)
    if (!pending) return this.#answerLate(pdu)
    if (pdu.command !== pending.answer && pdu.command !== 'generic_nack') return 'wrong-command'
    this.#pending.delete(pdu.sequence)
    if ('heard' in pending) {
      pending.heard(pdu)
      return 'matched'
    }
    this.#release(pending.entry)
    const outcome = outcomeOf(pdu)
    if (outcome.kind === 'refused' && outcome.status === STATUS.ESME_RTHROTTLED) this.#deps.pace.throttled()
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

  /** Requests written or waiting: where the least loaded link is sought. */
  load(): number {
    return this.#inSlots + this.#withheld + this.#queue.ussd.length + this.#queue.sms.length
  }

  /** Writes no more; responses are still heard. Gives back what waits. */
  retire(): WindowRequest[] {
    this.#open = false
    return [...this.#queue.ussd.splice(0), ...this.#queue.sms.splice(0)]
  }

  /** The link is gone: written requests are lost, waiting ones are given back to be sent elsewhere. */
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
    if (entry.deadline <= this.#deps.clock.now()) {
      entry.settle({ kind: 'unsent', why: 'expired' })
      return false
    }
    if (entry.withheld) this.#withheld++
    else this.#inSlots++
    this.#deps.written(entry.lane)
    this.#write(entry.octets, { answer: `${entry.command}_resp`, entry })
    this.#arm(entry.deadline)
    return true
  }

  #write(octets: Buffer, pending: Pending): void {
    while (this.#pending.has(this.#sequence) || this.#late.has(this.#sequence)) this.#step()
    octets.writeUInt32BE(this.#sequence, 12)
    this.#pending.set(this.#sequence, pending)
    this.#step()
    this.#deps.write(octets)
  }

  #step(): void {
    const last = this.#settings.sequence?.last ?? SEQUENCE_MAX
    this.#sequence = this.#sequence === last ? 1 : this.#sequence + 1
  }

  #release(entry: WindowRequest): void {
    if (entry.withheld) this.#withheld--
    else this.#inSlots--
  }

  #answerLate(pdu: Pdu): ResponseMatch {
    const late = this.#late.get(pdu.sequence)
    if (!late) return 'unexpected-response'
    if (pdu.command !== late.answer && pdu.command !== 'generic_nack') return 'wrong-command'
    this.#late.delete(pdu.sequence)
    this.#deps.late({ key: late.key, lane: late.lane, outcome: outcomeOf(pdu) })
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
      else this.#timeOut(sequence, pending.answer, pending.entry)
    }
    for (const queue of Object.values(this.#queue)) {
      const over = queue.filter((entry) => entry.deadline <= now)
      if (over.length) queue.splice(0, queue.length, ...queue.filter((entry) => entry.deadline > now))
      for (const entry of over) entry.settle({ kind: 'unsent', why: 'expired' })
      for (const entry of queue) next = Math.min(next, entry.deadline)
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

/** congestion_state, 0 where it is not said. (SMPP v5.0 §4.8.4.18) */
function congestionOf(pdu: Pdu): number {
  return pdu.tlvs.find((tlv) => tlv.tag === CONGESTION_STATE)?.value[0] ?? 0
}

function outcomeOf(pdu: Pdu): SubmitOutcome {
  if (pdu.command !== 'generic_nack' && pdu.status === STATUS.ESME_ROK) {
    return { kind: 'ok', messageId: String(pdu.body.message_id ?? ''), pdu }
  }
  return { kind: 'refused', status: pdu.status || STATUS.ESME_RUNKNOWNERR }
}

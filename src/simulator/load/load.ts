/**
 * Load: many phones through one simulated SMSC, in the standard dialect. Closed loop: each phone answers at once. Open
 * loop: turns become due by a schedule, whether or not the ESME keeps up, and latency counts from when a turn became
 * due.
 *
 * A run ends when every turn has its screen or is lost. No two dialogues of a simulator share both subscriber and
 * number: so a screen counts for its own turn and for no other run.
 */
import type { Chance, Clock } from '../../ussd/index.ts'
import { crowd, type Crowd } from './crowd.ts'
import { histogram, type Latencies } from './histogram.ts'
import { fill, skim, submitResp, template, type Skimmed, type Template } from './octets.ts'
import { every, openLoop, type Rate } from './rate.ts'
import type { Peer, Smsc } from '../smsc/index.ts'

/** One turn of a phone: what it dials or types, and what the screen must contain (ASCII). */
export interface LoadStep {
  say: string
  expect?: string
}

export interface LoadOptions {
  /** Start it with `traceMax: 0`. Its own phones cannot be used during a run. */
  smsc: Smsc
  clock: Clock
  /** How many phones. */
  concurrent: number
  /** The phone dials the first step. If the ESME ends early or does not end, the phone dials again. */
  script: LoadStep[]
  /** Begins no further turn after this many turns or this much time; at least one of them is required. */
  turns?: number
  seconds?: number
  /** Turns per second: open loop. */
  perSecond?: number
  /** Open loop: turns become due at random, as subscribers dial. Absent: evenly. */
  chance?: Chance
  /** A turn without a screen within this time is lost, and the phone dials again. Default 10 000. */
  answerMs?: number
}

export interface LoadResult {
  turns: number
  dialogues: number
  seconds: number
  perSecond: number
  /** From the deliver_sm (open loop: from when it became due) to the submit_sm that answers it, in milliseconds. */
  latency: Latencies
  /** Open loop: from when a turn became due until a phone sent it, in milliseconds. The latency includes it. */
  lag: Latencies
  /** Open loop: turns that became due while no phone was free until the end. `latency` has how long each waited. */
  unsent: number
  /** Turns without a screen in time. `latency` includes the time that each waited. */
  lost: number
  /** deliver_sm requests that the ESME answered with a status other than 0. */
  refused: number
  /** Screens without the expected text. */
  wrong: number
  /** Submits for a phone that waits for none, or for a dialogue that is over. */
  unexpected: number
  sms: number
}

const SUBMIT_SM = 0x00000004
const DELIVER_SM_RESP = 0x80000005
/** How often, at least, lost turns are looked for. */
const SWEEP_MS = 500
const ANSWER_MS = 10_000

/**
 * Resolves when the run is over, or when nothing was bound for `answerMs`. Rejects if nothing is bound at the start.
 */
export function load(options: LoadOptions): Promise<LoadResult> {
  const run = new LoadRun(options)
  if (!run.isBound()) return Promise.reject(new Error('no ESME is bound as receiver or transceiver'))
  return new Promise((done) => run.start(done))
}

class LoadRun {
  private readonly options: LoadOptions
  private readonly templates: Template[]
  private readonly expected: (Buffer | null)[]
  private readonly crowd: Crowd
  /** Undefined: closed loop. */
  private readonly rate: Rate | undefined
  private readonly result = { turns: 0, dialogues: 0, lost: 0, refused: 0, wrong: 0, unexpected: 0, sms: 0, unsent: 0 }
  private readonly latencies = histogram()
  private readonly lags = histogram()
  private readonly seen: Skimmed = { subscriber: 0, op: 0, carrier: 0 }
  private readonly answerMs: number
  private peers: Peer[] = []
  private sequence = 0
  /** How many turns have begun, and of how many the screen may still come. */
  private begun = 0
  private awaited = 0
  private isTimeUp = false
  private overMs = 0
  private boundMs = performance.now()
  private finish: (() => void) | undefined

  constructor(options: LoadOptions) {
    const { smsc, clock, script, concurrent, perSecond, chance } = options
    this.options = options
    this.answerMs = options.answerMs ?? ANSWER_MS
    this.templates = script.map((step, i) => template(i ? 'input' : 'begin', step.say, script[0]!.say))
    this.expected = script.map((step) => (step.expect === undefined ? null : Buffer.from(step.expect, 'latin1')))
    this.crowd = crowd(smsc, concurrent)
    this.rate =
      perSecond === undefined
        ? undefined
        : openLoop(
            { perSecond, chance, phones: concurrent },
            {
              clock,
              nowMs: () => performance.now(),
              say: (index, dueMs) => this.say(index, dueMs),
              isOver: () => this.isOver(),
            },
          )
  }

  isBound(): boolean {
    this.peers = this.options.smsc.peers().filter((peer) => peer.canReceive)
    return this.peers.length > 0
  }

  start(done: (result: LoadResult) => void): void {
    const { smsc, clock, seconds } = this.options
    const startMs = performance.now()
    smsc.hook.onFrame = (peer, frame) => this.onFrame(peer, frame)
    const stops = [
      smsc.watch((event) => void (event.is === 'bind' && this.isBound())),
      every(clock, Math.min(SWEEP_MS, this.answerMs / 2), () => this.sweep()),
    ]
    if (seconds !== undefined) stops.push(clock.after(seconds * 1000, () => this.timeUp()))
    this.finish = () => {
      this.isTimeUp = true
      this.finish = undefined
      for (const stop of stops) stop()
      smsc.hook.onFrame = null
      this.crowd.over()
      done(this.read(startMs))
    }
    this.crowd.phones.forEach((_, index) => this.next(index))
    if (this.rate) stops.push(this.rate.start(startMs))
  }

  private read(startMs: number): LoadResult {
    const seconds = (Math.max(this.overMs, startMs + 1) - startMs) / 1000
    return {
      ...this.result,
      seconds,
      perSecond: this.result.turns / seconds,
      latency: this.latencies.read(),
      lag: this.lags.read(),
    }
  }

  private say(index: number, sinceMs: number): void {
    const phone = this.crowd.phones[index]!
    const peer = this.peers[index % this.peers.length]
    if (!peer) return
    if (phone.step === 0) {
      this.crowd.beginDialogue(index)
      this.result.dialogues++
    }
    if (this.rate) this.lags.add(performance.now() - sinceMs)
    this.begun++
    this.awaited++
    this.sequence = this.sequence >= 0x7fffffff ? 1 : this.sequence + 1
    phone.sinceMs = sinceMs
    phone.sequence = this.sequence
    phone.isRefused = false
    peer.write(fill(this.templates[phone.step]!, phone.sim, this.sequence, phone.carrier))
  }

  private isOver(): boolean {
    const { turns } = this.options
    return this.isTimeUp || (turns !== undefined && this.begun >= turns)
  }

  /** A turn is settled: the last one ends the run. */
  private settle(): void {
    this.awaited--
    if (this.awaited === 0 && this.isOver()) this.finish?.()
  }

  /** A turn that the ESME refused was settled at the refusal, although the phone kept waiting. */
  private goOn(index: number, wasRefused: boolean): void {
    this.next(index)
    if (!wasRefused) this.settle()
  }

  /** The phone's turn is over. The next one follows at once, or when one becomes due. */
  private next(index: number): void {
    if (this.isOver()) return
    if (this.rate) this.rate.free(index)
    else this.say(index, performance.now())
  }

  private onFrame(peer: Peer, frame: Buffer): boolean {
    const command = frame.readUInt32BE(4)
    if (command === SUBMIT_SM) this.onSubmit(peer, frame)
    else if (command === DELIVER_SM_RESP) this.onResponse(frame)
    else return false
    return true
  }

  private onSubmit(peer: Peer, frame: Buffer): void {
    const { result, seen } = this
    peer.write(submitResp(frame.readUInt32BE(12)))
    skim(frame, seen)
    if (seen.op < 0) return void result.sms++
    const index = this.crowd.awaiting(seen)
    if (index === undefined) return void result.unexpected++
    const phone = this.crowd.phones[index]!
    this.overMs = performance.now()
    this.latencies.add(this.overMs - phone.sinceMs)
    phone.sinceMs = 0
    result.turns++
    const wanted = this.expected[phone.step]
    if (wanted && frame.indexOf(wanted, 16) < 0) result.wrong++
    const isLast = seen.op !== 2 || phone.step + 1 >= this.templates.length
    phone.step = isLast ? 0 : phone.step + 1
    if (seen.carrier >= 0) phone.carrier = seen.carrier & 0xfffe
    this.goOn(index, phone.isRefused)
  }

  private onResponse(frame: Buffer): void {
    if (frame.readUInt32BE(8) === 0) return
    this.result.refused++
    const sequence = frame.readUInt32BE(12)
    const phone = this.crowd.phones.find((one) => one.sinceMs !== 0 && !one.isRefused && one.sequence === sequence)
    if (!phone) return
    phone.isRefused = true
    this.settle()
  }

  private sweep(): void {
    if (this.peers.length) this.boundMs = performance.now()
    const limit = performance.now() - this.answerMs
    if (this.boundMs < limit) return this.finish?.() // the ESME is gone
    this.crowd.phones.forEach((phone, index) => {
      if (phone.sinceMs === 0 || phone.sinceMs > limit) return
      this.result.lost++
      this.latencies.add(performance.now() - phone.sinceMs)
      phone.sinceMs = 0
      phone.step = 0
      this.goOn(index, phone.isRefused)
    })
  }

  /** No new turns begin; the turns in flight are still awaited. */
  private timeUp(): void {
    this.isTimeUp = true
    const nowMs = performance.now()
    this.overMs = nowMs
    this.rate?.leave(nowMs, (dueMs) => {
      this.result.unsent++
      this.latencies.add(nowMs - dueMs)
    })
    if (this.awaited === 0) this.finish?.()
  }
}

/**
 * Load: many phones through one simulated SMSC, in the standard dialect. Closed loop: each phone answers at once. Open
 * loop: turns fall due at a fixed rate whether or not the ESME keeps up, and latency counts from when a turn fell due.
 *
 * A run is over when what it said is answered or lost, and no two dialogues of a simulator have subscriber and number
 * in common: a screen is judged by the turn that it is for, and by no other run's.
 */
import type { Clock } from '../../ussd/index.ts'
import { histogram, type Latencies } from './histogram.ts'
import { fill, skim, submitResp, template, type Skimmed, type Template } from './octets.ts'
import type { Peer, Smsc } from '../smsc/index.ts'

/** One turn of a phone: what it dials or types, and what the screen that comes must contain (ASCII). */
export interface LoadStep {
  say: string
  expect?: string
}

export interface LoadOptions {
  /** Start it with `traceMax: 0`. Its own phones cannot be used during a run. */
  smsc: Smsc
  clock: Clock
  /** Phones. */
  concurrent: number
  /** The first one is dialled. If the ESME ends early, or does not end, the phone dials anew. */
  script: LoadStep[]
  /** Begins no turn after so many, or after so long; at least one of the two. */
  turns?: number
  seconds?: number
  /** Turns a second: open loop. */
  perSecond?: number
  /** A turn without a screen in this time is lost, and the phone dials anew. Default 10 000. */
  answerMs?: number
}

export interface LoadResult {
  turns: number
  dialogues: number
  seconds: number
  perSecond: number
  /** From deliver_sm (open loop: from when it fell due) to the submit_sm that answers it, milliseconds. */
  latency: Latencies
  /** Turns without a screen in time. */
  lost: number
  /** deliver_sm that the ESME answered with a status other than 0. */
  refused: number
  /** Screens that did not contain what was expected. */
  wrong: number
  /** Submits for a phone that awaited none, or for a dialogue that is over. */
  unexpected: number
  sms: number
}

interface Subscriber {
  step: number
  /** Whose MSISDN it has: an index that it changes when its numbers have come round. */
  sim: number
  number: number
  carrier: number
  /** When the turn was sent or fell due; 0: no screen is awaited. */
  sinceMs: number
  sequence: number
  /** The ESME has refused the turn: its screen will not come, and the phone waits for it in vain. */
  isRefused: boolean
}

/** Network numbers of dialogues: an octet, of which 0 is none. */
const NUMBER_MAX = 0xff
/** MSISDNs that the runs of a simulator have used. */
const simsUsed = new WeakMap<Smsc, number>()

const SUBMIT_SM = 0x00000004
const DELIVER_SM_RESP = 0x80000005
/** How often lost turns are looked for, at the least. */
const SWEEP_MS = 500
const DUE_MS = 2

/** Resolves when the run is over, or nothing was bound for `answerMs`. Rejects if nothing is bound to begin with. */
export function load(options: LoadOptions): Promise<LoadResult> {
  const run = newRun(options)
  if (!run.able()) return Promise.reject(new Error('no ESME is bound that may receive'))
  return new Promise((done) => run.start(done))
}

function newRun(options: LoadOptions): { able(): boolean; start(done: (result: LoadResult) => void): void } {
  const { smsc, clock, script, concurrent, answerMs = 10_000 } = options
  const templates: Template[] = script.map((step, i) => template(i ? 'input' : 'begin', step.say, script[0]!.say))
  const expected = script.map((step) => (step.expect === undefined ? null : Buffer.from(step.expect, 'latin1')))
  const firstSim = simsUsed.get(smsc) ?? 0
  /** Which phone has which SIM, from the run's first one. */
  const holders: number[] = []
  const newSim = (index: number): number => firstSim + holders.push(index) - 1
  const subscribers: Subscriber[] = Array.from({ length: concurrent }, (_, index) => ({
    step: 0,
    sim: newSim(index),
    number: 0,
    carrier: 0,
    sinceMs: 0,
    sequence: 0,
    isRefused: false,
  }))
  const result = { turns: 0, dialogues: 0, lost: 0, refused: 0, wrong: 0, unexpected: 0, sms: 0 }
  const latencies = histogram()
  const seen: Skimmed = { subscriber: 0, op: 0, carrier: 0 }
  /** Open loop: phones whose next turn may fall due, and turns that fell due with no phone free. */
  const ready = ring(concurrent)
  let peers: Peer[] = []
  let sequence = 0
  /** Turns that were begun, and those of them whose screen may still come. */
  let begun = 0
  let awaited = 0
  let isTimeUp = false
  let overMs = 0
  let boundMs = performance.now()
  let finish: (() => void) | undefined

  function say(index: number, sinceMs: number): void {
    const subscriber = subscribers[index]!
    const peer = peers[index % peers.length]
    if (!peer) return
    if (subscriber.step === 0) {
      if (subscriber.number === NUMBER_MAX) subscriber.sim = newSim(index)
      subscriber.number = (subscriber.number % NUMBER_MAX) + 1
      subscriber.carrier = subscriber.number << 8
      result.dialogues++
    }
    begun++
    awaited++
    sequence = sequence >= 0x7fffffff ? 1 : sequence + 1
    subscriber.sinceMs = sinceMs
    subscriber.sequence = sequence
    subscriber.isRefused = false
    peer.write(fill(templates[subscriber.step]!, subscriber.sim, sequence, subscriber.carrier))
  }

  const isOver = () => isTimeUp || (options.turns !== undefined && begun >= options.turns)

  /** Nothing more will come of a turn: the last one ends the run. */
  function settle(): void {
    awaited--
    if (awaited === 0 && isOver()) finish?.()
  }

  /** What the ESME refused was settled then, though the phone went on waiting. */
  function goOn(index: number, wasRefused: boolean): void {
    next(index)
    if (!wasRefused) settle()
  }

  /** The phone's turn is over; the next one follows at once, or when one falls due. */
  function next(index: number): void {
    if (isOver()) return
    if (options.perSecond === undefined) say(index, performance.now())
    else ready.push(index)
  }

  function onSubmit(peer: Peer, frame: Buffer): void {
    peer.write(submitResp(frame.readUInt32BE(12)))
    skim(frame, seen)
    if (seen.op < 0) return void result.sms++
    const index = holders[seen.subscriber - firstSim]
    const subscriber = index === undefined ? undefined : subscribers[index]
    const isIts =
      subscriber !== undefined &&
      subscriber.sinceMs !== 0 &&
      subscriber.sim === seen.subscriber &&
      (seen.carrier < 0 || seen.carrier >> 8 === subscriber.number)
    if (!isIts) return void result.unexpected++
    overMs = performance.now()
    latencies.add(overMs - subscriber.sinceMs)
    subscriber.sinceMs = 0
    result.turns++
    const wanted = expected[subscriber.step]
    if (wanted && frame.indexOf(wanted, 16) < 0) result.wrong++
    const isLast = seen.op !== 2 || subscriber.step + 1 >= script.length
    subscriber.step = isLast ? 0 : subscriber.step + 1
    if (seen.carrier >= 0) subscriber.carrier = seen.carrier & 0xfffe
    goOn(index!, subscriber.isRefused)
  }

  function onResponse(frame: Buffer): void {
    if (frame.readUInt32BE(8) === 0) return
    result.refused++
    const subscriber = subscribers.find(
      (each) => each.sinceMs !== 0 && !each.isRefused && each.sequence === frame.readUInt32BE(12),
    )
    if (!subscriber) return
    subscriber.isRefused = true
    settle()
  }

  function onFrame(peer: Peer, frame: Buffer): boolean {
    const command = frame.readUInt32BE(4)
    if (command === SUBMIT_SM) onSubmit(peer, frame)
    else if (command === DELIVER_SM_RESP) onResponse(frame)
    else return false
    return true
  }

  function sweep(): void {
    if (peers.length) boundMs = performance.now()
    const limit = performance.now() - answerMs
    if (boundMs < limit) return finish?.() // nobody is there any more
    subscribers.forEach((subscriber, index) => {
      if (subscriber.sinceMs === 0 || subscriber.sinceMs > limit) return
      result.lost++
      subscriber.sinceMs = 0
      subscriber.step = 0
      goOn(index, subscriber.isRefused)
    })
  }

  /** What is said by now is still heard out. */
  function timeUp(): void {
    isTimeUp = true
    overMs = performance.now()
    if (awaited === 0) finish?.()
  }

  return {
    able() {
      peers = smsc.peers().filter((peer) => peer.canReceive)
      return peers.length > 0
    },
    start(done) {
      const startMs = performance.now()
      smsc.hook.onFrame = onFrame
      const unwatch = smsc.watch((event) => {
        if (event.is === 'bind') peers = smsc.peers().filter((peer) => peer.canReceive)
      })
      const stops = [every(clock, Math.min(SWEEP_MS, answerMs / 2), sweep)]
      if (options.seconds !== undefined) stops.push(clock.after(options.seconds * 1000, timeUp))
      finish = () => {
        isTimeUp = true
        finish = undefined
        for (const stop of stops) stop()
        unwatch()
        smsc.hook.onFrame = null
        simsUsed.set(smsc, firstSim + holders.length)
        const seconds = (Math.max(overMs, startMs + 1) - startMs) / 1000
        done({ ...result, seconds, perSecond: result.turns / seconds, latency: latencies.read() })
      }
      subscribers.forEach((_, index) => next(index))
      const { perSecond } = options
      if (perSecond === undefined) return
      let fallen = 0
      stops.push(
        every(clock, DUE_MS, () => {
          const now = performance.now()
          const due = Math.floor(((now - startMs) / 1000) * perSecond)
          for (; fallen < due && !isOver(); fallen++) {
            const index = ready.shift()
            if (index < 0) return
            say(index, startMs + ((fallen + 1) / perSecond) * 1000)
          }
        }),
      )
    },
  }
}

/** First in, first out, of at most `size` indices, without moving any. */
function ring(size: number): { push(index: number): void; shift(): number } {
  const slots = new Int32Array(size + 1)
  let head = 0
  let tail = 0
  return {
    push(index) {
      slots[tail] = index
      tail = (tail + 1) % slots.length
    },
    shift() {
      if (head === tail) return -1
      const index = slots[head]!
      head = (head + 1) % slots.length
      return index
    },
  }
}

function every(clock: Clock, ms: number, run: () => void): () => void {
  let callOff = clock.after(ms, again)
  function again(): void {
    callOff = clock.after(ms, again)
    run()
  }
  return () => callOff()
}

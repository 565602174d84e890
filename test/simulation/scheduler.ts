/**
 * Virtual time: one queue of what is to happen, in order; between two events everything that they set going comes to
 * rest. Nothing here or below asks the machine for time or chance, so a seed is a history.
 */
import { createHash } from 'node:crypto'

export interface Scheduler {
  /** Virtual milliseconds since the beginning; not whole. */
  nowMs(): number
  /**
   * Runs once, that many milliseconds from now; answers how to call it off. What happens at the same time keeps its
   * order.
   */
  after(ms: number, label: string, run: () => void): () => void
  /** Runs events until `isOver` says so, or time is up; false: time was up. */
  runUntil(isOver: () => boolean, untilMs: number): Promise<boolean>
  /** Called before every event, with its label. */
  watch(listener: (label: string) => void): void
  /** Something that happened, for the trace. */
  note(what: string): void
  /** SHA-256 of all labels and notes so far, with their times: the same history, the same hash. */
  hash(): string
  events(): number
}

interface Event {
  atMs: number
  serial: number
  label: string
  run: (() => void) | null
}

/** Rounds of the event loop between two events: writes are gathered until the loop comes round once. */
const ROUNDS = 2
/** A history of more events runs in circles. */
const EVENTS_MAX = 3_000_000

export interface SchedulerOptions {
  onNote?: ((line: string) => void) | undefined
  /** What the machine does between two events, in real time: nothing of a history may depend on it. */
  between?: (() => Promise<unknown>) | undefined
}

export function scheduler({ onNote = () => undefined, between }: SchedulerOptions = {}): Scheduler {
  const heap: Event[] = []
  const hash = createHash('sha256')
  let watcher: (label: string) => void = () => undefined
  let nowMs = 0
  let serial = 0
  let events = 0

  const note = (what: string) => {
    const line = `${nowMs.toFixed(3)} ${what}`
    hash.update(line)
    onNote(line)
  }
  return {
    nowMs: () => nowMs,
    after(ms, label, run) {
      const event: Event = { atMs: nowMs + Math.max(0, ms), serial: ++serial, label, run }
      push(heap, event)
      return () => void (event.run = null)
    },
    async runUntil(isOver, untilMs) {
      while (!isOver()) {
        const next = heap[0]
        if (!next || next.atMs > untilMs) {
          nowMs = Math.max(nowMs, untilMs)
          return false
        }
        pop(heap)
        if (!next.run) continue
        if (++events > EVENTS_MAX) throw new Error(`more than ${EVENTS_MAX} events: the history runs in circles`)
        nowMs = next.atMs
        watcher(next.label)
        note(next.label)
        next.run()
        for (let i = 0; i < ROUNDS; i++) await new Promise((done) => setImmediate(done))
        await between?.()
      }
      return true
    },
    watch: (listener) => void (watcher = listener),
    note,
    hash: () => hash.copy().digest('hex'),
    events: () => events,
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.serial < b.serial)
}

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (isBefore(heap[parent]!, event)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = event
}

function pop(heap: Event[]): void {
  const last = heap.pop()!
  if (!heap.length) return
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
    if (!isBefore(heap[child]!, last)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
}

/** Reassembles TCP: segments in any order, repeated or missing, become SMPP frames in the order of time. */
import type { Frame } from './captured.ts'
import type { Segment } from './packet.ts'

/** One direction of one connection. */
interface Flow {
  link: string
  from: string
  /** The sequence number of the next octet. Undefined until a segment is seen. */
  next: number | undefined
  /** The sequence number of its SYN, which may come twice. */
  first: number | undefined
  /** Later octets that came early, by sequence number. */
  early: Map<number, Segment>
  held: Buffer
  inStep: boolean
}

export interface Reassembled {
  frames: (Frame & { sender: string })[]
  /** Octets without a frame: the capture began within a PDU, or they are not SMPP. */
  lostOctets: number
}

export const HEADER_OCTETS = 16
export const CAPTURED_FRAME_OCTETS_MAX = 70_000
/** How many segments wait for a missing one. With more, the missing one counts as lost by the capture. */
const EARLY_MAX = 64
/** The highest command id of SMPP. (SMPP v3.4 §5.1.2.1) */
const COMMANDS_MAX = 0x0112

export function reassemble(segments: Iterable<Segment>): Reassembled {
  const flows = new Map<string, Flow>()
  const out: Reassembled = { frames: [], lostOctets: 0 }
  const serials = new Map<string, number>()
  for (const segment of segments) {
    const pair = [segment.from, segment.to].toSorted().join('-')
    const key = `${segment.from}>${segment.to}`
    let flow = flows.get(key)
    const isNew =
      segment.syn &&
      flow !== undefined &&
      flow.next !== undefined &&
      segment.sequence + 1 !== flow.next &&
      segment.sequence !== flow.first
    if (isNew && flow) {
      flush(flow, segment.atMs, out)
      serials.set(pair, (serials.get(pair) ?? 0) + 1)
      flow = undefined
    }
    if (!flow) {
      const link = `${pair}#${serials.get(pair) ?? 0}`
      flow = {
        link,
        from: segment.from,
        next: undefined,
        first: undefined,
        early: new Map(),
        held: Buffer.alloc(0),
        inStep: false,
      }
      flows.set(key, flow)
    }
    take(flow, segment, out)
  }
  for (const flow of flows.values()) flush(flow, out.frames.at(-1)?.atMs ?? 0, out)
  out.frames.sort((a, b) => a.atMs - b.atMs)
  return out
}

function take(flow: Flow, segment: Segment, out: Reassembled): void {
  if (segment.syn) {
    if (segment.sequence === flow.first) return
    flow.first = segment.sequence
    flow.next = (segment.sequence + 1) >>> 0
    flow.inStep = true
    return
  }
  if (segment.payload.length === 0) return
  flow.next ??= segment.sequence
  const ahead = distance(flow.next, segment.sequence)
  if (ahead > 0) {
    const known = flow.early.get(segment.sequence)
    if (!known || known.payload.length < segment.payload.length) flow.early.set(segment.sequence, segment)
    if (flow.early.size > EARLY_MAX) skip(flow, out)
    return
  }
  append(flow, segment, out)
  drain(flow, out)
}

/** Sequence numbers wrap: how far `to` is ahead of `from`, or a negative number if it is behind. (RFC 9293 §3.4) */
function distance(from: number, to: number): number {
  return (to - from) | 0
}

/** Takes the new octets of a segment that begins at or before the next octet. */
function append(flow: Flow, { sequence, payload, atMs }: Segment, out: Reassembled): void {
  const known = -distance(flow.next as number, sequence)
  if (known >= payload.length) return
  const fresh = payload.subarray(known)
  flow.next = ((flow.next as number) + fresh.length) >>> 0
  flow.held = flow.held.length > 0 ? Buffer.concat([flow.held, fresh]) : fresh
  cut(flow, atMs, out)
}

function drain(flow: Flow, out: Reassembled): void {
  for (;;) {
    const ready = [...flow.early.values()].find((it) => distance(flow.next as number, it.sequence) <= 0)
    if (!ready) return
    flow.early.delete(ready.sequence)
    append(flow, ready, out)
  }
}

/** Gives up the missing octets and continues at the first octets after them. */
function skip(flow: Flow, out: Reassembled): void {
  const next = [...flow.early.values()].toSorted((a, b) => distance(b.sequence, a.sequence))[0]
  if (!next) return
  out.lostOctets += flow.held.length
  flow.held = Buffer.alloc(0)
  flow.inStep = false
  flow.next = next.sequence
  drain(flow, out)
}

function flush(flow: Flow, atMs: number, out: Reassembled): void {
  while (flow.early.size > 0) skip(flow, out)
  cut(flow, atMs, out)
  out.lostOctets += flow.held.length
}

/** Takes whole PDUs out of the held octets. If framing is lost, it looks for the next possible header. */
function cut(flow: Flow, atMs: number, out: Reassembled): void {
  let at = 0
  while (flow.held.length - at >= HEADER_OCTETS) {
    const length = flow.held.readUInt32BE(at)
    if (!isHeader(flow.held, at)) {
      flow.inStep = false
      out.lostOctets++
      at++
      continue
    }
    if (flow.held.length - at < length) break
    flow.inStep = true
    const octets = Buffer.from(flow.held.subarray(at, at + length))
    out.frames.push({ atMs, link: flow.link, octets, sender: flow.from })
    at += length
  }
  flow.held = flow.held.subarray(at)
}

function isHeader(octets: Buffer, at: number): boolean {
  const [length, command] = [octets.readUInt32BE(at), octets.readUInt32BE(at + 4)]
  const isLength = length >= HEADER_OCTETS && length <= CAPTURED_FRAME_OCTETS_MAX
  return isLength && (command & 0x7fffffff) >>> 0 <= COMMANDS_MAX && octets.readUInt32BE(at + 8) <= 0x04ff
}

/**
 * START HERE: the flight recorder. What passed on each bind lately, in memory only; shown masked unless asked
 * otherwise.
 */
import type { Tap } from '../../smpp/session/index.ts'
import type { LinkPort, Pdu } from '../../smpp/index.ts'
import { isAbout } from './by-subscriber.ts'
import type { Masking } from './masking.ts'
import { Ring, type SeenMessage, type RecordedPdu, type RingLimits } from './ring.ts'

export interface RecorderDeps {
  limits: RingLimits
  now(): number
  masking: Masking
}

export interface TraceAsked {
  /** The last so many; default all. */
  last?: number | undefined
  /** Only what concerns this subscriber: requests with the number, and their responses. */
  msisdn?: string | undefined
  /** As it was, numbers and texts too, but for what may be a PIN: see `Heard`. */
  clear?: boolean | undefined
}

export interface Recorder {
  /** Absent where nothing is recorded. */
  readonly tap?: Tap
  /** Told of what a request of the SMSC was, once that is known. */
  heard(pdu: Pdu, link: LinkPort, what: SeenMessage): void
  /** The PDUs of all binds of one line, in the order they passed. Passwords are in none. */
  trace(line: string, asked?: TraceAsked): RecordedPdu[]
}

/** Registered with IANA for SMPP. */
const SMPP_PORT = 2_775

/** `pdusMax` 0: nothing is recorded, and nothing is done on the way of a PDU. */
export function createRecorder({ limits, now, masking }: RecorderDeps): Recorder {
  if (limits.pdusMax === 0) return { trace: () => [], heard: () => undefined }
  const rings = new Map<string, { line: string; ring: Ring }>()
  const byLink = new WeakMap<LinkPort, Ring>()
  let serial = 0
  let recent: { link: LinkPort; ring: Ring } | undefined

  function ringOf(link: LinkPort): Ring {
    // Links come and go; what led to the end of one is looked for after the next has come.
    const bind = link.id.split('#')[0]!
    const known = rings.get(bind) ?? { line: link.line, ring: new Ring(limits) }
    rings.set(bind, known)
    byLink.set(link, known.ring)
    return known.ring
  }

  return {
    tap(direction, octets, link) {
      if (recent?.link !== link) recent = { link, ring: byLink.get(link) ?? ringOf(link) }
      const from = direction === 'out' ? 'esme' : 'smsc'
      recent.ring.put({ serial: ++serial, atMs: now(), from, link: link.id, port: link.port ?? SMPP_PORT, octets })
    },
    heard: (pdu, link, what) => byLink.get(link)?.mark(link.id, pdu.sequence, what),
    trace(line, { last, msisdn, clear } = {}) {
      const all = [...rings.values()]
        .filter((it) => it.line === line)
        .flatMap((it) => it.ring.all())
        .toSorted((a, b) => a.serial - b.serial)
      const meant = msisdn === undefined ? all : isAbout(all, msisdn)
      const kept = last === undefined ? meant : meant.slice(Math.max(0, meant.length - last))
      return kept.map((one) => ({ ...one, octets: clear ? masking.clear(one) : masking.mask(one.octets, one.seen) }))
    },
  }
}

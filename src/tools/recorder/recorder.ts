/**
 * START HERE: the flight recorder. It holds the last PDUs of each bind, in memory only, and shows them masked unless
 * asked otherwise.
 */
import { stretch } from '../../base/index.ts'
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
  /** How many of the last PDUs. Default: all. */
  last?: number | undefined
  /** Only what concerns this subscriber: requests with the number, and their responses. */
  msisdn?: string | undefined
  /** Unmasked, with numbers and texts, but without what may be a PIN: see `SeenMessage`. */
  clear?: boolean | undefined
}

export interface Recorder {
  /** Absent if nothing is recorded. */
  readonly tap?: Tap
  /** Tells the recorder what a request of the SMSC was, once that is known. */
  mark(pdu: Pdu, link: LinkPort, what: SeenMessage): void
  /** The PDUs of all binds of one line, in the order in which they passed. None contains a password. */
  trace(line: string, asked?: TraceAsked): RecordedPdu[]
}

/** The port that IANA has registered for SMPP. */
const SMPP_PORT = 2_775

/** `pdusMax` 0: nothing is recorded, and a PDU costs nothing extra. */
export function createRecorder({ limits, now, masking }: RecorderDeps): Recorder {
  if (limits.pdusMax === 0) return { trace: () => [], mark: () => undefined }
  const rings = new Map<string, { line: string; ring: Ring }>()
  const byLink = new WeakMap<LinkPort, Ring>()
  let serial = 0
  let recent: { link: LinkPort; ring: Ring } | undefined

  function ringOf(link: LinkPort): Ring {
    // Keyed by bind: the PDUs that led to the end of a link are needed after the next link is up.
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
    mark: (pdu, link, what) => byLink.get(link)?.mark(link.id, pdu.sequence, what),
    trace(line, { last, msisdn, clear } = {}) {
      const all = [...rings.values()]
        .filter((it) => it.line === line)
        .flatMap((it) => it.ring.all())
        .toSorted((a, b) => a.serial - b.serial)
      const meant = msisdn === undefined ? all : isAbout(all, msisdn)
      const kept = last === undefined ? meant : meant.slice(Math.max(0, meant.length - last))
      const shown = (one: RecordedPdu) => ({
        ...one,
        octets: clear ? masking.clear(one) : masking.mask(one.octets, one.seen),
      })
      return stretch('trace', () => kept.map(shown))
    },
  }
}

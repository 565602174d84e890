/** The last PDUs of one bind, in one buffer of fixed size: one more PDU costs a copy of its octets and no garbage. */

/**
 * What a subscriber's message was: the dial of a code, or text for those who may see texts. Anything else, and a
 * message that was not classified yet, may be a PIN.
 */
export type SeenMessage = 'code' | 'open'

export interface RecordedPdu {
  /** Increases over the life of the daemon, across binds: the order in which PDUs passed. */
  serial: number
  atMs: number
  from: 'esme' | 'smsc'
  /** The connection of the bind. */
  link: string
  /** The port of the SMSC. */
  port: number
  octets: Buffer
  /** Absent: unknown, or secret. */
  seen?: SeenMessage
}

export interface RingLimits {
  /** The most PDUs that are kept. */
  pdusMax: number
  /** The most octets that are kept: the size of the buffer. */
  octetsMax: number
}

const SEEN: readonly (SeenMessage | undefined)[] = [undefined, 'code', 'open']
const SEQUENCE_AT = 12
/** Requests that share the last bits of their numbers, and are looked at: each link of a bind counts from 1. */
const SHARED_MAX = 8

/** In a response, the first bit of the command_id is set. (SMPP v3.4 §5.1.2.1) */
const isRequest = (octets: Buffer, start: number): boolean => octets.readInt8(start + 4) >= 0

export class Ring {
  readonly #octets: Buffer
  readonly #times: Float64Array
  readonly #serials: Float64Array
  readonly #starts: Uint32Array
  readonly #lengths: Uint32Array
  readonly #sides: Uint8Array
  readonly #seen: Uint8Array
  readonly #ports: Uint16Array
  readonly #links: string[]
  readonly #max: number
  /** The newest request of the SMSC, by the last bits of its sequence number; and for each the one before it there. */
  readonly #newest: Uint32Array
  readonly #before: Uint32Array
  /** The place of the oldest entry. */
  #first = 0
  #count = 0
  /** Where the next octets go. */
  #at = 0

  constructor({ pdusMax, octetsMax }: RingLimits) {
    this.#max = pdusMax
    this.#octets = Buffer.allocUnsafeSlow(octetsMax)
    this.#times = new Float64Array(pdusMax)
    this.#serials = new Float64Array(pdusMax)
    this.#starts = new Uint32Array(pdusMax)
    this.#lengths = new Uint32Array(pdusMax)
    this.#sides = new Uint8Array(pdusMax)
    this.#seen = new Uint8Array(pdusMax)
    this.#ports = new Uint16Array(pdusMax)
    this.#links = Array.from({ length: pdusMax }, () => '')
    this.#before = new Uint32Array(pdusMax)
    this.#newest = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(2, pdusMax))))
  }

  /** A PDU that is larger than the whole buffer is not kept. */
  put({ serial, atMs, from, link, port, octets }: RecordedPdu): void {
    const { length } = octets
    if (length > this.#octets.length) return
    if (this.#count === this.#max) this.#forget()
    this.#makeRoom(length)
    this.#octets.set(octets, this.#at)
    const i = (this.#first + this.#count) % this.#max
    this.#times[i] = atMs
    this.#serials[i] = serial
    this.#starts[i] = this.#at
    this.#lengths[i] = length
    this.#sides[i] = from === 'esme' ? 1 : 0
    this.#seen[i] = 0
    this.#links[i] = link
    this.#ports[i] = port
    if (from === 'smsc' && isRequest(octets, 0)) {
      const bits = this.#bitsOf(octets.readUInt32BE(SEQUENCE_AT))
      this.#before[i] = this.#newest[bits]!
      this.#newest[bits] = i
    }
    this.#count++
    this.#at += length
  }

  /**
   * Records what the SMSC's newest request with this number on this link was. Does nothing if that request was
   * overwritten, as it is on a busy line before its turn comes: so it is not searched for.
   */
  mark(link: string, sequence: number, seen: SeenMessage): void {
    const bits = this.#bitsOf(sequence)
    let i = this.#newest[bits]!
    let after = Infinity
    for (let n = 0; n < SHARED_MAX && this.#isKept(i) && this.#serials[i]! < after; n++) {
      if (this.#isRequest(i, link, sequence)) return void (this.#seen[i] = SEEN.indexOf(seen))
      // Another PDU has taken its place.
      if (this.#bitsOf(this.#sequenceOf(i)) !== bits) return
      after = this.#serials[i]!
      i = this.#before[i]!
    }
  }

  #bitsOf(sequence: number): number {
    return sequence & (this.#newest.length - 1)
  }

  #sequenceOf(i: number): number {
    return this.#octets.readUInt32BE(this.#starts[i]! + SEQUENCE_AT)
  }

  #isKept(i: number): boolean {
    return (i - this.#first + this.#max) % this.#max < this.#count
  }

  #isRequest(i: number, link: string, sequence: number): boolean {
    return (
      this.#sides[i] === 0 &&
      this.#links[i] === link &&
      isRequest(this.#octets, this.#starts[i]!) &&
      this.#sequenceOf(i) === sequence
    )
  }

  /** Copies, the oldest first. */
  all(): RecordedPdu[] {
    return Array.from({ length: this.#count }, (_, n) => {
      const i = (this.#first + n) % this.#max
      const start = this.#starts[i]!
      const seen = SEEN[this.#seen[i]!]
      return {
        ...(seen ? { seen } : {}),
        serial: this.#serials[i]!,
        atMs: this.#times[i]!,
        from: this.#sides[i] === 1 ? ('esme' as const) : ('smsc' as const),
        link: this.#links[i]!,
        port: this.#ports[i]!,
        octets: Buffer.from(this.#octets.subarray(start, start + this.#lengths[i]!)),
      }
    })
  }

  /** A PDU is never split: if it does not fit before the end of the buffer, it begins at the start. */
  #makeRoom(length: number): void {
    if (this.#at + length > this.#octets.length) {
      while (this.#count > 0 && this.#starts[this.#first]! >= this.#at) this.#forget()
      this.#at = 0
    }
    const end = this.#at + length
    while (this.#count > 0) {
      const start = this.#starts[this.#first]!
      if (start >= end || start + this.#lengths[this.#first]! <= this.#at) return
      this.#forget()
    }
  }

  #forget(): void {
    this.#first = (this.#first + 1) % this.#max
    this.#count--
  }
}

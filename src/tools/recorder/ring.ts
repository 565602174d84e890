/**
 * The last PDUs of one bind, in one buffer of fixed size: keeping one more costs a copy of its octets and no garbage.
 */

/**
 * What a subscriber's message turned out to be: the dial of a code, or text that may be seen by who may see texts.
 * Anything else, and what nobody has looked at yet, may be a PIN.
 */
export type SeenMessage = 'code' | 'open'

export interface RecordedPdu {
  /** Runs on over the life of the daemon, across binds: the order in which PDUs passed. */
  serial: number
  atMs: number
  from: 'esme' | 'smsc'
  /** Which connection of the bind. */
  link: string
  /** The SMSC's end of it. */
  port: number
  octets: Buffer
  /** Absent: it is not known, or is a secret. */
  seen?: SeenMessage
}

export interface RingLimits {
  /** PDUs kept at most. */
  pdusMax: number
  /** Octets kept at most: the size of the buffer. */
  octetsMax: number
}

const HEARD: readonly (SeenMessage | undefined)[] = [undefined, 'code', 'open']
const SEQUENCE_AT = 12

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
  /** Of the oldest entry. */
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
  }

  /** What does not fit into the whole buffer is left out. */
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
    this.#count++
    this.#at += length
  }

  /**
   * Says what the SMSC's newest request of that number was, on that link. One that is forgotten by now is not missed.
   */
  mark(link: string, sequence: number, seen: SeenMessage): void {
    for (let n = this.#count - 1; n >= 0; n--) {
      const i = (this.#first + n) % this.#max
      const isIt =
        this.#sides[i] === 0 &&
        this.#links[i] === link &&
        this.#octets.readInt8(this.#starts[i]! + 4) >= 0 &&
        this.#octets.readUInt32BE(this.#starts[i]! + SEQUENCE_AT) === sequence
      if (isIt) return void (this.#seen[i] = HEARD.indexOf(seen))
    }
  }

  /** Copies, the oldest first. */
  all(): RecordedPdu[] {
    return Array.from({ length: this.#count }, (_, n) => {
      const i = (this.#first + n) % this.#max
      const start = this.#starts[i]!
      const seen = HEARD[this.#seen[i]!]
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

  /** A PDU is never split: what does not fit before the end begins at the start. */
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

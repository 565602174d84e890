/**
 * What this process wrote last, so that the next message of a dialogue need not ask for it: most dialogues stay with
 * one daemon. It only saves the question. If another daemon has replaced a value, the store refuses a write over it,
 * and then it is read; and what would write nothing is read first (decider.ts).
 *
 * The values are octets in one ring, the oldest overwritten, beside the heap: as objects they would outlive every young
 * collection.
 */
import { TurnoverMap } from '../base/index.ts'
import type { Register } from './register.ts'

/** Those of some 30,000 dialogues: what a busy daemon writes while a subscriber reads. Taken as it is filled. */
const RING_OCTETS = 32 * 1_048_576
/** A value that others have replaced costs a write for nothing. Where that happens, so many messages are read first. */
const READ_FIRST = 64
/** How many names: each is known again with its next write. */
const UNSURE_MAX = 1_000
/** The most octets of one UTF-16 unit in UTF-8. */
const UNIT_OCTETS = 3
/** Before each value: its length. */
const LENGTH_OCTETS = 4
/** A value begins with its form and its flag; its version, a blank and its turn follow. (record.ts) */
const HEAD_FROM = 2
const [UNCONFIRMED, CONFIRMED, BLANK] = [0x75, 0x63, 0x20]

/** A register that recalls. */
export type Recalling = Register & Required<Pick<Register, 'recall' | 'isOutdated' | 'forget'>>

/** `register`: an object of functions. `onOutdated`: another daemon had replaced a value that was recalled. */
export function recalling(
  register: Register,
  { octets = RING_OCTETS, onOutdated }: { octets?: number; onOutdated?: (() => void) | undefined },
): Recalling {
  const last = new Ring(octets)
  /** So many messages are read first. */
  let readFirst = 0
  const writes = new OwnWrites()
  return {
    ...register,
    recall({ name }) {
      if (readFirst > 0) return void readFirst--
      const value = last.value(name)
      return value === undefined ? undefined : { value, at: name }
    },
    isOutdated({ name }, version) {
      if (writes.mayStand(name, version) || last.has(name, version) === false) return false
      last.delete(name)
      readFirst = READ_FIRST
      onOutdated?.()
      return true
    },
    write(slot, change) {
      const { name } = slot
      const over = change.from?.version ?? ''
      writes.begin(name, over)
      return register.write(slot, change).then(
        (written) => {
          writes.end(name, over, written)
          if (!written) return false
          if (change.value === null) last.delete(name)
          else last.set(name, change.value)
          return true
        },
        (error: unknown) => {
          writes.end(name, over, null)
          last.delete(name)
          throw error
        },
      )
    },
    settle(slot, turn, dueMs) {
      last.settle(slot.name, turn)
      register.settle(slot, turn, dueMs)
    },
    putAside(slot, stored) {
      last.delete(slot.name)
      return register.putAside(slot, stored)
    },
    erase(msisdn, hidden) {
      last.clear()
      return register.erase(msisdn, hidden).finally(() => last.clear())
    },
    forget: () => last.clear(),
  }
}

/** Which writes of this process may be what stands in the store. */
class OwnWrites {
  /** In flight, by name: over which versions. */
  readonly #open = new TurnoverMap<string, string[]>()
  /** Names whose last write may have been done, or not. */
  readonly #unsure = new Set<string>()

  begin(name: string, over: string): void {
    const others = this.#open.get(name)
    if (others) others.push(over)
    else this.#open.set(name, [over])
  }

  /** `written` null: that is not known. */
  end(name: string, over: string, written: boolean | null): void {
    const all = this.#open.get(name)!
    if (all.length === 1) this.#open.delete(name)
    else all.splice(all.indexOf(over), 1)
    if (written && this.#unsure.size > 0) this.#unsure.delete(name)
    if (written !== null) return
    if (this.#unsure.size >= UNSURE_MAX) this.#unsure.clear()
    this.#unsure.add(name)
  }

  /** A write over this version was refused: so another one over the same is, too. */
  mayStand(name: string, version: string): boolean {
    return this.#unsure.has(name) || this.#open.get(name)?.some((over) => over !== version) === true
  }
}

/** Values by name, in octets: the oldest are overwritten. */
class Ring {
  readonly #size: number
  /** Taken with the first value. */
  #octets: Buffer | undefined
  /** Where the next value goes. */
  #at = 0
  /** Where each value is. In the order in which they were written, which is that of the ring. */
  readonly #places = new TurnoverMap<string, number>()

  constructor(size: number) {
    this.#size = size
  }

  set(name: string, value: string): void {
    this.#places.delete(name)
    const most = LENGTH_OCTETS + value.length * UNIT_OCTETS
    if (most > this.#size) return
    this.#octets ??= Buffer.allocUnsafeSlow(this.#size)
    if (this.#at + most > this.#size) {
      this.#overwrite(this.#at, this.#size)
      this.#at = 0
    }
    this.#overwrite(this.#at, this.#at + most)
    const length = this.#octets.write(value, this.#at + LENGTH_OCTETS)
    this.#octets.writeUInt32LE(length, this.#at)
    this.#places.set(name, this.#at)
    this.#at += LENGTH_OCTETS + length
  }

  value(name: string): string | undefined {
    const from = this.#from(name)
    if (from === undefined) return undefined
    return this.#octets!.toString('utf8', from, from + this.#octets!.readUInt32LE(from - LENGTH_OCTETS))
  }

  /** Whether it is this version of the value. Undefined: there is none. */
  has(name: string, version: string): boolean | undefined {
    const from = this.#from(name)
    return from === undefined ? undefined : this.#stands(`${version} `, from + HEAD_FROM)
  }

  /** The reply of this turn was accepted. */
  settle(name: string, turn: string): void {
    const from = this.#from(name)
    if (from === undefined || this.#octets![from + 1] !== UNCONFIRMED) return
    const blank = this.#octets!.indexOf(BLANK, from + HEAD_FROM)
    if (this.#stands(`${turn}\n`, blank + 1)) this.#octets![from + 1] = CONFIRMED
  }

  delete(name: string): void {
    this.#places.delete(name)
  }

  /** Not even its octets stay. */
  clear(): void {
    this.#places.clear()
    this.#octets?.fill(0)
    this.#at = 0
  }

  #from(name: string): number | undefined {
    const place = this.#places.get(name)
    return place === undefined ? undefined : place + LENGTH_OCTETS
  }

  #stands(word: string, from: number): boolean {
    return this.#octets!.toString('latin1', from, from + word.length) === word
  }

  /** Forgets what begins in these octets: the oldest values. */
  #overwrite(from: number, to: number): void {
    for (const [name, place] of this.#places) {
      if (place < from || place >= to) return
      this.#places.delete(name)
    }
  }
}

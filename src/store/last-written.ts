/**
 * What this process wrote last, so that the next message of a dialogue need not ask for it: most dialogues stay with
 * one daemon. It only saves the question. If another daemon has replaced a value, the store refuses a write over it,
 * and then it is read; and what would write nothing is read first (decider.ts).
 *
 * The values are octets in one ring, the oldest overwritten, beside the heap: as objects they would outlive every young
 * collection.
 */
import { TurnoverMap } from '../base/index.ts'
import { versionOf } from './record.ts'
import type { Register } from './register.ts'

/** Those of some 30,000 dialogues: what a busy daemon writes while a subscriber reads. */
const RING_OCTETS = 32 * 1_048_576
/**
 * A recalled value that another daemon has replaced costs a write for nothing, and a turn that is played for nothing:
 * some sixteen times what a current one saves. So a daemon recalls as long as hardly any is outdated.
 */
const OUTDATED_COSTS = 16
/** Begins to recall again after so many current values in a row. */
const TRUST = 64
/**
 * A store that has let a question wait so long may be away: what is written now may be done after the subscriber was
 * told that it was not. To read does no harm.
 */
const SILENT_MS = 25
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

export interface RecallingOptions {
  octets?: number
  /** Another daemon had replaced a value that was recalled. */
  onOutdated?: (() => void) | undefined
  /** Default: the time of this process. */
  nowMs?: (() => number) | undefined
}

/** `register`: an object of functions. */
export function recalling(
  register: Register,
  { octets = RING_OCTETS, onOutdated, nowMs = () => performance.now() }: RecallingOptions,
): Recalling {
  const silence = new Silence(nowMs)
  const last = new Ring(octets)
  const trust = new Trust()
  const writes = new OwnWrites()
  return {
    ...register,
    recall({ name }) {
      const value = trust.isThere && !silence.isLong() ? last.value(name) : undefined
      if (value === undefined) return undefined
      trust.learn(true)
      return { value, at: name }
    },
    read: (slot) =>
      silence.until(register.read(slot)).then((stored) => {
        if (stored && !trust.isThere) trust.learn(last.has(slot.name, versionOf(stored.value)))
        return stored
      }),
    isOutdated({ name }, version) {
      if (writes.mayStand(name, version) || last.has(name, version) === false) return false
      last.delete(name)
      trust.learn(false)
      onOutdated?.()
      return true
    },
    write: remembering(register, { last, writes, silence }),
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

interface Memory {
  last: Ring
  writes: OwnWrites
  silence: Silence
}

function remembering(register: Register, { last, writes, silence }: Memory): Register['write'] {
  return (slot, change) => {
    const { name } = slot
    const over = change.from?.version ?? ''
    writes.begin(name, over)
    return silence.until(register.write(slot, change)).then(
      (written) => {
        writes.end(name, over, written)
        if (written) last.set(name, change.value)
        return written
      },
      (error: unknown) => {
        writes.end(name, over, null)
        last.delete(name)
        throw error
      },
    )
  }
}

/** Whether the store has let a question wait for long, and answered none; or did not answer the last one at all. */
class Silence {
  readonly #nowMs: () => number
  #open = 0
  #sinceMs = 0
  #isAway = false

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  isLong(): boolean {
    return this.#isAway || (this.#open > 0 && this.#nowMs() - this.#sinceMs >= SILENT_MS)
  }

  /** The answer that the store owes. */
  until<T>(answer: Promise<T>): Promise<T> {
    if (this.#open++ === 0) this.#sinceMs = this.#nowMs()
    return answer.then(this.#answered, this.#failed) as Promise<T>
  }

  readonly #answered = <T>(answer: T): T => {
    this.#open--
    this.#sinceMs = this.#nowMs()
    this.#isAway = false
    return answer
  }

  readonly #failed = (error: unknown): never => {
    this.#open--
    this.#isAway = true
    throw error
  }
}

/** Whether dialogues stay with this daemon, as far as its last messages tell. */
class Trust {
  isThere = true
  #score = TRUST

  /** Of a value that was written last. Undefined: none was. */
  learn(isCurrent: boolean | undefined): void {
    if (isCurrent === undefined) return
    this.#score = Math.max(0, Math.min(TRUST, this.#score + (isCurrent ? 1 : -OUTDATED_COSTS)))
    if (this.#score === TRUST) this.isThere = true
    else if (this.#score === 0) this.isThere = false
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

/** Values by name, in octets: written one behind the other, and from the start again once the ring is full. */
class Ring {
  readonly #octets: Buffer
  /** Where the next value goes. */
  #at = 0
  /** So much was ever filled. */
  #filled = 0
  /** Where each value of this round is; and of the last round, those that are not overwritten yet. */
  #places = new Map<string, number>()
  #before = new Map<string, number>()

  constructor(octets: number) {
    // At the start: later it would look like a leak. The system gives memory as it is filled.
    this.#octets = Buffer.allocUnsafeSlow(octets)
  }

  /** Null: it has none any more. */
  set(name: string, value: string | null): void {
    const most = value === null ? Infinity : LENGTH_OCTETS + value.length * UNIT_OCTETS
    if (most > this.#octets.length) return this.delete(name)
    if (this.#at + most > this.#octets.length) this.#beginAgain()
    const length = this.#octets.write(value!, this.#at + LENGTH_OCTETS)
    this.#octets.writeUInt32LE(length, this.#at)
    this.#places.set(name, this.#at)
    this.#at += LENGTH_OCTETS + length
    this.#filled = Math.max(this.#filled, this.#at)
  }

  value(name: string): string | undefined {
    const place = this.#placeOf(name)
    if (place === undefined) return undefined
    const from = place + LENGTH_OCTETS
    return this.#octets.toString('utf8', from, from + this.#octets.readUInt32LE(place))
  }

  /** Whether it is this version of the value. Undefined: there is none. */
  has(name: string, version: string): boolean | undefined {
    const place = this.#placeOf(name)
    return place === undefined ? undefined : this.#stands(`${version} `, place + LENGTH_OCTETS + HEAD_FROM)
  }

  /** The reply of this turn was accepted. */
  settle(name: string, turn: string): void {
    const place = this.#placeOf(name)
    if (place === undefined) return
    const from = place + LENGTH_OCTETS
    if (this.#octets[from + 1] !== UNCONFIRMED) return
    const blank = this.#octets.indexOf(BLANK, from + HEAD_FROM)
    if (this.#stands(`${turn}\n`, blank + 1)) this.#octets[from + 1] = CONFIRMED
  }

  delete(name: string): void {
    this.#places.delete(name)
    this.#before.delete(name)
  }

  /** Not even its octets stay. */
  clear(): void {
    this.#beginAgain()
    this.#before = new Map()
    this.#octets.fill(0, 0, this.#filled)
    this.#filled = 0
  }

  #placeOf(name: string): number | undefined {
    const place = this.#places.get(name)
    if (place !== undefined) return place
    const before = this.#before.get(name)
    return before !== undefined && before >= this.#at ? before : undefined
  }

  #stands(word: string, from: number): boolean {
    return this.#octets.toString('latin1', from, from + word.length) === word
  }

  #beginAgain(): void {
    this.#at = 0
    this.#before = this.#places
    this.#places = new Map()
  }
}

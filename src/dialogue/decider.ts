/**
 * Read, decide, write. A refused write means that another one was faster; then the current entry is read and decided
 * again, a bounded number of times.
 */
import { failpoint, StoreError } from '../base/index.ts'
import type { DialogueKey, DialogueRegister, Held, Unreadable, Write } from './types.ts'

/** If others write one record this often between our read and our write, the SMSC should deliver the message again. */
export const DECIDES_MAX = 5

/** What a decision returns to its caller, and what it writes over what it was made from. Absent: nothing is written. */
export interface Ruling<T> {
  result: T
  write?: Write
}

/** What to decide about, and the current value. If `held` is given, it need not be read. */
export interface Deciding {
  key: DialogueKey
  nowMs: number
  unreadable?: Unreadable
  held?: Held | undefined
  /** It may be decided by what this process wrote last, if that writes something: the store refuses what is old. */
  mayRecall?: boolean
}

/** The result of our write. `now`: the write was refused, because this is the current value. */
export type Written = { held: Held } | { now: Held | null }

export interface Decider {
  look(where: DialogueKey | string, nowMs: number, unreadable?: Unreadable): Promise<Held | null>
  write(where: DialogueKey | string, what: Write, unreadable?: Unreadable): Promise<Written>
  /** Null: others were faster each time. */
  decide<T>(about: Deciding, by: (now: Held | null, first: Held | null) => Ruling<T>): Promise<Decided<T>>
}

export function createDecider(register: DialogueRegister): Decider {
  const look: Decider['look'] = async (where, nowMs, unreadable = 'refuse') =>
    (await register.read(where, { nowMs, unreadable })) ?? null

  /**
   * After a write that was refused or failed: the current value. If it is not known whether the write was done, our own
   * version shows that it was; otherwise the failure goes to the caller.
   */
  const lookAgain: LookAgain = async (where, what, failure, unreadable) => {
    if (failure && !(failure instanceof StoreError && failure.code === 'down')) throw failure
    const now = await look(where, what.nowMs, unreadable).catch((error: unknown) => {
      throw failure ?? error
    })
    if (now?.entry.version === what.entry.version) return { held: now }
    if (failure) throw failure
    return { now }
  }

  const write: Decider['write'] = async (where, what, unreadable) => {
    let failure: unknown
    try {
      const held = await register.write(where, what)
      if (held) return { held }
    } catch (error) {
      failure = error
    }
    return lookAgain(where, what, failure, unreadable)
  }

  const { ruled, read } = ruling(register, lookAgain)
  return {
    look,
    write,
    decide(about, by) {
      const { key, nowMs, held, mayRecall } = about
      // What `by` throws is rejected.
      if (held) return new Promise((done) => done(ruled(about, by, held, held, 1)))
      const recalled = mayRecall ? register.recall?.(key, nowMs) : undefined
      if (recalled) return new Promise((done) => done(ruled(about, by, recalled, recalled, 0)))
      return read(about, by)
    },
  }
}

type LookAgain = (
  where: DialogueKey | string,
  what: Write,
  failure: unknown,
  unreadable?: Unreadable,
) => Promise<Written>

/** Decides about what stands there, up to the last of its tries. Try 0 is about what was recalled. */
function ruling(register: DialogueRegister, lookAgain: LookAgain): { ruled: Ruled; read: Read } {
  const read: Read = (about, by) =>
    register.read(about.key, { nowMs: about.nowMs, unreadable: about.unreadable ?? 'refuse' }).then((found) => {
      const now = found ?? null
      failpoint('after-read')
      return ruled(about, by, now, now, 1)
    })
  const ruled: Ruled = ({ key, nowMs, unreadable = 'refuse' }, by, first, now, tries) => {
    const { result, write: what } = by(now, first)
    if (!what) {
      if (tries > 0) return { result, held: now }
      return read({ key, nowMs, unreadable }, by)
    }
    const again = async (failure: unknown) => {
      const isOutdated = tries === 0 && !failure && register.isOutdated?.(key, now!) === true
      const written = await lookAgain(key, what, failure, unreadable)
      if ('held' in written) return { result, held: written.held }
      if (tries === DECIDES_MAX) return null
      // What was recalled counts as what stood there when the message came, unless another daemon had replaced it.
      return ruled({ key, nowMs, unreadable }, by, isOutdated ? written.now : first, written.now, tries + 1)
    }
    return register.write(key, what).then((held) => (held ? { result, held } : again(undefined)), again)
  }
  return { ruled, read }
}

type Read = <T>(about: Deciding, by: (now: Held | null, first: Held | null) => Ruling<T>) => Promise<Decided<T>>

type Ruled = <T>(
  about: Deciding,
  by: (now: Held | null, first: Held | null) => Ruling<T>,
  first: Held | null,
  now: Held | null,
  tries: number,
) => Decided<T> | Promise<Decided<T>>

type Decided<T> = { result: T; held: Held | null } | null

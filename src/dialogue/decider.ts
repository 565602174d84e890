/**
 * Read, decide, write. A refused write means that another was faster; then what stands there now is read and decided
 * again, a bounded number of times.
 */
import { failpoint, StoreError } from '../base/index.ts'
import type { DialogueKey, DialogueRegister, Held, Unreadable, Write } from './types.ts'

/** So often others write one record between our read and our write: then the SMSC is to deliver the message again. */
export const DECIDES_MAX = 5

/** What a decision tells its caller, and what it writes; without that, nothing is to be written. */
export interface Ruling<T> {
  told: T
  write?: Omit<Write, 'from' | 'nowMs'>
}

/** What is decided about, and from what: `held`, if it need not be read. */
export interface Deciding {
  key: DialogueKey
  nowMs: number
  unreadable?: Unreadable
  held?: Held | undefined
}

export interface Decider {
  look(where: DialogueKey | string, nowMs: number, unreadable?: Unreadable): Promise<Held | null>
  write(
    where: DialogueKey | string,
    what: Write,
    unreadable?: Unreadable,
  ): Promise<{ held: Held } | { now: Held | null }>
  /** Null: others were faster each time. */
  decide<T>(
    about: Deciding,
    by: (now: Held | null, first: Held | null) => Ruling<T>,
  ): Promise<{ told: T; held: Held | null } | null>
}

export function createDecider(register: DialogueRegister): Decider {
  const look: Decider['look'] = async (where, nowMs, unreadable = 'refuse') =>
    (await register.read(where, { nowMs, unreadable })) ?? null

  /**
   * What we wrote; `now`: it was refused, since that stands there. Where it is not known, it is read: our own version
   * means done, and else the failure is the caller's.
   */
  const write: Decider['write'] = async (where, what, unreadable) => {
    let failure: unknown
    const held = await register.write(where, what).catch((error: unknown) => {
      if (!(error instanceof StoreError && error.code === 'down')) throw error
      failure = error
      return null
    })
    if (held) return { held }
    const now = await look(where, what.nowMs, unreadable).catch((error: unknown) => {
      throw failure ?? error
    })
    if (now?.entry.version === what.entry.version) return { held: now }
    if (failure) throw failure
    return { now }
  }

  return {
    look,
    write,
    async decide({ key, nowMs, unreadable, held }, by) {
      let now = held ?? (await look(key, nowMs, unreadable))
      if (!held) failpoint('after-read')
      const first = now
      for (let tries = 0; tries < DECIDES_MAX; tries++) {
        const { told, write: next } = by(now, first)
        if (!next) return { told, held: now }
        const written = await write(key, { ...next, from: now, nowMs }, unreadable)
        if ('held' in written) return { told, held: written.held }
        now = written.now
      }
      return null
    },
  }
}

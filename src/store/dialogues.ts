/** Dialogues in a register of values: written down, sealed, read again, and put aside where they do not read. */
import {
  bucketOf,
  type DialogueEntry,
  type DialogueKey,
  type DialogueLimits,
  type DialogueRegister,
  type Held,
  type StoreFault,
  type Unreadable,
} from '../dialogue/index.ts'
import { silentLog, StoreError, type Log } from '../base/index.ts'
import { readRecord, turnOf, writeRecord } from './record.ts'
import type { Register, Stored } from './register.ts'
import { plainSealer, type SealPlace, type Sealer } from './seal.ts'

export interface DialogueRegisterOptions {
  register: Register
  limits: DialogueLimits
  /** Default: everything is stored as it is. */
  sealer?: Sealer | undefined
  onFault?: ((fault: StoreFault) => void) | undefined
  log?: Log | undefined
}

/** A value that nobody touches goes by itself this long after the last moment that it could matter. */
const BACKSTOP_MS = 3_600_000
/** Sweeps that end what is too old may be late, and clocks of daemons differ. */
const AGE_SLACK_MS = 60_000

export function dialogueRegister(options: DialogueRegisterOptions): DialogueRegister {
  const { register, limits, sealer = plainSealer } = options
  const slotOf = (where: DialogueKey | string) =>
    typeof where === 'string' ? sealer.named(where) : sealer.place(where)
  return {
    async read(where, { nowMs, unreadable }) {
      const slot = slotOf(where)
      const stored = await register.read(slot)
      if (stored === null) return null
      try {
        const entry = readRecord(slot, stored.value)
        if (sealer.seals) refusePutBack(entry, nowMs, limits)
        return { entry, at: stored.at }
      } catch (error) {
        const told = await unread(options, slot, stored, { error, unreadable })
        if (told) throw told
        return unreadable === 'leave' ? undefined : null
      }
    },
    async write(where, { from, entry, nowMs, dueMs, dueByMs }): Promise<Held | null> {
      const slot = slotOf(where)
      const written = await register.write(slot, {
        from: from && { version: from.entry.version, at: from.at },
        value: writeRecord(slot, entry, limits.snapshotOctetsMax),
        nowMs,
        untilMs: entry.untilMs ?? openUntilMs(entry, limits),
        dueByMs,
        ...(dueMs === undefined ? {} : { dueMs }),
      })
      return written ? { entry, at: slot.name } : null
    },
    settle: ({ key, epoch, turn }, dueMs) => register.settle(sealer.place(key), turnOf(epoch, turn), dueMs),
    touch: (where, version, dueMs, dueByMs) => register.touch(slotOf(where), version, dueMs, dueByMs),
    due: (nowMs, limit) => register.due(nowMs, limit),
    count: () => register.count(),
    names: (limit) => register.names(limit),
    erase: (msisdn) => register.erase(msisdn, sealer.hidden(msisdn)),
    check: () => register.check(),
    ...(register.nodes ? { nodes: () => register.nodes!() } : {}),
    close: () => register.close(),
  }
}

/** Seals tell when it began: one that is older than any can be was put back. */
function refusePutBack({ openedMs, status }: DialogueEntry, nowMs: number, limits: DialogueLimits): void {
  const livesMs = limits.totalMs + (status === 'ended' ? limits.resumeMs : 0) + AGE_SLACK_MS
  if (openedMs < nowMs - livesMs)
    throw new StoreError('corrupt', 'a dialogue is older than any can be: it was put back')
}

const UNREADABLE = 'a dialogue record cannot be read and was put aside'

/** Counts it; answers the error to throw, or null where nobody is to be told. */
async function unread(
  { register, onFault, log = silentLog }: DialogueRegisterOptions,
  slot: SealPlace,
  stored: Stored,
  { error, unreadable }: { error: unknown; unreadable: Unreadable },
): Promise<StoreError | null> {
  const why = error instanceof StoreError ? error : new StoreError('corrupt', UNREADABLE)
  onFault?.(why.code === 'down' || why.code === 'too-large' ? 'corrupt' : why.code)
  log.error({ bucket: bucketOf(slot.name), why: why.message }, 'a dialogue record in Redis cannot be read')
  // Another daemon may have its key, or be of its release.
  const isOthers = why.code === 'newer' || (why.code === 'sealed' && unreadable === 'leave')
  if (!isOthers || unreadable === 'replace') await register.putAside(slot, stored)
  return unreadable === 'refuse' ? why : null
}

function openUntilMs({ openedMs }: DialogueEntry, { totalMs, tombstoneMs, resumeMs }: DialogueLimits): number {
  return openedMs + totalMs + Math.max(tombstoneMs, resumeMs) + BACKSTOP_MS
}

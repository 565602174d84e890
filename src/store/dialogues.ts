/** Dialogues in a register of values: writes, seals and reads them, and puts unreadable ones aside. */
import {
  bucketOf,
  type DialogueEntry,
  type DialogueKey,
  type DialogueLimits,
  type DialogueRegister,
  type Held,
  type Recording,
  type StoreFault,
  type Unreadable,
} from '../dialogue/index.ts'
import { silentLog, StoreError, type Log } from '../base/index.ts'
import { readRecord, type RecordForm, turnOf, writeRecord } from './record.ts'
import { recordShelf } from './records.ts'
import type { Change, RecordsKept, Register, Stored } from './register.ts'
import { plainSealer, type SealPlace, type Sealer } from './seal.ts'

export interface DialogueRegisterOptions {
  register: Register
  limits: DialogueLimits
  /** Default: everything is stored unencrypted. */
  sealer?: Sealer | undefined
  onFault?: ((fault: StoreFault) => void) | undefined
  log?: Log | undefined
  /** The newest form that all daemons beside this one read. Default: the newest. */
  recordForm?: (() => RecordForm) | undefined
}

/** What is recorded of dialogues, and how many records may wait. */
export type RecordingKept = Recording & RecordsKept

/** A value that nobody touches expires this long after the last moment at which it could matter. */
const BACKSTOP_MS = 3_600_000
/** Sweeps that end old dialogues may be late, and the clocks of daemons differ. */
const AGE_SLACK_MS = 60_000

function standingIn(
  { limits, sealer = plainSealer }: DialogueRegisterOptions,
  slot: SealPlace,
  { value, at }: Stored,
  nowMs: number,
): Held {
  const entry = readRecord(slot, value)
  if (sealer.seals) refusePutBack(entry, nowMs, limits)
  return { entry, at }
}

type Reading = Parameters<DialogueRegister['read']>[1]
type MaybeHeld = Held | Promise<null | undefined>

/** `read` and `write` throw nothing: what fails before Redis is asked is rejected, too. */
export function dialogueRegister(options: DialogueRegisterOptions): DialogueRegister {
  const { register, limits, sealer = plainSealer, recordForm } = options
  const shelf = register.records && recordShelf(register.records, { ...options, sealer })
  const slotOf = (where: DialogueKey | string) =>
    typeof where === 'string' ? sealer.named(where) : sealer.place(where)
  const heldIn = (slot: SealPlace, stored: Stored, { nowMs, unreadable }: Reading): MaybeHeld => {
    try {
      return standingIn(options, slot, stored, nowMs)
    } catch (error) {
      return putAside(options, slot, stored, { error, unreadable })
    }
  }
  return {
    ...recalls(options, sealer),
    read(where, asked) {
      try {
        const slot = slotOf(where)
        return register.read(slot).then((stored) => (stored === null ? null : heldIn(slot, stored, asked)))
      } catch (error) {
        return Promise.reject(error)
      }
    },
    write(where, { from, entry, nowMs, dueMs, dueByMs, records }) {
      try {
        const slot = slotOf(where)
        const value = writeRecord(slot, entry, limits.snapshotOctetsMax, recordForm?.())
        const change: Change = {
          from: from && { version: from.entry.version, at: from.at },
          value,
          nowMs,
          untilMs: entry.untilMs ?? openUntilMs(entry, limits),
          dueMs,
          dueByMs,
          records: records && shelf?.stored(slot, records),
        }
        return register.write(slot, change).then((written) => {
          if (!written) return null
          if (change.records) shelf!.wasKept(slot, records!, change.records)
          return { entry, at: slot.name }
        })
      } catch (error) {
        return Promise.reject(error)
      }
    },
    settle: ({ key, epoch, turn }, dueMs) => register.settle(sealer.place(key), turnOf(epoch, turn), dueMs),
    touch: (where, version, dueMs, dueByMs) => register.touch(slotOf(where), version, dueMs, dueByMs),
    due: (nowMs, limit) => register.due(nowMs, limit),
    count: () => register.count(),
    names: (limit) => register.names(limit),
    erase: (msisdn) => register.erase(msisdn, sealer.hidden(msisdn)),
    check: () => register.check(),
    ...(register.time ? { time: () => register.time!() } : {}),
    ...(register.nodes ? { nodes: () => register.nodes!() } : {}),
    ...(shelf ? { records: shelf.shelf } : {}),
    close: () => register.close(),
  }
}

/** By what the register recalls. What does not read here is read in the store, where it can be put aside. */
function recalls(
  options: DialogueRegisterOptions,
  sealer: Sealer,
): Pick<DialogueRegister, 'recall' | 'isOutdated' | 'forget'> {
  const { register } = options
  const { recall, isOutdated } = register
  if (!recall || !isOutdated) return {}
  return {
    recall(key, nowMs) {
      try {
        const slot = sealer.place(key)
        const stored = recall(slot)
        return stored && standingIn(options, slot, stored, nowMs)
      } catch {
        return undefined
      }
    },
    isOutdated: (key, { entry }) => isOutdated(sealer.place(key), entry.version),
    forget: () => register.forget?.(),
  }
}

/** A sealed record has the time of its beginning. If it is older than any dialogue can be, somebody put it back. */
function refusePutBack({ openedMs, status }: DialogueEntry, nowMs: number, limits: DialogueLimits): void {
  const livesMs = limits.totalMs + (status === 'ended' ? limits.resumeMs : 0) + AGE_SLACK_MS
  if (openedMs < nowMs - livesMs)
    throw new StoreError('corrupt', 'a dialogue is older than any can be: it was put back')
}

const UNREADABLE = 'a dialogue record cannot be read and was put aside'

/** What cannot be read is as good as absent; or left for others (undefined); or the caller is told. */
async function putAside(
  options: DialogueRegisterOptions,
  slot: SealPlace,
  stored: Stored,
  fault: { error: unknown; unreadable: Unreadable },
): Promise<null | undefined> {
  const told = await unread(options, slot, stored, fault)
  if (told) throw told
  return fault.unreadable === 'leave' ? undefined : null
}

/** Counts the fault. Returns the error to throw, or null if nobody is to be told. */
async function unread(
  { register, onFault, log = silentLog }: DialogueRegisterOptions,
  slot: SealPlace,
  stored: Stored,
  { error, unreadable }: { error: unknown; unreadable: Unreadable },
): Promise<StoreError | null> {
  const why = error instanceof StoreError ? error : new StoreError('corrupt', UNREADABLE)
  onFault?.(why.code === 'down' || why.code === 'too-large' ? 'corrupt' : why.code)
  log.error({ bucket: bucketOf(slot.name), why: why.message }, 'a dialogue record in Redis cannot be read')
  // Another daemon may have its key, or its release.
  const isOthers = why.code === 'newer' || (why.code === 'sealed' && unreadable === 'leave')
  if (!isOthers || unreadable === 'replace') await register.putAside(slot, stored)
  return unreadable === 'refuse' ? why : null
}

function openUntilMs({ openedMs }: DialogueEntry, { totalMs, tombstoneMs, resumeMs }: DialogueLimits): number {
  return openedMs + totalMs + Math.max(tombstoneMs, resumeMs) + BACKSTOP_MS
}

/** The operations on dialogues, over any register: read, decide, write. */
import { randomBytes } from 'node:crypto'
import { randomWords, StoreError } from '../base/index.ts'
import { bury, classifyAnswer, classifyBegin } from './classify.ts'
import { recordsFor, type Recording } from './cdr.ts'
import { createDecider, DECIDES_MAX, type Ruling } from './decider.ts'
import { deadlineMs, endMs, recordOf, tokenOf } from './entry.ts'
import { takeMessage } from './take.ts'
import { drop, mayRest, rest } from './outcome.ts'
import { seizeDue } from './seizing.ts'
import type { Census, DialogueLimits, DialogueRecord, DialogueRegister, DialogueStore } from './types.ts'

/** How many random octets the version of a turn has after its token. */
const FRESH_OCTETS = 6

export interface DialoguesDeps {
  register: DialogueRegister
  limits: DialogueLimits
  /** Absent: no call detail records are kept. */
  recording?: Recording | undefined
  /** Returns this many random octets. Default: those of the system. */
  random?: ((octets: number) => Uint8Array) | undefined
}

export function createDialogues(given: DialoguesDeps): DialogueStore {
  const { register, limits, recording, random = randomBytes } = given
  const fresh = randomWords(random, FRESH_OCTETS)
  const decider = createDecider(register)
  const deps = { register, decider, limits, recording }
  const opening = { ...deps, classify: classifyBegin }
  const answering = { ...deps, classify: classifyAnswer }
  return {
    ...endings(deps, fresh),
    open: (taking, atOnce) => takeMessage(opening, taking, atOnce),
    take: (taking, atOnce) => takeMessage(answering, taking, atOnce),
    confirm: (record) => register.settle(record, record.ended ? null : endMs(record, limits)),
    async renew(key, epoch, token, leaseUntilMs) {
      if (await register.touch(key, token, leaseUntilMs)) return true
      // Its version may have changed without its turn: a number was stored beside it.
      const entry = (await decider.look(key, leaseUntilMs))?.entry
      if (entry?.status !== 'taken' || entry.epoch !== epoch || tokenOf(entry.version) !== token) return false
      return register.touch(key, entry.version, leaseUntilMs)
    },
    overdue: (nowMs, limit, token, leaseUntilMs, farewell) =>
      seizeDue(deps, limit, { nowMs, token, leaseUntilMs, farewell }),
    async find(key) {
      const held = await decider.look(key, 0)
      return held && recordOf(held.entry)
    },
    async standing(key) {
      const entry = (await decider.look(key, 0))?.entry
      if (!entry) return null
      return entry.track ? { ...recordOf(entry), track: entry.track } : recordOf(entry)
    },
    count: () => register.count(),
    census: (limit) => census(register, limit),
    erase: (msisdn) => register.erase(msisdn),
    forget: () => register.forget?.(),
    check: () => register.check(),
    ...(register.time ? { time: () => register.time!() } : {}),
    ...(register.nodes ? { nodes: () => register.nodes!() } : {}),
    ...(register.records ? { records: register.records } : {}),
    close: () => register.close(),
  }
}

type Deps = Parameters<typeof seizeDue>[0]

/** The operations that end a turn or a dialogue. */
function endings(
  { decider, limits, recording }: Deps,
  fresh: () => string,
): Pick<DialogueStore, 'rest' | 'drop' | 'bury'> {
  return {
    async rest(resting) {
      const { key, nowMs, held } = resting
      const decided = await decider.decide({ key, nowMs, held }, (now): Ruling<boolean> => {
        const taken = mayRest(now?.entry, resting)
        if (typeof taken === 'string') return { result: taken === 'again' }
        const entry = rest(taken, resting, fresh(), limits)
        return {
          result: true,
          write: { from: now, entry, nowMs, dueMs: deadlineMs(entry, limits), records: recordsFor(recording, entry) },
        }
      })
      return decided?.result ?? false
    },
    async drop(key, which, reason, nowMs) {
      const decided = await decider.decide({ key, nowMs }, (now): Ruling<DialogueRecord | null> => {
        const found = drop(now?.entry, { which, reason, nowMs, fresh: fresh() }, limits)
        if (!found) return { result: null }
        const records = recordsFor(recording, found.dropped ? found.entry : null)
        const write = { from: now, entry: found.entry, nowMs, dueMs: null, records }
        return { result: found.dropped ? recordOf(found.entry) : null, write }
      })
      if (!decided) throw crowded()
      return decided.result
    },
    async bury(begin, untilMs, nowMs) {
      const about = { key: begin.key, nowMs, unreadable: 'replace' } as const
      const decided = await decider.decide(about, (now): Ruling<boolean> => {
        const entry = bury(now?.entry, begin, { untilMs, nowMs, fresh: fresh() })
        if (!entry) return { result: false }
        const isOver = entry.status === 'ended' && entry.confirmed === null
        return { result: true, write: { from: now, entry, nowMs, ...(isOver ? { dueMs: null } : {}) } }
      })
      if (!decided) throw crowded()
      return decided.result
    },
  }
}

async function census(register: DialogueRegister, limit: number): Promise<Census> {
  const revisions: string[] = []
  let listed = 0
  let unread = false
  for await (const names of register.names(limit + 1)) {
    listed += names.length
    const look = (name: string) => register.read(name, { nowMs: 0, unreadable: 'leave' }).catch(() => undefined)
    const found = await Promise.all(names.map(look))
    unread ||= found.includes(undefined)
    for (const held of found) if (held && held.entry.status !== 'ended') revisions.push(held.entry.revision)
  }
  return { open: tallied(revisions.slice(0, limit)), whole: listed <= limit && !unread }
}

function tallied(revisions: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const revision of revisions) counts.set(revision, (counts.get(revision) ?? 0) + 1)
  return counts
}

function crowded(): StoreError {
  return new StoreError('down', `one dialogue was written by others ${DECIDES_MAX} times while it was decided`)
}

/**
 * The dialogue store of all daemons: the register in memory, which outlives them, behind a way that is like the weather.
 */
import { createDialogues } from '../../src/dialogue/dialogues.ts'
import { tokenOf } from '../../src/dialogue/entry.ts'
import type { DialogueLimits, DialogueRegister, DialogueStore, Taking } from '../../src/dialogue/types.ts'
import { StoreError } from '../../src/base/errors.ts'
import { dialogueRegister } from '../../src/store/dialogues.ts'
import { memoryRegister } from '../../src/store/journal/memory.ts'
import { recalling } from '../../src/store/last-written.ts'
import { versionOf } from '../../src/store/record.ts'
import type { Register } from '../../src/store/register.ts'
import type { Chance } from '../../src/ussd/vocabulary.ts'
import type { Host } from './host.ts'
import type { Scheduler } from './scheduler.ts'
import { wire, type Wire } from './wire.ts'

/** commandTimeout of src/store/redis/connection.ts. */
const TIMEOUT_MS = 500
/** What a daemon remembers of what it wrote: a few dialogues, so that the ring comes round. */
const RING = { octets: 16_384 }

export function kvWire(scheduler: Scheduler, chance: Chance): Wire {
  return wire(scheduler, chance, {
    name: 'kv',
    timeoutMs: TIMEOUT_MS,
    isOrdered: true,
    failure: (why) => new StoreError('down', `the store: ${why}`),
  })
}

/** What the daemons share. */
export function kvRegister(): Register {
  return memoryRegister({})
}

/**
 * Begins that met no store, until they are written down, and those that it carried out after that was said: `<msisdn>
 * <number>`.
 */
export type Unwritten = Set<string>

export interface KvDeps {
  register: Register
  limits: DialogueLimits
  way: Wire
  host: Host
  chance: Chance
  unwritten: Unwritten
}

/** Whoever changes a record that the store knows throws. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const part of Object.values(value)) frozen(part)
  return value
}

/** The store as one daemon has it. */
export function kvOf({ register, limits, way, host, chance, unwritten }: KvDeps): DialogueStore {
  const begin = ({ key, network }: Taking) => `${key.msisdn} ${network}`
  /** By the token: begins under way. */
  const opening = new Map<string, { taking: Taking; isServed: boolean; isGivenUp: boolean }>()
  const ask = <T>(what: string, serve: () => Promise<T>) => way.ask(host, what, serve)
  const far: Register = {
    read: (slot) => ask('read', () => register.read(slot)),
    write: (slot, change) =>
      ask('write', async () => {
        const written = await register.write(slot, change)
        const own = written ? opening.get(tokenOf(versionOf(change.value!))) : undefined
        if (own) own.isServed = true
        if (own?.isGivenUp) unwritten.add(`${begin(own.taking)} late`)
        return written
      }),
    // Losing it costs one more send.
    settle: (...all) => void ask('settle', async () => register.settle(...all)).catch(() => undefined),
    touch: (...all) => ask('touch', () => register.touch(...all)),
    due: (nowMs, limit) => ask('due', () => register.due(nowMs, limit)),
    count: () => ask('count', () => register.count()),
    names: (limit) => register.names(limit),
    putAside: (...all) => ask('put aside', () => register.putAside(...all)),
    erase: (...all) => ask('erase', () => register.erase(...all)),
    check: async () => ({ durable: true, notes: [] }),
    close: async () => undefined,
  }
  const recorded = dialogueRegister({ register: recalling(far, { ...RING, nowMs: host.clock.now }), limits })
  const own: DialogueRegister = {
    ...recorded,
    recall: (key, nowMs) => frozen(recorded.recall!(key, nowMs)),
    read: async (where, how) => frozen(await recorded.read(where, how)),
    write: (where, write) => recorded.write(where, frozen(write)),
  }
  const random = (octets: number) => Uint8Array.from({ length: octets }, () => Math.floor(chance() * 256))
  const dialogues = createDialogues({ register: own, limits, random })
  return {
    ...dialogues,
    async open(taking, atOnce) {
      const own = { taking, isServed: false, isGivenUp: false }
      opening.set(taking.token, own)
      try {
        return await dialogues.open(taking, atOnce)
      } catch (error) {
        own.isGivenUp = true
        if (!own.isServed) unwritten.add(begin(taking))
        throw error
      }
    },
    async bury(taking, untilMs, nowMs) {
      const is = await dialogues.bury(taking, untilMs, nowMs)
      unwritten.delete(begin(taking))
      return is
    },
  }
}

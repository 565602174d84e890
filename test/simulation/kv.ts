/**
 * The dialogue store of all daemons: the store in memory, which outlives them, behind a way that is like the weather.
 */
import type { DialogueStore, Taking } from '../../src/dialogue/types.ts'
import { StoreError } from '../../src/base/errors.ts'
import type { Chance } from '../../src/ussd/vocabulary.ts'
import type { Host } from './host.ts'
import type { Scheduler } from './scheduler.ts'
import { wire, type Wire } from './wire.ts'

/** commandTimeout of src/store/redis/connection.ts. */
const TIMEOUT_MS = 500

export function kvWire(scheduler: Scheduler, chance: Chance): Wire {
  return wire(scheduler, chance, {
    name: 'kv',
    timeoutMs: TIMEOUT_MS,
    isOrdered: true,
    failure: (why) => new StoreError('down', `the store: ${why}`),
  })
}

/**
 * Begins that met no store, until they are written down, and those that it carried out after that was said: `<msisdn>
 * <number>`.
 */
export type Unwritten = Set<string>

/** The store as one daemon has it. */
export function kvOf(store: DialogueStore, way: Wire, host: Host, unwritten: Unwritten): DialogueStore {
  const begin = ({ key, network }: Taking) => `${key.msisdn} ${network}`
  const ask = <T>(what: string, serve: () => Promise<T>) => way.ask(host, what, serve)
  return {
    async open(taking) {
      let [isServed, isGivenUp] = [false, false]
      try {
        return await ask('open', () => {
          isServed = true
          if (isGivenUp) unwritten.add(`${begin(taking)} late`)
          return store.open(taking)
        })
      } catch (error) {
        isGivenUp = true
        if (!isServed) unwritten.add(begin(taking))
        throw error
      }
    },
    bury: (taking, untilMs, nowMs) =>
      ask('bury', async () => {
        unwritten.delete(begin(taking))
        return store.bury(taking, untilMs, nowMs)
      }),
    take: (taking) => ask('take', () => store.take(taking)),
    rest: (resting) => ask('rest', () => store.rest(resting)),
    confirm: (key, epoch, turn) =>
      void ask('confirm', async () => store.confirm(key, epoch, turn)).catch(() => undefined), // losing it costs one more send
    renew: (key, epoch, token, leaseUntilMs) => ask('renew', () => store.renew(key, epoch, token, leaseUntilMs)),
    drop: (key, which, reason, nowMs) => ask('drop', () => store.drop(key, which, reason, nowMs)),
    overdue: (nowMs, limit, token, leaseUntilMs) =>
      ask('overdue', () => store.overdue(nowMs, limit, token, leaseUntilMs)),
    find: (key) => ask('find', () => store.find(key)),
    count: () => ask('count', () => store.count()),
    census: (limit) => ask('census', () => store.census(limit)),
    erase: (msisdn) => ask('erase', () => store.erase(msisdn)),
    check: async () => ({ durable: true, notes: [] }),
    close: async () => undefined,
  }
}

/**
 * A register in Redis: one round trip per call. It is made for several daemons on one Redis, or on a Redis Cluster:
 * `prefix:{b<0…63>}:<letter>:<group>:<msisdn>` is a value; `prefix:{b<n>}:<index>` holds the deadlines of its bucket.
 */
import { Redis } from 'ioredis'
import { bucketOf, type StoreFault } from '../../dialogue/index.ts'
import { StoreError } from '../../base/index.ts'
import type { RecordsKept, Register } from '../register.ts'
import { asStoreError } from './connection.ts'
import { loopTurn } from './gathered.ts'
import { scriptByHash, type WordsCall } from './octets.ts'
import {
  checkRedis,
  connectedTo,
  countDue,
  eraseAll,
  indexKeys,
  listDue,
  listOpen,
  type WholeIndex,
  redisTime,
} from './keyspace.ts'
import { recordsBound, storedRecords } from './records.ts'
import { SCRIPTS, type ScriptName } from './scripts.ts'
import type { Client } from './servers.ts'
import { askedAgain, turnCalls } from './turn-calls.ts'

export interface RedisRegisterOptions {
  /** Its owner listens for errors and closes it. */
  client: Client
  /** The prefix of all keys. Daemons that serve the same subscribers have the same. */
  prefix: string
  /** The letter of the keys, and the name of the index. */
  kind: { letter: string; index: string }
  /** The most values. */
  max?: { count: number; what: string } | undefined
  /** Absent: no call detail records are stored with values. */
  records?: RecordsKept | undefined
  onFault?: ((fault: StoreFault) => void) | undefined
}

/** The letter of values that were put aside. */
const ASIDE = 'q'

export function redisRegister(options: RedisRegisterOptions): Register {
  const { client, prefix, kind } = options
  const command = define(client)
  const out = loopTurn(client)
  const { cork } = out
  const keys = keysOf(prefix, kind)
  const whole = client instanceof Redis ? wholeIndex(command) : undefined
  const indexes = indexKeys(prefix, kind.index)
  let closed = false

  const refusal = () => (closed ? new StoreError('down', 'the dialogue store is closed') : undefined)
  const ask = async <T>(call: string, work: () => Promise<T>): Promise<T> => {
    const refused = refusal()
    if (refused) throw refused
    try {
      cork()
      return await work()
    } catch (error) {
      // The caller counts it: it knows the purpose of the call.
      throw asStoreError(call, error)
    }
  }
  const scripts = { write: wordsCall(client, command, 'write'), settle: wordsCall(client, command, 'settle') }
  const bound = options.records && recordsBound(options.records.max)
  const turns = turnCalls(options, { scripts, keys, out, refusal, bound })
  return {
    read: turns.read,
    write: turns.write,
    settle(slot, turn, dueMs) {
      if (!closed) turns.settle(slot, turn, dueMs)
    },
    touch: ({ name, former }, version, dueMs, dueByMs) =>
      ask('touch', async () => {
        const at = async (one: string) =>
          (await command.touch(2, ...keys.both(one), version ?? '', dueMs ?? '', one, dueByMs ?? '')) === 1
        return (await askedAgain(() => at(name))) || (former !== undefined && at(former))
      }),
    due: (nowMs, limit) => ask('due', () => askedAgain(() => listDue(client, indexes, { nowMs, limit }, whole))),
    count: () => ask('count', () => askedAgain(() => countDue(client, indexes, whole))),
    names: (limit) => names(client, prefix, kind.index, limit),
    putAside: ({ name }, { value, at }) =>
      ask('put aside', async () => {
        await command.putAside(3, ...keys.both(at), keys.aside(name), value, at)
      }),
    erase: (msisdn, hidden) =>
      ask('erase', () => eraseAll(client, prefix, msisdn, { hidden, letters: kind.letter + ASIDE, index: kind.index })),
    check: () => ask('check', () => checkRedis(client, prefix)),
    time: () => ask('time', () => redisTime(client)),
    nodes: () => connectedTo(client),
    ...(bound ? { records: storedRecords(client, keys.records, { ask, max: options.records!.max, bound }) } : {}),
    async close() {
      turns.flush()
      closed = true
    },
  }
}

/** A script that runs in each turn. */
function wordsCall(client: Client, command: Record<ScriptName, ScriptCall>, name: ScriptName): WordsCall {
  const inFull: WordsCall = (keys, args) => command[name](keys.length, ...keys, ...args)
  return client instanceof Redis ? scriptByHash(client, SCRIPTS[name], inFull) : inFull
}

function wholeIndex(command: Record<ScriptName, ScriptCall>): WholeIndex {
  return {
    due: async (keys, nowMs, limit) => (await command.due(keys.length, ...keys, nowMs, limit)) as string[],
    count: async (keys) => (await command.count(keys.length, ...keys)) as number,
  }
}

export type RedisKeys = ReturnType<typeof keysOf>

function keysOf(prefix: string, { letter, index }: RedisRegisterOptions['kind']) {
  const values = indexKeys(prefix, `${letter}:`)
  const asides = indexKeys(prefix, `${ASIDE}:`)
  const indexes = indexKeys(prefix, index)
  const records = indexKeys(prefix, 'cdr')
  const valueIn = (bucket: number, name: string) => values[bucket]! + name
  return {
    valueIn,
    value: (name: string) => valueIn(bucketOf(name), name),
    aside: (name: string) => asides[bucketOf(name)]! + name,
    index: (bucket: number) => indexes[bucket]!,
    records: (bucket: number) => records[bucket]!,
    both(name: string): [value: string, index: string] {
      const bucket = bucketOf(name)
      return [valueIn(bucket, name), indexes[bucket]!]
    },
  }
}

async function* names(client: Client, prefix: string, index: string, limit: number): AsyncIterable<string[]> {
  try {
    yield* listOpen(client, prefix, index, limit)
  } catch (error) {
    throw asStoreError('names', error)
  }
}

type ScriptCall = (keys: number, ...args: (string | number)[]) => Promise<unknown>

/**
 * The scripts as commands of the client: sent in full once per connection, then by their hash; also after SCRIPT FLUSH.
 */
function define(client: Client): Record<ScriptName, ScriptCall> {
  const commands: Partial<Record<ScriptName, ScriptCall>> = {}
  for (const [name, lua] of Object.entries(SCRIPTS) as [ScriptName, string][]) {
    const as = `ussd:${name}`
    client.defineCommand(as, { lua })
    // ioredis attaches it to the client under its name, which the types cannot know.
    const command = (client as unknown as Record<string, ScriptCall>)[as]!
    commands[name] = (...args) => command.apply(client, args)
  }
  return commands as Record<ScriptName, ScriptCall>
}

/**
 * A register in Redis: one round trip a call. Made for several daemons on one Redis, or on a Redis Cluster:
 * `prefix:{b<0…63>}:<letter>:<group>:<msisdn>` is a value, `prefix:{b<n>}:<index>` the deadlines of its bucket.
 */
import { Redis } from 'ioredis'
import { bucketOf, BUCKETS, type StoreFault } from '../../dialogue/index.ts'
import { StoreError } from '../../base/index.ts'
import type { Change, Register, ValueSlot, Stored } from '../register.ts'
import { asStoreError, gather, isWrongType } from './connection.ts'
import { checkRedis, connectedTo, countDue, eraseAll, listDue, listOpen, type WholeIndex } from './keyspace.ts'
import { SCRIPTS, type ScriptName } from './scripts.ts'
import type { Client } from './servers.ts'

export interface RedisRegisterOptions {
  /** Listened to for errors and closed by whoever made it. */
  client: Client
  /** Of all keys; daemons that serve the same subscribers have the same. */
  prefix: string
  /** Letter of the keys, and name of the index. */
  kind: { letter: string; index: string }
  /** How many there may be. */
  max?: { count: number; what: string } | undefined
  onFault?: ((fault: StoreFault) => void) | undefined
}

/** Settlings in one script: Redis serves nobody else meanwhile. */
const SETTLES_MAX = 100
/** Letter of what was put aside. */
const ASIDE = 'q'

export function redisRegister(options: RedisRegisterOptions): Register {
  const { client, prefix, kind, onFault } = options
  const command = define(client)
  const cork = gather(client)
  const keys = keysOf(prefix, kind)
  const whole = client instanceof Redis ? wholeIndex(command) : undefined
  let [closed, start] = [false, 0]

  const ask = async <T>(call: string, work: () => Promise<T>): Promise<T> => {
    if (closed) throw new StoreError('down', 'the dialogue store is closed')
    try {
      cork()
      return await work()
    } catch (error) {
      // The caller's to count: it knows what it was for.
      throw asStoreError(call, error)
    }
  }
  const settles = batch(client instanceof Redis, (all, args) => {
    if (closed) return
    cork()
    command.settle(all.length, ...all, ...args).catch(() => onFault?.('down'))
  })
  return {
    read: ({ name, former }) =>
      ask('read', async () => {
        const found = await get(client, keys.value(name), name)
        return found ?? (former === undefined ? null : get(client, keys.value(former), former))
      }),
    write: (slot, change) => ask('write', () => write(command, keys, options.max, slot, change)),
    settle({ name }, turn, dueMs) {
      if (!closed) settles.add(bucketOf(name), keys.both(name), [turn, name, dueMs ?? ''])
    },
    touch: ({ name, former }, version, dueMs, dueByMs) =>
      ask('touch', async () => {
        const at = async (one: string) =>
          (await command.touch(2, ...keys.both(one), version ?? '', dueMs ?? '', one, dueByMs ?? '')) === 1
        return (await at(name)) || (former !== undefined && at(former))
      }),
    due: (nowMs, limit) => {
      // Another bucket comes first each time: a flood in one does not starve the others.
      start = (start + 1) % BUCKETS
      return ask('due', () => listDue(client, prefix, { nowMs, limit, start, index: kind.index }, whole))
    },
    count: () => ask('count', () => countDue(client, prefix, kind.index, whole)),
    names: (limit) => names(client, prefix, kind.index, limit),
    putAside: ({ name }, { value, at }) =>
      ask('put aside', async () => {
        await command.putAside(3, ...keys.both(at), keys.aside(name), value, at)
      }),
    erase: (msisdn, hidden) =>
      ask('erase', () => eraseAll(client, prefix, msisdn, { hidden, letters: kind.letter + ASIDE, index: kind.index })),
    check: () => ask('check', () => checkRedis(client, prefix)),
    nodes: () => connectedTo(client),
    async close() {
      settles.flush()
      closed = true
    },
  }
}

function wholeIndex(command: Record<ScriptName, Command>): WholeIndex {
  return {
    due: async (keys, nowMs, limit) => (await command.due(keys.length, ...keys, nowMs, limit)) as string[],
    count: async (keys) => (await command.count(keys.length, ...keys)) as number,
  }
}

function keysOf(prefix: string, { letter, index }: RedisRegisterOptions['kind']) {
  const at = (name: string) => `${prefix}:{b${bucketOf(name)}}`
  return {
    value: (name: string) => `${at(name)}:${letter}:${name}`,
    aside: (name: string) => `${at(name)}:${ASIDE}:${name}`,
    both(name: string) {
      const bucket = at(name)
      return [`${bucket}:${letter}:${name}`, `${bucket}:${index}`]
    },
  }
}

/** What is no string at all reads as ''. */
async function get(client: Client, key: string, at: string): Promise<Stored | null> {
  try {
    const value = await client.get(key)
    return value === null ? null : { value, at }
  } catch (error) {
    if (isWrongType(error)) return { value: '', at }
    throw error
  }
}

async function write(
  command: Record<ScriptName, Command>,
  keys: ReturnType<typeof keysOf>,
  max: RedisRegisterOptions['max'],
  { name }: ValueSlot,
  { from, value, dueMs, nowMs, untilMs, dueByMs }: Change,
): Promise<boolean> {
  const all = from === null || from.at === name ? keys.both(name) : [...keys.both(name), keys.value(from.at)]
  const answer = await command.write(
    all.length,
    ...all,
    from?.version ?? '',
    value ?? '',
    Math.max(1, Math.ceil(untilMs - nowMs)),
    name,
    dueMs === undefined ? '=' : (dueMs ?? ''),
    dueByMs ?? '',
    from?.at ?? '',
    max ? Math.max(1, Math.ceil(max.count / BUCKETS)) : '',
  )
  if (answer === 2) throw new StoreError('too-large', max!.what)
  return answer === 1
}

async function* names(client: Client, prefix: string, index: string, limit: number): AsyncIterable<string[]> {
  try {
    yield* listOpen(client, prefix, index, limit)
  } catch (error) {
    throw asStoreError('names', error)
  }
}

type Command = (keys: number, ...args: (string | number)[]) => Promise<unknown>

/** The scripts as commands of the client: in full once a connection, then by their hash; also after SCRIPT FLUSH. */
function define(client: Client): Record<ScriptName, Command> {
  const commands: Partial<Record<ScriptName, Command>> = {}
  for (const [name, lua] of Object.entries(SCRIPTS) as [ScriptName, string][]) {
    const as = `ussd:${name}`
    client.defineCommand(as, { lua })
    // ioredis hangs it on the client under its name, which the types cannot know.
    const command = (client as unknown as Record<string, Command>)[as]!
    commands[name] = (...args) => command.apply(client, args)
  }
  return commands as Record<ScriptName, Command>
}

/** Collects until the event loop comes round. In a Cluster a script may touch one bucket only. */
function batch(together: boolean, send: (keys: string[], args: (string | number)[]) => void) {
  let waiting = new Map<number, { keys: string[]; args: (string | number)[] }>()
  let scheduled = false
  const flush = () => {
    const ready = waiting
    waiting = new Map()
    scheduled = false
    for (const { keys, args } of ready.values()) send(keys, args)
  }
  return {
    flush,
    add(bucket: number, keys: string[], args: (string | number)[]) {
      const at = together ? 0 : bucket
      const found = waiting.get(at) ?? { keys: [], args: [] }
      waiting.set(at, found)
      found.keys.push(...keys)
      found.args.push(...args)
      if (found.keys.length >= 2 * SETTLES_MAX) flush()
      else if (!scheduled) scheduled = Boolean(setImmediate(flush))
    },
  }
}

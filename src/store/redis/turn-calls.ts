/** What a turn asks of Redis: a read, a write and, after its reply was accepted, a settling. */
import { Redis } from 'ioredis'
import { bucketOf } from '../../dialogue/index.ts'
import { StoreError } from '../../base/index.ts'
import type { Change, Register, Stored, ValueSlot } from '../register.ts'
import { asStoreError, isTimeout, isWrongType } from './connection.ts'
import { gathered, type LoopTurn } from './gathered.ts'
import { perBucket } from './keyspace.ts'
import { askedAtOnce, type WordsCall } from './octets.ts'
import type { RedisKeys, RedisRegisterOptions } from './register.ts'
import { WRITE_KEYS, type ScriptName } from './scripts.ts'
import { REDIS_OPTIONS, type Client } from './servers.ts'

interface TurnCallsDeps {
  scripts: Record<Extract<ScriptName, 'write' | 'settle'>, WordsCall>
  keys: RedisKeys
  out: LoopTurn
  /** Why nothing is asked any more. */
  refusal(): StoreError | undefined
}

export interface TurnCalls extends Pick<Register, 'read' | 'write' | 'settle'> {
  /** Sends the settlings that wait. */
  flush(): void
}

/**
 * If a timeout is reported this much too late, our event loop stood still, and the answer may already be here, unread.
 * So a read is asked once more. A write may have been done, so it is looked up instead (decider.ts).
 */
const LOOP_LATE_MS = 250

async function again<T>(ask: () => Promise<T>): Promise<T> {
  const askedMs = performance.now()
  try {
    return await ask()
  } catch (error) {
    const lateMs = performance.now() - askedMs - REDIS_OPTIONS.commandTimeout
    if (lateMs < LOOP_LATE_MS || !isTimeout(error)) throw error
    return ask()
  }
}

/** The most settlings in one script: Redis serves nobody else during it. */
const SETTLES_MAX = 100
/** How many names of `odd` are remembered. A few are enough: after a refused write, the caller reads again at once. */
const ODD_MAX = 1_000

/** `read` and `write` each cost only one promise. */
export function turnCalls(options: RedisRegisterOptions, deps: TurnCallsDeps): TurnCalls {
  const { client, max, onFault, records } = options
  const { scripts, keys, out, refusal } = deps
  const { get, alone } = reader(client, keys, out)
  /** Names whose value may not be a string: the write was refused although nothing was read. */
  const odd = new Set<string>()
  const write = writer(scripts.write, out, client instanceof Redis)
  const settles = batch(client instanceof Redis, out, (all, args) => {
    scripts.settle(all.length, [...all, ...args]).catch(() => onFault?.('down'))
  })
  const readCarefully = async ({ name, former }: ValueSlot) => {
    const stored = await (odd.delete(name) ? alone(name) : get(name))
    return stored ?? (former === undefined ? null : get(former))
  }
  return {
    read(slot) {
      const refused = refusal()
      if (refused) return Promise.reject(refused)
      return odd.size > 0 || slot.former !== undefined ? readCarefully(slot) : get(slot.name)
    },
    write(slot, change) {
      const refused = refusal()
      if (refused) return Promise.reject(refused)
      return write(
        writeOf({ keys, ...options }, slot, change, (answer) => {
          if (answer === UNKEPT) records?.onFull(change.records?.length ?? 0)
          if (answer === FULL) return new StoreError('too-large', max!.what)
          if (answer === REFUSED && change.from === null && odd.size < ODD_MAX) odd.add(slot.name)
          return answer === WRITTEN || answer === UNKEPT
        }),
      )
    },
    settle({ name }, turn, dueMs) {
      settles.add(bucketOf(name), keys.both(name), [turn, name, String(dueMs ?? '')])
    },
    flush: () => settles.flush(),
  }
}

/** What the script of writes returns for each. */
const REFUSED = 0
const WRITTEN = 1
const FULL = 2
const UNKEPT = 3

/**
 * The value of a name; a value that is not a string reads as ''. The reads of one loop turn are one MGET; not in a
 * Cluster, where the keys of one command must be in one slot. MGET skips what is not a string: `alone` finds it.
 */
function reader(client: Client, keys: RedisKeys, out: LoopTurn) {
  const one = (name: string) =>
    client.get(keys.value(name)).catch((error: unknown) => {
      if (isWrongType(error)) return ''
      throw error
    })
  const all = async (names: string[]) =>
    names.length === 1 || !(client instanceof Redis)
      ? [await one(names[0]!)]
      : askedAtOnce(client, names.map(keys.value))
  const asked = async (names: string[]): Promise<(Stored | null)[]> => {
    try {
      const values = await again(() => all(names))
      return values.map((value, i) => (value === null ? null : { value, at: names[i]! }))
    } catch (error) {
      throw asStoreError('read', error)
    }
  }
  const alone = async (name: string) => {
    out.cork()
    return (await asked([name]))[0]!
  }
  return { get: client instanceof Redis ? gathered(out, asked) : alone, alone }
}

interface OneWrite {
  keys: readonly string[]
  args: readonly string[]
  /** What the script's answer means. */
  read(answer: number): boolean | StoreError
}

/**
 * The writes of one loop turn are one script. In a Cluster each write is its own script, because a script may touch
 * only one bucket.
 */
function writer(script: WordsCall, out: LoopTurn, together: boolean): (one: OneWrite) => Promise<boolean> {
  const send = async (all: OneWrite[]): Promise<(boolean | StoreError)[]> => {
    const words: string[] = []
    for (const { keys } of all) words.push(...keys)
    for (const { args } of all) words.push(...args)
    try {
      const answers = (await script(all.length * WRITE_KEYS, words)) as number[]
      return all.map(({ read }, i) => read(answers[i]!))
    } catch (error) {
      throw asStoreError('write', error)
    }
  }
  if (together) return gathered<OneWrite, boolean>(out, send)
  return async (one) => {
    out.cork()
    const [written] = await send([one])
    if (written instanceof Error) throw written
    return written!
  }
}

function writeOf(
  { keys, max, records: kept }: { keys: RedisKeys } & Pick<RedisRegisterOptions, 'max' | 'records'>,
  { name }: ValueSlot,
  { from, value, dueMs, nowMs, untilMs, dueByMs, records }: Change,
  read: OneWrite['read'],
): OneWrite {
  const [key, index] = keys.both(name)
  const at = from === null || from.at === name ? key : keys.value(from.at)
  return {
    read,
    keys: [key, index, at, keys.records(bucketOf(name))],
    args: [
      from?.version ?? '',
      value ?? '',
      String(Math.max(1, Math.ceil(untilMs - nowMs))),
      name,
      dueMs === undefined ? '=' : String(dueMs ?? ''),
      String(dueByMs ?? ''),
      from?.at ?? '',
      max ? String(perBucket(max.count)) : '',
      records && kept ? records.map(({ field, text }) => `${field} ${text}`).join('\n') : '',
      records && kept ? String(perBucket(kept.max)) : '',
    ],
  }
}

/** Collects until the loop turn ends. In a Cluster a script may touch only one bucket. */
function batch(together: boolean, out: LoopTurn, send: (keys: string[], args: string[]) => void) {
  let waiting = new Map<number, { keys: string[]; args: string[] }>()
  const flush = () => {
    const ready = waiting
    waiting = new Map()
    for (const { keys, args } of ready.values()) send(keys, args)
  }
  return {
    flush,
    add(bucket: number, keys: string[], args: string[]) {
      const at = together ? 0 : bucket
      const found = waiting.get(at) ?? { keys: [], args: [] }
      waiting.set(at, found)
      found.keys.push(...keys)
      found.args.push(...args)
      if (found.keys.length >= 2 * SETTLES_MAX) flush()
      else out.atEnd(flush)
    },
  }
}

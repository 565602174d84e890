/** What a turn asks of Redis: a read, a write and, after its reply was accepted, a settling. */
import { Redis } from 'ioredis'
import { bucketOf } from '../../dialogue/index.ts'
import { StoreError } from '../../base/index.ts'
import type { Change, Register, Stored, StoredRecord, ValueSlot } from '../register.ts'
import { asStoreError, isTimeout, isWrongType } from './connection.ts'
import { gathered, type LoopTurn } from './gathered.ts'
import { perBucket } from './keyspace.ts'
import { askedAtOnce, type WordsCall } from './octets.ts'
import type { RecordsBound } from './records.ts'
import type { RedisKeys, RedisRegisterOptions } from './register.ts'
import type { ScriptName } from './scripts.ts'
import { REDIS_OPTIONS, type Client } from './servers.ts'

interface TurnCallsDeps {
  scripts: Record<Extract<ScriptName, 'write' | 'settle'>, WordsCall>
  keys: RedisKeys
  out: LoopTurn
  /** Why nothing is asked any more. */
  refusal(): StoreError | undefined
  /** Undefined: no records are kept. */
  bound: RecordsBound | undefined
}

export interface TurnCalls extends Pick<Register, 'read' | 'write' | 'settle'> {
  /** Sends the settlings that wait. */
  flush(): void
}

/**
 * If a timeout is reported this much too late, our event loop stood still, and the answer may already be here, unread.
 * So a read, or a lease that is held on to, is asked for once more. A write may have been done, so it is looked up
 * instead (decider.ts).
 */
const LOOP_LATE_MS = 250

/** For what may be done twice. */
export async function askedAgain<T>(ask: () => Promise<T>): Promise<T> {
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
  const { scripts, keys, out, refusal, bound } = deps
  const { get, alone } = reader(client, keys, out)
  /** Names whose value may not be a string: the write was refused although nothing was read. */
  const odd = new Set<string>()
  const written = ({ slot, change }: OneWrite, answer: number) => {
    if (answer === UNKEPT) records?.onFull(change.records?.length ?? 0)
    else if (answer === WRITTEN && change.records) bound?.kept(change.records.length)
    if (answer === FULL) return new StoreError('too-large', max!.what)
    if (answer === REFUSED && change.from === null && odd.size < ODD_MAX) odd.add(slot.name)
    return answer === WRITTEN || answer === UNKEPT
  }
  const words = { keys, valuesMax: max && perBucket(max.count), bound }
  const write = writer(scripts.write, words, written, { out, together: client instanceof Redis })
  const settles = batch(client instanceof Redis, out, (all, args) => {
    scripts.settle(all, args).catch(() => onFault?.('down'))
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
      return write({ slot, change })
    },
    settle({ name }, turn, dueMs) {
      const bucket = bucketOf(name)
      const { keys: all, args } = settles.in(bucket)
      all.push(keys.valueIn(bucket, name), keys.index(bucket))
      args.push(turn, name, String(dueMs ?? ''))
      settles.added(all.length)
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
      const values = await askedAgain(() => all(names))
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
  slot: ValueSlot
  change: Change
}

/** Whether it is written, by what the script answered. */
type Judge = (one: OneWrite, answer: number) => boolean | StoreError

/**
 * The writes of one loop turn are one script. In a Cluster each write is its own script, because a script may touch
 * only one bucket.
 */
function writer(
  script: WordsCall,
  how: WriteWords,
  judge: Judge,
  { out, together }: { out: LoopTurn; together: boolean },
): (one: OneWrite) => Promise<boolean> {
  const send = async (all: OneWrite[]): Promise<(boolean | StoreError)[]> => {
    const keys: string[] = []
    const args: string[] = []
    for (const one of all) {
      keysInto(keys, how, one)
      argsInto(args, how, one)
    }
    for (const { change } of all) for (const { field, text } of keptWith(how, change)) args.push(field, text)
    try {
      const answers = (await script(keys, args)) as number[]
      return all.map((one, i) => judge(one, answers[i]!))
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

/** What the words of a write are made with, beside the write. Undefined: no bound. */
interface WriteWords {
  keys: RedisKeys
  valuesMax: number | undefined
  bound: RecordsBound | undefined
}

/** All words of one script go into one list: a turn makes none of its own. */
function keysInto(words: string[], { keys }: WriteWords, { slot: { name }, change: { from } }: OneWrite): void {
  const bucket = bucketOf(name)
  const key = keys.valueIn(bucket, name)
  const at = from === null || from.at === name ? key : keys.value(from.at)
  words.push(key, keys.index(bucket), at, keys.records(bucket))
}

function argsInto(words: string[], how: WriteWords, { slot: { name }, change }: OneWrite): void {
  const { from, value, dueMs, nowMs, untilMs, dueByMs } = change
  const kept = keptWith(how, change).length
  words.push(
    from?.version ?? '',
    value ?? '',
    String(Math.max(1, Math.ceil(untilMs - nowMs))),
    name,
    dueMs === undefined ? '=' : String(dueMs ?? ''),
    String(dueByMs ?? ''),
    from?.at ?? '',
    String(how.valuesMax ?? ''),
    kept ? String(kept) : '',
    kept ? String(how.bound?.ofBucket() ?? '') : '',
  )
}

const NONE: readonly StoredRecord[] = []

/** The records that are stored with it. */
function keptWith({ bound }: WriteWords, { records }: Change): readonly StoredRecord[] {
  return (bound && records) ?? NONE
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
    /** Where the words for a bucket are collected. */
    in(bucket: number) {
      const at = together ? 0 : bucket
      const found = waiting.get(at)
      if (found) return found
      const begun = { keys: [], args: [] }
      waiting.set(at, begun)
      return begun as { keys: string[]; args: string[] }
    },
    /** So many keys wait there now. */
    added(keys: number) {
      if (keys >= 2 * SETTLES_MAX) flush()
      else out.atEnd(flush)
    },
  }
}

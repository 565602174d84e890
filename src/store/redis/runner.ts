/** Runs the scripts of redis-scripts.ts on a client, and puts aside what does not read. */
import { Redis } from 'ioredis'
import { bucketOf, type DialogueLimits, type StoreFault } from '../../dialogue/index.ts'
import { StoreError, type Log } from '../../base/index.ts'
import { asStoreError, gather, isWrongType } from './connection.ts'
import type { Client } from './servers.ts'
import { scripts, type ScriptName } from './scripts.ts'
import type { SealPlace } from '../seal.ts'
import { isNewer } from './record.ts'

export interface RunnerDeps {
  client: Client
  prefix: string
  limits: DialogueLimits
  onFault: (fault: StoreFault) => void
  log: Log
  /** Which form of a record it writes. */
  form: '1' | '2'
}

export interface Runner {
  /** One script on one dialogue. Rejects with StoreError. */
  run(
    script: Exclude<ScriptName, 'confirm' | 'putAside'>,
    place: SealPlace,
    args: (string | number)[],
  ): Promise<unknown>
  get(place: SealPlace): Promise<string | null>
  /** Any other work with the client; its failures become StoreErrors. */
  ask<T>(call: string, work: () => Promise<T>): Promise<T>
  /**
   * Goes out with all other confirmations of this loop turn. Where a dialogue still has its former name, it costs one
   * resend.
   */
  confirm(name: string, epoch: string, turn: number): void
  putAside(place: SealPlace, stored: string, why?: StoreError): Promise<void>
  /** Puts aside, but for what a later release wrote, and answers the error to throw. */
  corrupt(place: SealPlace, stored: string, why?: StoreError): Promise<StoreError>
  /** Counts a value that does not read here, and leaves it: another daemon may have its key, or it is gone already. */
  leave(why: StoreError): void
  /** False: it was closed before. */
  close(): boolean
}

/** Confirmations in one script: Redis serves nobody else meanwhile. */
const CONFIRMS_MAX = 100

function recordKey(prefix: string, name: string): string {
  return `${prefix}:{b${bucketOf(name)}}:d:${name}`
}

export function dueKey(prefix: string, bucket: number): string {
  return `${prefix}:{b${bucket}}:due`
}

/** Where a value goes that does not read. */
function asideKey(prefix: string, name: string): string {
  return `${prefix}:{b${bucketOf(name)}}:q:${name}`
}

export function createRunner({ client, prefix, limits, onFault, log, form }: RunnerDeps): Runner {
  const command = define(client, scripts(limits, form))
  const cork = gather(client)
  let closed = false

  const keysOf = (name: string) => [recordKey(prefix, name), dueKey(prefix, bucketOf(name))]
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
  const formerOf = ({ former }: SealPlace) => (former === undefined ? [] : [recordKey(prefix, former)])
  const told = (why: StoreError, where: { bucket?: number } = {}) => {
    onFault(why.code === 'sealed' || why.code === 'unsealed' || why.code === 'newer' ? why.code : 'corrupt')
    log.error({ ...where, why: why.message }, 'a dialogue record in Redis cannot be read')
  }
  const putAside = async (place: SealPlace, stored: string, why = UNREADABLE()) => {
    const keys = [...keysOf(place.name), asideKey(prefix, place.name), ...formerOf(place)]
    told(why, { bucket: bucketOf(place.name) })
    await ask('put aside', () => command.putAside(keys.length, ...keys, stored))
  }
  const corrupt = async (place: SealPlace, stored: string, why?: StoreError) => {
    const reason = why ?? (isNewer(stored) ? NEWER() : UNREADABLE())
    if (reason.code === 'newer') told(reason, { bucket: bucketOf(place.name) })
    else await putAside(place, stored, reason)
    return reason
  }
  const confirmations = batch(client instanceof Redis, (keys, args) => {
    if (closed) return
    cork()
    command.confirm(keys.length, ...keys, ...args).catch(() => onFault('down'))
  })
  return {
    ask,
    putAside,
    corrupt,
    leave: told,
    run(script, place, args) {
      const keys = [...keysOf(place.name), ...formerOf(place)]
      return ask(script, () => command[script](keys.length, ...keys, ...args).catch(asCorrupt))
    },
    get: (place) =>
      ask('find', async () => {
        const read = (key: string) => client.get(key).catch((error) => asCorrupt(error)[1])
        const found = await read(recordKey(prefix, place.name))
        return found === null && place.former !== undefined ? read(recordKey(prefix, place.former)) : found
      }),
    confirm(name, epoch, turn) {
      if (!closed) confirmations.add(bucketOf(name), keysOf(name), [epoch, turn])
    },
    close() {
      confirmations.flush()
      const first = !closed
      closed = true
      return first
    },
  }
}

const NEWER = () =>
  new StoreError('newer', 'a dialogue in Redis is of a later release, which serves it: replace this daemon, too')

const UNREADABLE = () => new StoreError('corrupt', 'a dialogue record in Redis cannot be read and was put aside')

type Command = (keys: number, ...args: (string | number)[]) => Promise<unknown>

/** The scripts as commands of the client: in full once a connection, then by their hash; also after SCRIPT FLUSH. */
function define(client: Client, all: Record<ScriptName, string>): Record<ScriptName, Command> {
  const commands: Partial<Record<ScriptName, Command>> = {}
  for (const [name, lua] of Object.entries(all) as [ScriptName, string][]) {
    const as = `ussd:${name}:${++defined}`
    client.defineCommand(as, { lua })
    // ioredis hangs it on the client under its name, which the types cannot know.
    const command = (client as unknown as Record<string, Command>)[as]!
    commands[name] = (...args) => command.apply(client, args)
  }
  return commands as Record<ScriptName, Command>
}

/** What a script would answer if it could have read the value at all. */
function asCorrupt(error: unknown): [string, string] {
  if (isWrongType(error)) return ['corrupt', '']
  throw error
}

/** Two stores with other limits may be on one client. */
let defined = 0

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
      if (found.keys.length >= 2 * CONFIRMS_MAX) flush()
      else if (!scheduled) scheduled = Boolean(setImmediate(flush))
    },
  }
}

/**
 * The dialogue store in Redis: one script a call, so one round trip. Made for several daemons on one Redis, or on a
 * Redis Cluster: `prefix:{b<0…63>}:d:<group>:<msisdn>` is a record, `prefix:{b<n>}:due` the deadlines of its bucket.
 */
import { keepMs, refuseTooLarge, writeSnapshot } from '../dialogue/entry.ts'
import { BUCKETS, keyOf, nameOf } from '../dialogue/key.ts'
import type { Seizing } from '../dialogue/outcome.ts'
import type {
  DialogueKey, DialogueLimits, DialogueStore, Overdue, Resting, StoreFault, Taken, Taking,
} from '../dialogue/types.ts'
import { StoreError } from '../errors.ts'
import { silentLog, type Log } from '../log-port.ts'
import { connect, type Client } from './redis-connection.ts'
import { checkRedis, countDue, eraseAll, listDue } from './redis-keyspace.ts'
import { createRunner, type Runner } from './redis-runner.ts'
import {
  KIND, readRecord, word, wordOrNone, writeOpenHead, writePath, writeReply, type Stored,
} from './redis-record.ts'

export type RedisDialoguesOptions = {
  /** Of all keys; daemons that serve the same dialogues have the same. Default 'ussd'. */
  prefix?: string
  limits: DialogueLimits
  log?: Log
  onFault?: (fault: StoreFault) => void
} & (
  | { url: string; client?: undefined }
  /** Yours: made with REDIS_OPTIONS (a Cluster: as its redisOptions), listened to for errors and closed by you. */
  | { client: Client; url?: undefined }
)

/** Resolves also while Redis is away: calls reject with StoreError 'down' until it is there; `check` tells. */
export async function redisDialogues(options: RedisDialoguesOptions): Promise<DialogueStore> {
  const { prefix = 'ussd', limits, log = silentLog, onFault = () => undefined } = options
  const client = options.client ?? (await connect(options.url, log))
  const runner = createRunner({ client, prefix, limits, onFault, log })
  let start = 0
  return {
    open: (taking) => open(runner, taking),
    take: (taking) => take(runner, taking),
    rest: (resting) => rest(runner, resting, limits, onFault),
    confirm: (key, epoch, turn) => runner.confirm(nameOf(key), word(epoch), turn),
    async renew(key, epoch, token, leaseUntilMs) {
      return (await runner.run('renew', nameOf(key), [word(epoch), word(token), leaseUntilMs])) === 1
    },
    async drop(key, { epoch, network }, reason, nowMs) {
      const which = [epoch === undefined ? '' : word(epoch), network === undefined ? '' : word(network)]
      const answer = await runner.run('drop', nameOf(key), [nowMs, ...which, reason, keepMs(reason, limits)])
      const [is, stored] = await readable(runner, key, answer)
      return is === 'dropped' ? (await read(runner, key, stored)).record : null
    },
    async overdue(nowMs, limit, token, leaseUntilMs) {
      // Another bucket comes first each time: a flood in one does not starve the others.
      start = (start + 1) % BUCKETS
      const names = await runner.ask('overdue', () => listDue(client, prefix, { nowMs, limit, start }))
      const seized = await Promise.allSettled(names.map((name) => seize(runner, name, { nowMs, token, leaseUntilMs })))
      const failed = seized.find((one) => one.status === 'rejected')
      // What was seized before the failure is this caller's to deal with.
      if (failed && seized.every((one) => one.status === 'rejected')) throw failed.reason
      return seized.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
    },
    async find(key) {
      const stored = await runner.get(nameOf(key))
      return stored === null ? null : (await read(runner, key, stored)).record
    },
    count: () => runner.ask('count', () => countDue(client, prefix)),
    erase: (msisdn) => runner.ask('erase', () => eraseAll(client, prefix, msisdn)),
    check: () => runner.ask('check', () => checkRedis(client)),
    async close() {
      if (!runner.close() || options.client) return
      await client.quit().catch(() => undefined)
      client.disconnect()
    },
  }
}

async function open(runner: Runner, taking: Taking): Promise<Taken> {
  const name = nameOf(taking.key)
  const { nowMs, token, network, code, link, leaseUntilMs } = taking
  const args = [
    nowMs, word(token), word(network), word(code), word(link), leaseUntilMs,
    writeOpenHead(taking), writePath(taking),
  ]
  const answer = (await runner.run('open', name, args)) as Answer
  // What cannot be read is put aside: the subscriber who dials gets a new dialogue.
  if (answer[0] !== 'corrupt') return takenOf(runner, taking.key, answer)
  await runner.putAside(name, answer[1])
  return takenOf(runner, taking.key, (await runner.run('open', name, args)) as Answer)
}

async function take(runner: Runner, taking: Taking): Promise<Taken> {
  const { nowMs, token, network, answer, link, leaseUntilMs, returnPath } = taking
  const args = [
    nowMs, word(token), word(network), KIND[answer.kind], word(answer.text), wordOrNone(answer.step), word(link),
    leaseUntilMs, writePath(taking), wordOrNone(returnPath.beginOp),
  ]
  return takenOf(runner, taking.key, (await runner.run('take', nameOf(taking.key), args)) as Answer)
}

async function rest(
  runner: Runner, resting: Resting, limits: DialogueLimits, onFault: (fault: StoreFault) => void,
): Promise<boolean> {
  const snapshot = writeSnapshot(resting.snapshot)
  refuseTooLarge(snapshot, limits, onFault)
  const { key, nowMs, epoch, token, ended, reply, revision } = resting
  const answer = await runner.run('rest', nameOf(key), [
    nowMs, word(epoch), word(token), ended ?? '-', ended ? keepMs(ended, limits) : 0,
    word(reply.link), wordOrNone(reply.step), `${writeReply(revision, reply.action, reply.text)}\n${snapshot}`,
  ])
  if (typeof answer !== 'number') await readable(runner, key, answer)
  return answer === 1
}

/** What a script answers: what it is, the stored value, whether to send again. */
type Answer = [is: string, stored: string, resend?: number]

async function takenOf(runner: Runner, key: DialogueKey, answer: Answer): Promise<Taken> {
  const [is, stored, resend] = await readable(runner, key, answer)
  if (is === 'unknown') return { is }
  const { record, previous } = await read(runner, key, stored)
  if (is === 'opened') return { is, record, previous }
  if (is === 'repeat') return { is, record, resend: resend === 1 }
  return { is: is === 'next' ? 'next' : 'busy', record }
}

async function seize(runner: Runner, name: string, { nowMs, token, leaseUntilMs }: Seizing): Promise<Overdue[]> {
  const [is, stored] = (await runner.run('seize', name, [nowMs, word(token), leaseUntilMs])) as Answer
  if (is === 'nothing') return []
  const key = keyOf(name)
  try {
    if (is === 'corrupt') throw await runner.corrupt(name, stored)
    const { record, previous } = await read(runner, key, stored)
    if (is === 'abandoned') return [{ is, record, previous, token }]
    return is === 'unconfirmed' || is === 'ended' ? [{ is, record }] : []
  } catch (error) {
    // Counted and put aside; there is nobody to tell.
    if (error instanceof StoreError && error.code === 'corrupt') return []
    throw error
  }
}

/** Passes on what could be read by the script; else puts it aside and throws StoreError 'corrupt'. */
async function readable(runner: Runner, key: DialogueKey, answer: unknown): Promise<Answer> {
  const [is, stored] = answer as Answer
  if (is === 'corrupt') throw await runner.corrupt(nameOf(key), stored)
  return answer as Answer
}

async function read(runner: Runner, key: DialogueKey, stored: string): Promise<Stored> {
  try {
    return readRecord(key, stored)
  } catch {
    throw await runner.corrupt(nameOf(key), stored)
  }
}


/**
 * The dialogue store in Redis: one script a call, so one round trip. Made for several daemons on one Redis, or on a
 * Redis Cluster: `prefix:{b<0…63>}:d:<group>:<msisdn>` is a record, `prefix:{b<n>}:due` the deadlines of its bucket.
 * With a sealer the number in a name is a keyed hash, and what is personal in a record is encrypted.
 */
import {
  tallied,
  keepMs,
  refuseTooLarge,
  writeSnapshot,
  BUCKETS,
  type Seizing,
  type DialogueLimits,
  type DialogueRecord,
  type DialogueStore,
  type Overdue,
  type Resting,
  type StoreFault,
  type TakeResult,
  type Taking,
} from '../../dialogue/index.ts'
import { StoreError, silentLog, type Log } from '../../base/index.ts'
import { createBindings, type Bindings } from './bindings.ts'
import { connect, disconnect } from './connection.ts'
import { checkRedis, connectedTo, countDue, DIALOGUES, eraseAll, listDue, listOpen } from './keyspace.ts'
import { createRunner, type Runner } from './runner.ts'
import {
  bindingOf,
  boundTo,
  formOf,
  KIND,
  readRecord,
  writeOpenHead,
  writeOutcome,
  writePath,
  type Binding,
  type Stored,
} from './record.ts'
import type { Client, RedisServers } from './servers.ts'
import { word, wordOrNone } from '../stored-word.ts'
import { plainSealer, type SealPlace, type Sealer } from '../seal.ts'

export type RedisDialoguesOptions = {
  /** Of all keys; daemons that serve the same dialogues have the same. Default 'ussd'. */
  prefix?: string
  limits: DialogueLimits
  log?: Log
  onFault?: (fault: StoreFault) => void
  /** Default: everything is stored as it is. */
  sealer?: Sealer
} & (
  | { servers: RedisServers; client?: undefined }
  /** Yours: made with REDIS_OPTIONS (a Cluster: as its redisOptions), listened to for errors and closed by you. */
  | { client: Client; servers?: undefined }
)

/** Resolves also while Redis is away: calls reject with StoreError 'down' until it is there; `check` tells. */
export async function redisDialogues(options: RedisDialoguesOptions): Promise<DialogueStore> {
  const { prefix = 'ussd', limits, log = silentLog, onFault = () => undefined, sealer = plainSealer } = options
  const client = options.client ?? (await connect(options.servers, log))
  const runner = {
    ...createRunner({ client, prefix, limits, onFault, log, form: formOf(sealer) }),
    sealer,
    bindings: createBindings(),
  }
  let start = 0
  return {
    open: (taking) => open(runner, taking, limits),
    bury: (begin, untilMs, nowMs) => bury(runner, begin, untilMs, nowMs),
    take: (taking) => take(runner, taking, limits),
    rest: (resting) => rest(runner, resting, limits),
    confirm: (key, epoch, turn) => runner.confirm(sealer.place(key).name, word(epoch), turn),
    async renew(key, epoch, token, leaseUntilMs) {
      return (await runner.run('renew', sealer.place(key), [word(epoch), word(token), leaseUntilMs])) === 1
    },
    async drop(key, { epoch, network }, reason, nowMs) {
      const which = [epoch === undefined ? '' : word(epoch), network === undefined ? '' : word(network)]
      const place = sealer.place(key)
      const answer = await runner.run('drop', place, [nowMs, ...which, reason, keepMs(reason, limits)])
      const [is, stored] = await readable(runner, place, answer)
      return is === 'dropped' ? (await read(runner, place, stored)).record : null
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
      const place = sealer.place(key)
      const stored = await runner.get(place)
      return stored === null ? null : (await read(runner, place, stored)).record
    },
    count: () => runner.ask('count', () => countDue(client, prefix)),
    async census(limit) {
      const revisions: string[] = []
      let listed = 0
      let unread = false
      for await (const names of listOpen(client, prefix, limit + 1)) {
        listed += names.length
        const records = await Promise.all(names.map((name) => revisionAt(runner, name)))
        unread ||= records.includes(undefined)
        revisions.push(...records.filter((revision) => typeof revision === 'string'))
      }
      return { open: tallied(revisions.slice(0, limit)), whole: listed <= limit && !unread }
    },
    erase: (msisdn) =>
      runner.ask('erase', () => eraseAll(client, prefix, msisdn, { hidden: sealer.hidden(msisdn), ...DIALOGUES })),
    check: () => runner.ask('check', () => checkRedis(client, prefix)),
    nodes: () => connectedTo(client),
    async close() {
      if (runner.close() && !options.client) await disconnect(client)
    },
  }
}

type Sealing = Runner & { sealer: Sealer; bindings: Bindings }

async function open(runner: Sealing, taking: Taking, limits: DialogueLimits): Promise<TakeResult> {
  const { sealer } = runner
  const place = sealer.place(taking.key)
  const { nowMs, token, network, code, link, leaseUntilMs } = taking
  const head = writeOpenHead(taking, place, sealer)
  const path = writePath(taking, { place, sealer, binding: bindingIn(head, sealer) })
  const args = [
    nowMs,
    word(token),
    word(network),
    sealer.code(code),
    word(link),
    leaseUntilMs,
    head,
    path,
    listed(sealer.otherCodes(code)),
    taking.copyMs ?? '',
  ]
  const answer = (await runner.run('open', place, args)) as Answer
  // What cannot be read is put aside: the subscriber who dials gets a new dialogue.
  if (answer[0] === 'corrupt') await runner.putAside(place, answer[1])
  else {
    const taken = await takenOf(runner, place, answer).catch(unlessForged)
    if (taken) return withoutOld(runner, taken, nowMs - limits.totalMs - limits.resumeMs)
  }
  return takenOf(runner, place, (await runner.run('open', place, args)) as Answer)
}

/** What stood there before, and began before that moment, was put back: nobody resumes it. */
function withoutOld(runner: Sealing, taken: TakeResult, sinceMs: number): TakeResult {
  if (taken.is !== 'opened' || !taken.previous || !isPutBack(runner, taken.previous, sinceMs)) return taken
  runner.leave(PUT_BACK())
  return { ...taken, previous: null }
}

/** When it began is under the seals: a whole record that is put back lives no longer than it would have. */
function isPutBack({ sealer }: Sealing, { openedMs }: DialogueRecord, sinceMs: number): boolean {
  return sealer.seals && openedMs < sinceMs - AGE_SLACK_MS
}

const PUT_BACK = () => new StoreError('corrupt', 'a dialogue is older than any can be: it was put back')

/** It was put aside by then. */
function unlessForged(error: unknown): null {
  if (error instanceof StoreError && (error.code === 'corrupt' || error.code === 'unsealed')) return null
  throw error
}

/** What is sealed with the first line of a dialogue that opens is bound to. */
function bindingIn(head: string, { seals }: Sealer): Binding | undefined {
  return seals ? bindingOf(head) : undefined
}

/** So often another daemon takes a turn of the same dialogue between two of our tries. */
const BIND_TRIES_MAX = 5

/**
 * Runs a script with something sealed for a turn of a dialogue that is in Redis: nearly always this daemon knows it
 * from the turn before. Where it does not, the script changes nothing and answers what stands there.
 */
async function bound(
  { sealer, bindings }: Sealing,
  place: SealPlace,
  run: (known: Binding | undefined) => Promise<unknown>,
): Promise<unknown> {
  if (!sealer.seals) return run(undefined)
  for (let tries = 0; tries < BIND_TRIES_MAX; tries++) {
    const answer = await run(bindings.of(place.name))
    if (!Array.isArray(answer) || answer[0] !== 'bind') return answer
    bindings.learn(place.name, answer[1] as string)
  }
  throw new StoreError('down', 'turns of one dialogue were taken by too many daemons at once')
}

/** As a script compares it; '?' is no turn. */
function asked(binding: Binding | undefined, { seals }: Sealer): string {
  return seals ? (binding ? boundTo(binding) : '?') : ''
}

async function bury(runner: Sealing, begin: Taking, untilMs: number, nowMs: number): Promise<boolean> {
  const { sealer } = runner
  const place = sealer.place(begin.key)
  const head = writeOpenHead({ ...begin, network: '' }, place, sealer)
  const path = writePath(begin, { place, sealer, binding: bindingIn(head, sealer) })
  const args = [nowMs, untilMs, word(begin.network), head, path, word(begin.token)]
  const answer = await runner.run('bury', place, args)
  if (typeof answer !== 'number') await readable(runner, place, answer)
  return answer === 1
}

async function take(runner: Sealing, taking: Taking, limits: DialogueLimits): Promise<TakeResult> {
  const { sealer } = runner
  const place = sealer.place(taking.key)
  const { nowMs, token, network, answer, link, leaseUntilMs, returnPath } = taking
  const said = [
    nowMs,
    word(token),
    word(network),
    KIND[answer.kind],
    place.mark(answer.text),
    wordOrNone(answer.step),
    word(link),
    leaseUntilMs,
  ]
  const others = listed(place.otherMarks(answer.text))
  const answered = await bound(runner, place, (known) => {
    const binding = known && { ...known, turn: known.turn + 1 }
    const path = writePath(taking, { place, sealer, binding })
    return runner.run('take', place, [...said, path, wordOrNone(returnPath.beginOp), others, asked(binding, sealer)])
  })
  const taken = await takenOf(runner, place, answered as Answer)
  if (taken.is !== 'next' || !isPutBack(runner, taken.record, nowMs - limits.totalMs)) return taken
  throw await runner.corrupt(place, (answered as Answer)[1], PUT_BACK())
}

/** As a script looks for one of them. */
function listed(words: string[]): string {
  return words.length === 0 ? '' : ` ${words.join(' ')} `
}

async function rest(runner: Sealing, resting: Resting, limits: DialogueLimits): Promise<boolean> {
  const snapshot = writeSnapshot(resting.snapshot)
  refuseTooLarge(snapshot, limits)
  const { key, nowMs, epoch, token, ended, reply, revision } = resting
  const { action, text } = reply
  const { sealer } = runner
  const place = sealer.place(key)
  const answer = await bound(runner, place, (binding) =>
    runner.run('rest', place, [
      nowMs,
      word(epoch),
      word(token),
      ended ?? '-',
      ended ? keepMs(ended, limits) : 0,
      word(reply.link),
      wordOrNone(reply.step),
      writeOutcome({ revision, action, text, snapshot }, { place, sealer, binding }),
      asked(binding, sealer),
    ]),
  )
  if (ended) runner.bindings.forget(place.name)
  if (typeof answer !== 'number') await readable(runner, place, answer)
  return answer === 1
}

/** Sweeps that end what is too old may be late, and clocks of daemons differ. */
const AGE_SLACK_MS = 60_000

/** What a script answers: what it is, the stored value, whether to send again. */
type Answer = [is: string, stored: string, resend?: number]

async function takenOf(runner: Sealing, place: SealPlace, answer: Answer): Promise<TakeResult> {
  const [is, stored, resend] = await readable(runner, place, answer)
  if (is === 'unknown') return { is }
  const { record, previous, unread } = await read(runner, place, stored)
  if (unread) runner.leave(unread)
  if (runner.sealer.seals && (is === 'opened' || is === 'next')) runner.bindings.learn(place.name, stored)
  if (is === 'opened') return { is, record, previous }
  if (is === 'repeat') return { is, record, resend: resend === 1 }
  return { is: is === 'next' ? 'next' : 'busy', record }
}

async function seize(runner: Sealing, name: string, { nowMs, token, leaseUntilMs }: Seizing): Promise<Overdue[]> {
  const place = runner.sealer.named(name)
  const [is, stored] = (await runner.run('seize', place, [nowMs, word(token), leaseUntilMs])) as Answer
  if (is === 'nothing') return []
  try {
    if (is === 'corrupt') throw new Error('not in a form that this release knows')
    const { record, previous, unread } = readRecord(place, stored, runner.sealer)
    if (unread) runner.leave(unread)
    if (is === 'abandoned') return [{ is, record, previous, token }]
    return is === 'unconfirmed' || is === 'ended' ? [{ is, record }] : []
  } catch (error) {
    // Counted; there is nobody to tell. Another daemon may have the key of what is sealed.
    if (error instanceof StoreError && error.code === 'sealed') runner.leave(error)
    else await runner.corrupt(place, stored, error instanceof StoreError ? error : undefined)
    return []
  }
}

/** Null: it is not open. Undefined: it does not read here; another daemon may have its key. */
async function revisionAt(runner: Sealing, name: string): Promise<string | null | undefined> {
  const place = runner.sealer.named(name)
  const stored = await runner.get(place)
  try {
    const found = stored === null ? null : readRecord(place, stored, runner.sealer).record
    return found && found.status !== 'ended' ? found.revision : null
  } catch {
    return undefined
  }
}

/** Passes on what could be read by the script; else puts it aside and throws StoreError 'corrupt'. */
async function readable(runner: Sealing, place: SealPlace, answer: unknown): Promise<Answer> {
  const [is, stored] = answer as Answer
  if (is === 'corrupt') throw await runner.corrupt(place, stored)
  return answer as Answer
}

async function read(runner: Sealing, place: SealPlace, stored: string): Promise<Stored> {
  try {
    return readRecord(place, stored, runner.sealer)
  } catch (error) {
    throw await runner.corrupt(place, stored, error instanceof StoreError ? error : undefined)
  }
}

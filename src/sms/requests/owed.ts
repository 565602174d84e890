/**
 * SMS that a back end's answer asks for. They go into the outbox while the turn runs. If Postgres cannot be reached,
 * they wait with the dialogues, in Redis or in the journal's folder, until any daemon can write them into the outbox.
 */
import { z } from 'zod'
import type { Counters, Log } from '../../base/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { repeated } from '../outbox/index.ts'
import { smsRequestSchema, type SmsAsker, type SmsRequest, type SmsRequests } from './requests.ts'

/** What one answer asks for. */
export interface AskedSms {
  asker: SmsAsker
  sms: readonly SmsRequest[]
  cancel: readonly string[]
  /** When it was asked for, in milliseconds of the calendar: `in` counts from then. */
  askedMs: number
}

/** Where they wait. A value is unreadable without the key, as dialogues are. */
export interface OwedShelf {
  /** Durable when it resolves. Throws StoreError if it is full or cannot be reached. */
  put(id: string, msisdn: string, value: string): Promise<void>
  some(limit: number): Promise<{ id: string; value: string }[]>
  remove(id: string): Promise<void>
  erase(msisdn: string): Promise<number>
}

export interface OwedDeps {
  shelf: OwedShelf
  requests: SmsRequests
  clock: Clock
  log: Log
  counters: Counters
  /** False: the clock of this daemon is wrong. */
  mayRun(): boolean
}

export interface OwedSms {
  /** Durable when it resolves. `id`: the same for every repetition of the call. */
  owe(id: string, asked: AskedSms): Promise<void>
  start(): void
  stop(): Promise<void>
}

/** How long a turn waits for Postgres. */
const OUTBOX_MS = 1_000
/** How often to look for those that wait. */
const LOOK_MS = 2_000
const TOGETHER = 50

const askedSchema = z.object({
  asker: z.object({
    owner: z.string(),
    msisdn: z.string().nullable(),
    line: z.string(),
    language: z.string(),
    key: z.string(),
  }),
  sms: z.array(smsRequestSchema),
  cancel: z.array(z.string()),
  askedMs: z.number(),
})

export function createOwedSms(deps: OwedDeps): OwedSms {
  const { shelf, clock, log, counters } = deps
  let isStopped = false
  const write = writing(deps)

  async function owe(id: string, asked: AskedSms): Promise<void> {
    if (await inTime(write(asked))) return
    await shelf.put(id, asked.asker.msisdn ?? '', JSON.stringify(asked))
    counters.count('sms_owed_total', { what: 'kept' })
    log.warn({ owner: asked.asker.owner }, 'SMS that a back end asked for wait: Postgres does not answer')
  }

  /** False: it failed, or did not finish in time. It may finish later: owner and key make that harmless. */
  async function inTime(writing: Promise<void>): Promise<boolean> {
    let stop = (): void => undefined
    const late = new Promise<boolean>((done) => (stop = clock.after(OUTBOX_MS, () => done(false))))
    const done = writing.then(
      () => true,
      () => false,
    )
    return Promise.race([done, late]).finally(() => stop())
  }

  async function look(): Promise<void> {
    if (!deps.mayRun()) return
    const found = await shelf.some(TOGETHER)
    for (const { id, value } of found) {
      const asked = askedSchema.safeParse(readJson(value))
      if (asked.success) await write(asked.data as AskedSms)
      else log.error({}, 'SMS that wait for the outbox cannot be read')
      await shelf.remove(id)
      counters.count('sms_owed_total', { what: asked.success ? 'sent' : 'unreadable' })
    }
    if (found.length >= TOGETHER && !isStopped) await look()
  }

  const looking = repeated(LOOK_MS, look, deps)
  return {
    owe,
    start: looking.start,
    stop() {
      isStopped = true
      return looking.stop()
    },
  }
}

/** Writes what was asked for into the outbox. Rejects if Postgres cannot be reached. */
function writing({ requests, log }: Pick<OwedDeps, 'requests' | 'log'>): (asked: AskedSms) => Promise<void> {
  return async ({ asker, sms, cancel: keys, askedMs }) => {
    for (const key of keys) await requests.cancel(asker.owner, key)
    for (const [n, one] of sms.entries()) {
      const { is, ...more } = await requests.put({ ...asker, key: `${asker.key}:${n}` }, one, askedMs)
      if (is !== 'wrong' && is !== 'not-allowed' && is !== 'too-late') continue
      const what = 'what' in more ? more.what : undefined
      log.warn({ owner: asker.owner, is, what }, 'an SMS that a back end asked for is not sent')
    }
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Removes everything about one subscriber, for the command line, the admin server and the desk alike. If it
 * stops in the middle, it says so: the same again does the rest, and finds nothing of what is gone.
 */
import type { Knex } from 'knex'
import { StoreError } from '../base/index.ts'
import { subscriberLanguages } from '../services/subscriber/index.ts'
import { eraseSms } from '../sms/outbox/index.ts'
import { askModules, type ModuleFailure } from './modules.ts'
import type { PrivacyDeps } from './subscriber.ts'

export interface Erased {
  /** Records of the dialogue store. */
  dialogues: number
  /** Rows of back end modules. */
  modules: number
  /** Deferred answers that are still owed. */
  deferred: number
  /** Whether there was a PIN. */
  pin: number
  /** The chosen language: 0 or 1. */
  language: number
  /** Call detail records that have a keyed hash in place of the number; what is billed stays. */
  records: number
  /** Dialogues of which there were exact texts. */
  texts: number
  /** Files of mediation that have the number: they were handed over, and are not reached. */
  files: string[]
  /** Records go to files alone: which of them have the number, nobody knows. */
  isInFiles: boolean
  /** Rows of the outbox, of receipts, of incoming SMS, and incomplete long SMS. */
  sms: number
  /** Whether the subscriber had opted out of SMS, and whether that entry was removed or kept. */
  optOut: 'none' | 'removed' | 'kept'
  /** Modules that did not erase their data: try again. Everything else is erased. */
  failed: ModuleFailure[]
  /** Daemons that may still have answers of back ends in memory: try again. */
  daemons: string[]
}

/** What nobody reaches from here. */
export const NOT_ERASED_HERE =
  'back ends over HTTP, modules that do not report what they keep, backups, Redis and Postgres files until they are ' +
  'rewritten, the SMSC and receipts that it still owes'

export type ErasureStop = 'dialogue store' | 'Postgres'

/** A store did not answer. What came before is gone, and nothing after it was touched. */
export class ErasureStoppedError extends Error {
  readonly at: ErasureStop
  /** False: nothing was removed. */
  readonly isBegun: boolean
  constructor(at: ErasureStop, isBegun: boolean, cause: Error) {
    super(cause.message, { cause })
    this.name = 'ErasureStoppedError'
    this.at = at
    this.isBegun = isBegun
  }
}

export type ErasureDeps = Omit<PrivacyDeps, 'services' | 'openTexts'>

/**
 * Removes everything about one MSISDN. The dialogue goes first, so that none of its turns writes anything again: a
 * running turn finds its dialogue gone. A module that fails is named and stops nothing else. With `keepOptOut` the
 * number stays in one place: the entry that says that no SMS is wanted. Rejects with ErasureStoppedError.
 */
export async function erasePerson(deps: ErasureDeps, msisdn: string, keepOptOut: boolean): Promise<Erased> {
  const { sql, knex, dialogues, shelf, owed } = deps
  const pseudonym = deps.pseudonym(msisdn)
  let isBegun = false
  const step = async <T>(at: ErasureStop, run: () => Promise<T>): Promise<T> => {
    try {
      const done = await run()
      isBegun = true
      return done
    } catch (error) {
      throw new ErasureStoppedError(error instanceof StoreError ? 'dialogue store' : at, isBegun, error as Error)
    }
  }
  const inStore = <T>(run: () => Promise<T>) => step('dialogue store', run)
  const inPostgres = <T>(run: () => PromiseLike<T>) => step('Postgres', async () => run())

  const records = await inStore(() => dialogues.erase(msisdn))
  await inPostgres(async () => deps.collect?.(msisdn, true))
  const hidden = await inStore(async () => deps.waiting?.hide(msisdn, pseudonym) ?? 0)
  const { answers, failed } = await askModules(deps, ({ subscriber }) => subscriber?.erase(msisdn))
  const held = await inStore(async () => (await shelf.erase(msisdn)) + (await owed.erase(msisdn)))
  const language = await inPostgres(() => subscriberLanguages(sql).forget(msisdn))
  const sms = held + (await inPostgres(() => eraseSms(sql, msisdn)))
  const deferred = await inPostgres(() => knex('ussd_late').where({ msisdn }).delete())
  const pin = await inPostgres(() => knex('pin').where({ msisdn }).delete())
  const files = await inPostgres(() => filesWith(knex, msisdn))
  const texts = await inPostgres(() => knex('cdr_text').where({ msisdn }).delete())
  const billed = await inPostgres(() => knex('cdr').where({ msisdn }).update({ msisdn: pseudonym }))
  return {
    dialogues: records,
    modules: answers.reduce((sum, { answer }) => sum + answer, 0),
    deferred,
    pin,
    language,
    records: billed + hidden,
    texts,
    files,
    isInFiles: deps.waiting !== undefined,
    sms,
    optOut: await inPostgres(() => optOut(knex, msisdn, keepOptOut)),
    failed,
    daemons: await inPostgres(async () => deps.forget?.(msisdn) ?? []),
  }
}

/** False: the same again does the rest. */
export function isWhollyErased({ failed, daemons }: Pick<Erased, 'failed' | 'daemons'>): boolean {
  return failed.length === 0 && daemons.length === 0
}

/** For the audit. A module's own words may have the number: they are not in it. */
export function auditedErasure(erased: Erased): object {
  const { failed, daemons, isInFiles: _isInFiles, ...counts } = erased
  const backends = failed.map(({ backend }) => backend)
  return { ...counts, after: isWhollyErased(erased) ? 'erased' : 'partly erased', backends, daemons }
}

/** The most files that are named: those of the last weeks of somebody who dials every day. */
const FILES_NAMED_MAX = 1_000

async function filesWith(knex: Knex, msisdn: string): Promise<string[]> {
  const rows = knex('cdr').where({ msisdn }).where('file', '>', 0)
  const files = await rows
    .distinct('file')
    .orderBy('file', 'desc')
    .limit(FILES_NAMED_MAX)
    .pluck<(string | number)[]>('file')
  return files.map(String)
}

async function optOut(knex: Knex, msisdn: string, keep: boolean): Promise<Erased['optOut']> {
  const wish = knex('sms_opt_out').where({ msisdn })
  if (keep) return (await wish.first()) ? 'kept' : 'none'
  return (await wish.delete()) > 0 ? 'removed' : 'none'
}

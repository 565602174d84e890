/** Everything that is kept about one subscriber, in one list: for export here, and for erasure (erasure.ts). */
import type { Knex } from 'knex'
import type { Sql } from '../base/index.ts'
import {
  shownRecord,
  type DialogueKey,
  type DialogueRecord,
  type StandingDialogue,
  type TurnTexts,
} from '../dialogue/index.ts'
import type { OwedShelf } from '../sms/requests/index.ts'
import type { HeldDeps, PartShelf } from '../sms/inbox/index.ts'
import type { PersonalTable } from '../plugin/index.ts'
import { type Clock, type CodeRoute, shownCode } from '../ussd/index.ts'
import type { PersonalModule } from './modules.ts'

/**
 * The daemon's own tables that hold a number. Modules of back ends know their own tables. A test compares this list
 * with the database.
 */
export const PERSONAL: readonly PersonalTable[] = [
  // Without the hashes: four digits can be found from a hash in minutes.
  { table: 'pin', column: 'msisdn', shown: ['msisdn', 'wrong', 'locked_until', 'changed_at'] },
  { table: 'subscriber_language', column: 'msisdn' },
  // Without the snapshot, which may be sealed. The code in its shown form: what was dialled behind it may be a PIN.
  { table: 'ussd_late', column: 'msisdn', shown: ['msisdn', 'line', 'code', 'revision', 'opened_at', 'until_at'] },
  { table: 'sms_outbox', column: 'msisdn' },
  { table: 'sms_incoming', column: 'msisdn' },
  { table: 'sms_opt_out', column: 'msisdn' },
  { table: 'sms_receipt_orphan', column: 'sender' },
  { table: 'cdr', column: 'msisdn' },
  // Sealed: what is in it is handed out beside it, if it can be opened.
  { table: 'cdr_text', column: 'msisdn', shown: ['epoch', 'kind'] },
]

/** The part of the dialogue store that is needed here. */
export interface PersonalDialogues {
  standing(key: DialogueKey): Promise<StandingDialogue | null>
  erase(msisdn: string): Promise<number>
}

export interface PrivacyDeps {
  sql: Sql
  knex: Knex
  dialogues: PersonalDialogues
  /** Long SMS of the subscriber of which only some parts have arrived. */
  shelf: Pick<PartShelf, 'find' | 'erase'>
  /** SMS that wait for Postgres. */
  owed: Pick<OwedShelf, 'erase'>
  /** What is kept word for word of a dialogue. Null: its key is gone. */
  openTexts(row: { day: string; epoch: string; kind: string; sealed: string }): TurnTexts[] | null
  /** What stands in place of an erased number in records that billing keeps. */
  pseudonym(msisdn: string): string
  /**
   * Writes the call detail records that wait, so that none comes afterwards, and those of the subscriber's SMS.
   * `isLast`: their rows go now, also of those whose receipt has not come. Absent: none are kept.
   */
  collect?: ((msisdn: string, isLast: boolean) => Promise<unknown>) | undefined
  /** Call detail records that wait for a file, where none are collected. Absent: there are none. */
  waiting?: WaitingPersonal | undefined
  /** Has every daemon forget what back ends answered about the subscriber. Answers those that did not. Absent: none. */
  forget?: ((msisdn: string) => Promise<string[]>) | undefined
  /** The line groups in which dialogues may be. */
  groups: readonly string[]
  services: readonly CodeRoute[]
  /** Back ends that keep something about subscribers. */
  modules: readonly PersonalModule[]
  /** A time limit for modules that never answer. */
  clock: Pick<Clock, 'after'>
}

/** Call detail records of one subscriber that wait beside the dialogues. */
export interface WaitingPersonal {
  find(msisdn: string): Promise<object[]>
  /** Puts this in place of the number. Answers in how many. */
  hide(msisdn: string, pseudonym: string): Promise<number>
}

export interface Export {
  msisdn: string
  dialogues: DialogueRecord[]
  /** Long SMS of which only some parts have arrived, now or a moment ago. */
  unfinished: HeldDeps[]
  /** Table → its rows, unchanged. */
  tables: Record<string, object[]>
}

/** Without anything that may be a PIN: the file may be seen by others before the subscriber gets it. */
export async function exportSubscriber(
  deps: Omit<PrivacyDeps, 'sql' | 'clock' | 'owed' | 'pseudonym' | 'forget'>,
  msisdn: string,
): Promise<Export> {
  const { knex, dialogues, shelf, groups, services, modules } = deps
  await deps.collect?.(msisdn, false)
  const found = await Promise.all(groups.map((group) => dialogues.standing({ group, msisdn })))
  const unfinished = await Promise.all(groups.map((group) => shelf.find({ group, msisdn })))
  const tables: Export['tables'] = {}
  for (const { table, column, shown = ['*'] } of PERSONAL)
    tables[table] = await knex(table)
      .where({ [column]: msisdn })
      .select(...shown)
  tables.cdr_text = await exactTexts(deps, msisdn)
  // The export must be complete: if a module fails, the export fails.
  for (const { module } of modules) Object.assign(tables, await module.subscriber?.export(msisdn))
  tables.cdr!.push(...((await deps.waiting?.find(msisdn)) ?? []))
  // A daemon of an older version writes the whole code.
  tables.ussd_late = (tables.ussd_late as { code: string }[]).map((row) => ({
    ...row,
    code: shownCode(row.code, services),
  }))
  const isThere = <T>(one: T | null) => one !== null
  const shown = found.filter(isThere).map((record) => shownRecord(record, services))
  return { msisdn, dialogues: shown, unfinished: unfinished.filter(isThere), tables }
}

/** By turn, what was typed before it and what it showed; null where there was nothing, or a secret. */
async function exactTexts({ knex, openTexts }: Pick<PrivacyDeps, 'knex' | 'openTexts'>, msisdn: string) {
  const day = knex.raw('CAST(day AS text) AS day')
  const rows = await knex('cdr_text')
    .where({ msisdn })
    .select<{ day: string; epoch: string; kind: string; sealed: string }[]>('epoch', 'kind', 'sealed', day)
  return rows.map((row) => {
    const turns = openTexts(row)?.map(([turn, typed, shown]) => ({ turn, typed, shown }))
    return { epoch: row.epoch, kind: row.kind, turns: turns ?? 'sealed with a key that is not in privacy.storeKeyFile' }
  })
}

/** Everything that is kept of one subscriber, in one list: to hand it out, and to remove it. */
import type { Knex } from 'knex'
import type { Sql } from '../base/index.ts'
import { shownRecord, type DialogueKey, type DialogueRecord } from '../dialogue/index.ts'
import { eraseSms } from '../sms/outbox/index.ts'
import type { HeldDeps, PartShelf } from '../sms/inbox/index.ts'
import type { PersonalTable } from '../plugin/index.ts'
import { subscriberLanguages } from '../services/subscriber/index.ts'
import { type Clock, type CodeRoute, shownCode } from '../ussd/index.ts'
import { askModules, type ModuleFailure, type PersonalModule } from './modules.ts'

/**
 * Tables of the daemon's own that hold a number; modules of back ends know theirs. A test holds this list to the
 * database's.
 */
export const PERSONAL: readonly PersonalTable[] = [
  // Not the hashes: four digits are found from one in minutes.
  { table: 'pin', column: 'msisdn', shown: ['msisdn', 'wrong', 'locked_until', 'changed_at'] },
  { table: 'subscriber_language', column: 'msisdn' },
  // Not the snapshot: it may be sealed. The code as it is shown, for what was dialled behind it may be a PIN.
  { table: 'ussd_late', column: 'msisdn', shown: ['msisdn', 'line', 'code', 'revision', 'opened_at', 'until_at'] },
  { table: 'sms_outbox', column: 'msisdn' },
  { table: 'sms_incoming', column: 'msisdn' },
  { table: 'sms_opt_out', column: 'msisdn' },
  { table: 'sms_receipt_orphan', column: 'sender' },
]

/** The part of the dialogue store that is needed here. */
export interface PersonalDialogues {
  find(key: DialogueKey): Promise<DialogueRecord | null>
  erase(msisdn: string): Promise<number>
}

export interface PrivacyDeps {
  sql: Sql
  knex: Knex
  dialogues: PersonalDialogues
  /** Long SMS that the subscriber wrote, of which parts are here. */
  shelf: Pick<PartShelf, 'find' | 'erase'>
  /** Line groups that dialogues may be in. */
  groups: readonly string[]
  services: readonly CodeRoute[]
  /** Back ends that keep something of subscribers. */
  modules: readonly PersonalModule[]
  /** For modules that never answer. */
  clock: Pick<Clock, 'after'>
}

export interface Export {
  msisdn: string
  dialogues: DialogueRecord[]
  /** Long SMS of which parts are here, or were a moment ago. */
  unfinished: HeldDeps[]
  /** Rows by table, as they stand there. */
  tables: Record<string, object[]>
}

/** Not what may be a PIN: the file lies on somebody's desk before it is handed out. */
export async function exportSubscriber(deps: Omit<PrivacyDeps, 'sql' | 'clock'>, msisdn: string): Promise<Export> {
  const { knex, dialogues, shelf, groups, services, modules } = deps
  const found = await Promise.all(groups.map((group) => dialogues.find({ group, msisdn })))
  const unfinished = await Promise.all(groups.map((group) => shelf.find({ group, msisdn })))
  const tables: Export['tables'] = {}
  for (const { table, column, shown = ['*'] } of PERSONAL)
    tables[table] = await knex(table)
      .where({ [column]: msisdn })
      .select(...shown)
  // What one of them keeps must not be missing unsaid: one that fails ends the export.
  for (const { module } of modules) Object.assign(tables, await module.subscriber?.export(msisdn))
  // A daemon of an older version writes the whole code.
  tables.ussd_late = (tables.ussd_late as { code: string }[]).map((row) => ({
    ...row,
    code: shownCode(row.code, services),
  }))
  const isThere = <T>(one: T | null) => one !== null
  const shown = found.filter(isThere).map((record) => shownRecord(record, services))
  return { msisdn, dialogues: shown, unfinished: unfinished.filter(isThere), tables }
}

export interface Erased {
  /** Records of the dialogue store. */
  dialogues: number
  /** Rows of modules of back ends. */
  modules: number
  /** Answers that were promised for later. */
  deferred: number
  /** Whether there was a PIN. */
  pin: number
  /** The language that was chosen: 0 or 1. */
  language: number
  /** Rows of the outbox, of receipts, of what was written to us, and long SMS of which parts are here. */
  sms: number
  /** Whether the wish for no SMS was there, and stays. */
  optOut: 'none' | 'removed' | 'kept'
  /** Modules that did not remove theirs: ask again. All else is removed. */
  failed: ModuleFailure[]
}

/**
 * Removes everything about one MSISDN. The dialogue goes first, so that none of its turns writes anew: a turn under way
 * finds its dialogue gone. A module that fails is named, and stops nothing else. With `keepOptOut` the number stays in one place: where it says that no SMS is wanted.
 */
export async function erasePerson(
  deps: Omit<PrivacyDeps, 'services'>,
  msisdn: string,
  keepOptOut: boolean,
): Promise<Erased> {
  const { sql, knex, dialogues, shelf } = deps
  const records = await dialogues.erase(msisdn)
  const { answers, failed } = await askModules(deps, ({ subscriber }) => subscriber?.erase(msisdn))
  const language = await subscriberLanguages(sql).forget(msisdn)
  const sms = (await shelf.erase(msisdn)) + (await eraseSms(sql, msisdn))
  const deferred = await knex('ussd_late').where({ msisdn }).delete()
  const pin = await knex('pin').where({ msisdn }).delete()
  return {
    dialogues: records,
    modules: answers.reduce((sum, { answer }) => sum + answer, 0),
    deferred,
    pin,
    language,
    sms,
    optOut: await optOut(knex, msisdn, keepOptOut),
    failed,
  }
}

async function optOut(knex: Knex, msisdn: string, keep: boolean): Promise<Erased['optOut']> {
  const wish = knex('sms_opt_out').where({ msisdn })
  if (keep) return (await wish.first()) ? 'kept' : 'none'
  return (await wish.delete()) > 0 ? 'removed' : 'none'
}

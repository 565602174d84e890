/** What the command line and the daemon export and erase subscribers with. */
import type { Settings } from '../../config/index.ts'
import { subscriberHash } from '../../base/index.ts'
import type { Clock } from '../../ussd/index.ts'
import type { Fleet } from '../../fleet/index.ts'
import type { PersonalModule, PrivacyDeps } from '../../privacy/index.ts'
import { groupsOf } from '../lines/index.ts'
import type { LeftSmsDeps } from './left-sms.ts'
import { collectRecords, waitingRecords } from './records.ts'
import type { Stores } from '../stores/index.ts'

export interface PersonalParts extends LeftSmsDeps {
  settings: Settings
  clock: Clock
  stores: Stores
  /** Those of the settings, and samples that no back end uses. */
  modules: readonly PersonalModule[]
  /** That of the log. */
  key: Buffer
}

export function personalDeps({ settings, stores, modules, key, ...runtime }: PersonalParts): PrivacyDeps {
  const { sql, knex, dialogues, shelf, owed, openTexts } = stores
  return {
    sql,
    knex,
    dialogues,
    shelf,
    owed,
    openTexts,
    modules,
    collect: (msisdn, isLast) => collectRecords(stores, { settings, ...runtime }, { msisdn, isLast }),
    waiting: waitingRecords(stores, settings),
    pseudonym: pseudonymBy(key),
    groups: groupsOf(settings),
    services: settings.services,
    clock: runtime.clock,
  }
}

/** Another hash than that of the log, so that a record is not found by the lines of the log. */
function pseudonymBy(key: Buffer): PrivacyDeps['pseudonym'] {
  return (msisdn) => `erased-${subscriberHash(key, `erased ${msisdn}`)}`
}

/**
 * Has the daemons of the fleet forget what back ends answered about a subscriber; each takes it with its next beat.
 * Answers those that did not. `own`: this daemon, which needs not be asked.
 */
export async function forgottenByFleet(
  fleet: Pick<Fleet<unknown>, 'all' | 'ask'>,
  msisdn: string,
  { by, own }: { by: string; own?: string },
): Promise<string[]> {
  const others = (await fleet.all()).filter(({ name, isGone }) => name !== own && !isGone)
  const command = { what: 'forget-subscriber', msisdn } as const
  const asked = others.map(async ({ name }) => ({ name, ...(await fleet.ask(name, command, by)) }))
  return (await Promise.all(asked)).filter(({ status }) => status >= 400).map(({ name }) => name)
}

/** `subscriber export` and `subscriber erase`: what a person may ask of whoever runs this. */
import {
  systemChance,
  systemClock,
  StoreError,
  UsageError,
  silentLog,
  maskMsisdn,
  createMetrics,
} from '../base/index.ts'
import { loadSettings } from '../config/index.ts'
import { absentSamples, configuredModules, groupsOf, openStores } from '../daemon/index.ts'
import { erasePerson, exportSubscriber, type PrivacyDeps } from '../privacy/index.ts'
import { msisdnOf } from '../ussd/index.ts'
import { unreachable } from '../store/index.ts'
import type { Say } from './arguments.ts'

export interface SubscriberOptions {
  config: string
  msisdn: string
  keepOptOut?: boolean
}

export async function exportCommand(options: SubscriberOptions, say: Say): Promise<void> {
  await withStores(options, async (parts, msisdn) =>
    say(JSON.stringify(await exportSubscriber(parts, msisdn), null, 2)),
  )
}

/** The report names the number masked: it may be filed. */
export async function eraseCommand(options: SubscriberOptions, say: Say): Promise<void> {
  await withStores(options, async (parts, msisdn) => {
    const { dialogues, modules, deferred, pin, language, sms, optOut, failed } = await erasePerson(
      parts,
      msisdn,
      options.keepOptOut ?? false,
    )
    say(`erased   ${maskMsisdn(msisdn)}`)
    say(
      `         ${dialogues} in the dialogue store, ${modules} rows of modules of back ends, ${deferred} deferred answers, ${pin} PINs, ` +
        `${sms} rows of SMS; opt-out: ${optOut}`,
    )
    say(`         ${language === 0 ? 'no language was' : 'the language was'} chosen`)
    say(
      'not included: back ends over HTTP, modules that do not report what they keep, backups, Redis and Postgres files until they are rewritten, the SMSC',
    )
    if (failed.length > 0) throw new UsageError(notErased(failed, msisdn))
  })
}

/** A module's own words may have the number in them. */
function notErased(failed: readonly { backend: string; why: string }[], msisdn: string): string {
  const each = failed.map(({ backend, why }) => `${backend}: ${why.replaceAll(msisdn, maskMsisdn(msisdn))}`)
  return `modules of back ends did not remove what they keep: ${each.join('; ')} (everything else is removed: correct the modules and run the command again)`
}

async function withStores(
  options: SubscriberOptions,
  run: (deps: PrivacyDeps, msisdn: string) => Promise<void>,
): Promise<void> {
  const msisdn = msisdnOf(options.msisdn)
  if (msisdn === null) throw new UsageError('--msisdn is not an international number such as 67570000001')
  const { settings } = loadSettings(options.config, process.env)
  try {
    const [clock, metrics, log] = [systemClock(), createMetrics({ process: false }), silentLog]
    const stores = await openStores({ settings, log, metrics, clock })
    try {
      const { sql, knex, dialogues, shelf } = stores
      const host = { sql, clock, chance: systemChance, metrics, log }
      const modules = [...(await configuredModules(settings, host)), ...(await absentSamples(settings, host))]
      const { services } = settings
      await run({ sql, knex, dialogues, shelf, groups: groupsOf(settings), services, modules, clock }, msisdn)
    } finally {
      await stores.close()
    }
  } catch (error) {
    if (error instanceof StoreError)
      throw new UsageError(`dialogue store: ${error.message} (nothing else was changed: run the command again)`)
    const why = unreachable(error, 'postgres')
    throw why ? new UsageError(`Postgres: ${(error as Error).message} (${why.remedy})`) : error
  }
}

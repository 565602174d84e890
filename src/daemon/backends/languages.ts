/**
 * What the daemon itself stores about a subscriber: the chosen language. It is a back end for flows, and a lookup for
 * each new dialogue.
 */
import { moduleBackend, type Backend } from '../../backend/index.ts'
import { SUBSCRIBER } from '../../flow/language/index.ts'
import type { FlowRegistry } from '../../flow/engine/index.ts'
import type { Log, Metrics } from '../../base/index.ts'
import { languageIn, type Languages } from '../../services/subscriber/index.ts'
import type { Clock } from '../../ussd/index.ts'

/** How long a new dialogue waits for the language; then it starts in the default language. */
export const LOOKUP_MS = 500

export function subscriberBackend(languages: Languages, clock: Clock): Backend {
  return moduleBackend(SUBSCRIBER, {
    operations: {
      async language(args, { msisdn }) {
        const language = languageIn(args)
        if (language === undefined) throw new Error('no language')
        await languages.keep(msisdn, language, clock.now())
        return {}
      },
    },
  })
}

export interface LookupDeps {
  languages: Pick<Languages, 'of'>
  flows: Pick<FlowRegistry, 'mayChooseLanguage'>
  clock: Clock
  log: Log
  metrics: Pick<Metrics, 'count'>
}

/** Looks the language up; does not ask the database while no flow lets subscribers choose a language. */
export function languageLookup({
  languages,
  flows,
  clock,
  log,
  metrics,
}: LookupDeps): (msisdn: string) => Promise<string | null> {
  return async (msisdn) => {
    if (flows.mayChooseLanguage?.() === false) return null
    let cancel = (): void => undefined
    const late = new Promise<'late'>((done) => (cancel = clock.after(LOOKUP_MS, () => done('late'))))
    try {
      const found = await Promise.race([languages.of(msisdn), late])
      if (found !== 'late') return found
      metrics.count('language_lookups_failed', { why: 'late' })
    } catch (error) {
      metrics.count('language_lookups_failed', { why: 'down' })
      log.warn({ err: error, msisdn }, "subscriber's language not read: the store failed")
    } finally {
      cancel()
    }
    return null
  }
}

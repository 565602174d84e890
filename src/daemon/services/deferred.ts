/** Builds the deferred answers from the parts of this daemon. */
import { createRelease } from '../../gateway/index.ts'
import { createDeferredAnswers, type DeferredAnswers, type DeferredDeps } from '../../deferred/index.ts'
import type { Settings } from '../../config/index.ts'
import { enqueueSms } from '../../sms/outbox/index.ts'
import type { Sealer } from '../../store/index.ts'

export type DaemonDeferredDeps = Omit<
  DeferredDeps,
  'enqueueSms' | 'release' | 'seal' | 'open' | 'limits' | 'settings' | 'services'
> & {
  settings: Settings
  sealer: Sealer
}

export function createDaemonDeferred(deps: DaemonDeferredDeps): DeferredAnswers {
  const { settings, sealer, clock } = deps
  return createDeferredAnswers({
    ...deps,
    limits: settings.dialogue,
    services: settings.services,
    settings: settings.late,
    release: createRelease(deps),
    seal: (key, text, bound) => sealer.place(key).seal(text, bound),
    open: (key, stored, bound) => sealer.place(key).open(stored, bound),
    enqueueSms(trx, sms) {
      // A line without SMS uses any line that has it.
      const line = settings.lines.find(({ name }) => name === sms.line)?.sms ? sms.line : ''
      return enqueueSms(trx, { ...sms, line, kind: 'late' }, clock)
    },
  })
}

/** Answers that come late, with the daemon's own parts. */
import { createRelease } from '../gateway/ending.ts'
import { createLate, type Late, type LateParts } from '../deferred/deferred.ts'
import type { Settings } from '../config/schema.ts'
import { oweSms } from '../sms/outbox/enqueue.ts'
import type { Sealer } from '../store/seal.ts'

export type DaemonLateParts = Omit<LateParts, 'oweSms' | 'release' | 'seal' | 'open' | 'limits' | 'settings' | 'services'> & {
  settings: Settings
  sealer: Sealer
}

export function createDaemonLate(parts: DaemonLateParts): Late {
  const { settings, sealer, clock } = parts
  return createLate({
    ...parts,
    limits: settings.dialogue,
    services: settings.services,
    settings: settings.late,
    release: createRelease(parts),
    seal: (key, text, bound) => sealer.place(key).seal(text, bound),
    open: (key, stored, bound) => sealer.place(key).open(stored, bound),
    oweSms(trx, sms) {
      // A line without SMS of its own leaves it to any that has.
      const line = settings.lines.find(({ name }) => name === sms.line)?.sms ? sms.line : ''
      return oweSms(trx, { ...sms, line, kind: 'late' }, clock)
    },
  })
}

/** SMS that flows, back ends and applications ask for, those of them that wait for Postgres, and their web-hooks. */
import type { ClockCheck } from '../clock-check.ts'
import type { Runtime } from '../runtime.ts'
import type { Stores } from '../stores/index.ts'
import { hookOf } from '../../config/index.ts'
import { secretIn } from '../../base/index.ts'
import { createHooks, type Hooks } from '../../hooks/index.ts'
import type { AtSmsc } from '../../sms/outbox/index.ts'
import { createOwedSms, smsRequests, type OwedSms, type SmsRequests } from '../../sms/requests/index.ts'

export interface SmsAsking {
  requests: SmsRequests
  owed: OwedSms
}

/** Starts nothing yet: `owed.start()` does that. */
export function createSmsAsking(
  runtime: Runtime,
  { sql, owed: shelf }: Pick<Stores, 'sql' | 'owed'>,
  clockCheck: Pick<ClockCheck, 'isKnown'>,
  atSmsc: AtSmsc,
): SmsAsking {
  const { metrics, settings } = runtime
  const count = (owner: string, result: string) => metrics.count('sms_requests_total', { owner, result })
  const requests = smsRequests({ ...runtime, sql, atSmsc, hookOf: (owner) => hookOf(settings.smsHooks, owner), count })
  const mayRun = () => clockCheck.isKnown()
  return { requests, owed: createOwedSms({ ...runtime, shelf, requests, counters: metrics, mayRun }) }
}

/** Starts nothing yet: `start()` does that. */
export function createSmsHooks(
  runtime: Runtime,
  { sql }: Pick<Stores, 'sql'>,
  clockCheck: Pick<ClockCheck, 'isKnown'>,
): Hooks {
  const settings = Object.fromEntries(
    Object.entries(runtime.settings.smsHooks).map(([name, { keyFile, owners: _owners, ...rest }]) => {
      return [name, { ...rest, key: secretIn(keyFile, `smsHooks.${name}.keyFile`) }]
    }),
  )
  return createHooks({ ...runtime, sql, settings, counters: runtime.metrics, mayRun: () => clockCheck.isKnown() })
}

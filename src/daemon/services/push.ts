/** Builds USSD push from the parts of this daemon. */
import type { Settings } from '../../config/index.ts'
import { createEnding, type EndingDeps } from '../../gateway/index.ts'
import { createPush, createPushLimits, type Push, type PushDeps, type PushLimits } from '../../push/index.ts'
import type { Sql } from '../../base/index.ts'
import { enqueueSms } from '../../sms/outbox/index.ts'
import type { Runtime } from '../runtime.ts'
import type { Stores } from '../stores/index.ts'
import { fitsTemplate } from '../../sms/settings/index.ts'
import { readCode } from '../../ussd/index.ts'

export type DaemonPushDeps = Omit<PushDeps, 'sourceOf' | 'enqueueSms' | 'finish' | 'limits'> &
  EndingDeps & {
    settings: Settings
    sql: Sql
  }

export function createDaemonPush(deps: DaemonPushDeps): Push {
  const { settings, sql, clock, services } = deps
  return createPush({
    ...deps,
    limits: settings.dialogue,
    finish: createEnding(deps),
    enqueueSms: (sms) => enqueueSms(sql, { ...sms, kind: 'push' }, clock),
    sourceOf(line, flow) {
      const here = services.filter((service) => !service.lines?.length || service.lines.includes(line))
      const service = here.find((one) => one.flow === flow) ?? here.find((one) => readCode(one.code))
      return (
        readCode(service?.code ?? '')?.parts[0] ?? settings.lines.find((one) => one.name === line)?.sms?.source ?? ''
      )
    },
  })
}

/** What one token may push, as the settings say. */
export function daemonPushLimits({ settings, clock, metrics }: Runtime, { sql }: Pick<Stores, 'sql'>): PushLimits {
  const { push, reminders } = settings
  return createPushLimits({
    settings: push,
    zone: reminders.zone,
    sql,
    clock,
    counters: metrics,
    fits: fitsTemplate,
  })
}

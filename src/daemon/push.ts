/** USSD that the daemon begins, with the daemon's own parts. */
import type { Knex } from 'knex'
import type { Settings } from '../config/schema.ts'
import { createEnding, type EndingParts } from '../gateway/ending.ts'
import { createPush, type Push, type PushParts } from '../push/push.ts'
import { oweSms } from '../sms/outbox/enqueue.ts'
import { readCode } from '../ussd/service-code.ts'

export type DaemonPushParts = Omit<PushParts, 'sourceOf' | 'oweSms' | 'finish' | 'limits'> & EndingParts & {
  settings: Settings
  knex: Knex
}

export function createDaemonPush(parts: DaemonPushParts): Push {
  const { settings, knex, clock, services } = parts
  return createPush({
    ...parts,
    limits: settings.dialogue,
    finish: createEnding(parts),
    oweSms: (sms) => oweSms(knex, { ...sms, kind: 'push' }, clock),
    sourceOf(line, flow) {
      const here = services.filter((service) => !service.lines?.length || service.lines.includes(line))
      const service = here.find((one) => one.flow === flow) ?? here.find((one) => readCode(one.code))
      return readCode(service?.code ?? '')?.parts[0] ?? settings.lines.find((one) => one.name === line)?.sms?.source ?? ''
    },
  })
}

/** Statuses, by name, that the SMSC answers SMS or screens with: `sms=ESME_RTHROTTLED`. */
import { remedyAmong, UsageError } from '../../base/index.ts'
import { statusEffect, statusMeans } from '../../ussd/index.ts'
import { COMMAND_STATUS, nameOfStatus } from '../codec/index.ts'
import type { Fault } from './chaos.ts'

const FORM = 'write sms=STATUS or ussd=STATUS, such as sms=ESME_RTHROTTLED, sms=0x58*3 (three times) or ussd=0x14@20%'

/** By name, or as a number such as 0x58. Undefined: there is none of that name. */
export function statusNamed(written: string): number | undefined {
  if (/^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(written)) return Number(written)
  const name = written.toUpperCase()
  const all: Readonly<Record<string, number>> = COMMAND_STATUS
  return Object.hasOwn(all, name) ? all[name] : undefined
}

/** Throws UsageError. */
export function answerFault(written: string): Fault & { lane: 'ussd' | 'sms'; act: { is: 'refuse'; status: number } } {
  const [, lane, name = '', times, percent] = /^(sms|ussd)=(\w+)(?:\*(\d{1,6})|@(\d{1,3})%)?$/.exec(written) ?? []
  if (lane === undefined) throw new UsageError(`--answer ${written}: ${FORM}`)
  const status = statusNamed(name)
  if (status === undefined)
    throw new UsageError(
      `--answer ${written}: there is no status '${name}': ${remedyAmong(name, Object.keys(COMMAND_STATUS))}`,
    )
  const act = { is: 'refuse', status } as const
  const often = { ...(times ? { times: Number(times) } : {}), ...(percent ? { chance: Number(percent) / 100 } : {}) }
  return { on: 'submit_sm', lane: lane as 'ussd' | 'sms', ...often, act }
}

/** One line for people: what is answered, and what a daemon then does. */
export function answerTold({ lane, times, chance, act }: ReturnType<typeof answerFault>): string {
  const { status } = act
  const often = times ? `the next ${times} ` : chance === undefined ? '' : `${Math.round(chance * 100)} % of the `
  const what = lane === 'sms' ? 'SMS' : 'screens'
  return `${often}${what} get ${nameOfStatus(status)} (${statusMeans(status)}): ${statusEffect(lane, status)}`
}

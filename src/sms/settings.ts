/** What SMS need of the settings: a port of their own, which `src/config` fits. */
import type { IncomingSettings, PartLimits } from './inbox/index.ts'
import type { Concatenation, PlainText } from './pdu/index.ts'
import type { LANGUAGES } from '../ussd/index.ts'
import type { StatusClass } from './outbox/index.ts'

/** A line; absent `sms`: none on it. */
export interface SmsLine {
  name: string
  timers: { responseMs: number }
  sms?: SmsSettings | undefined
}

export interface SmsSettings {
  perSecond: number
  receipts: boolean
  long: Concatenation
  alphabet: PlainText['alphabet']
  dataCoding: number
  ucs2: boolean
  transliterate: boolean
  languages: readonly (keyof typeof LANGUAGES)[]
  validityMs?: number | undefined
  validity: 'relative' | 'absolute' | 'none'
  priority: number
  serviceType: string
  destTon: number
  destNpi: number
  statuses: Readonly<Record<string, StatusClass>>
  queryMs?: number | undefined
  queryShare: number
  manage: boolean
}

/** Of SMS that subscribers write. */
export interface SmsInSettings extends IncomingSettings {
  long: Omit<PartLimits, 'copyMs'>
}

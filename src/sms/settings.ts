/** The settings that SMS need, as src/config reads them. */
import type { ConfiguredLine, Settings } from '../config/index.ts'

/** A line; absent `sms`: none on it. */
export type SmsLine = Pick<ConfiguredLine, 'name' | 'sms'> & { timers: Pick<ConfiguredLine['timers'], 'responseMs'> }

/** How SMS are written on one line. */
export type SmsSettings = NonNullable<ConfiguredLine['sms']>

/** Of SMS that subscribers write. */
export type SmsInSettings = Settings['sms']

/**
 * SMS that the answer of an HTTP back end asks for: `sms` and `cancel` beside its data. Only a call with `once: true`
 * may ask: its answer is never kept, and comes once. An answer that comes too late asks for nothing, because nobody
 * has seen it.
 */
import type { Backend, CallContext } from '../../backend/index.ts'
import { type Counters, dialogueInLog, type Log } from '../../base/index.ts'
import { SMS_TOGETHER_MAX, smsRequestSchema, type OwedSms, type SmsRequest } from '../../sms/requests/index.ts'
import type { Clock, Json } from '../../ussd/index.ts'
import { wrongWords } from './flow-sms.ts'

export interface AnswerSmsDeps {
  /** Whose the SMS are. */
  owner: string
  owed: Pick<OwedSms, 'owe'>
  clock: Pick<Clock, 'today'>
  log: Log
  counters: Counters
}

const LOST = 'SMS that a back end asked for are lost: neither Postgres nor the dialogue store took them'

/** The same back end. Its answers lose `sms` and `cancel`. */
export function askingSms(backend: Backend, { owner, owed, clock, log, counters }: AnswerSmsDeps): Backend {
  const refused = (operation: string, context: CallContext, { result, why }: Refused) => {
    counters.count('sms_requests_total', { owner, result })
    const said = { backend: backend.name, operation, why, ...dialogueInLog(context) }
    log.warn(said, 'an SMS that a back end asked for is not sent')
  }

  async function ask(operation: string, asked: Asked, context: CallContext): Promise<void> {
    const { intention, msisdn, line, language } = context
    const sms = asked.sms.slice(0, SMS_TOGETHER_MAX).flatMap((one): SmsRequest[] => {
      const read = smsRequestSchema.safeParse(one)
      if (read.success) return [read.data]
      refused(operation, context, { result: 'wrong', why: wrongWords(read.error.issues) })
      return []
    })
    const cancel = asked.cancel.slice(0, SMS_TOGETHER_MAX).filter((key) => typeof key === 'string')
    if (asked.sms.length > SMS_TOGETHER_MAX || asked.cancel.length > SMS_TOGETHER_MAX) {
      counters.count('limits_total', { limit: 'backend_sms_max' })
      refused(operation, context, { result: 'over', why: `more than ${SMS_TOGETHER_MAX} in one answer` })
    }
    if (sms.length === 0 && cancel.length === 0) return
    const asker = { owner, msisdn, line, language, key: intention }
    try {
      await owed.owe(intention, { asker, sms, cancel, askedMs: clock.today() })
    } catch (error) {
      counters.count('sms_owed_total', { what: 'lost' })
      log.error({ err: error, backend: backend.name, operation, ...dialogueInLog(context) }, LOST)
    }
  }

  return {
    ...backend,
    async call(operation, args, context) {
      const result = await backend.call(operation, args, context)
      const found = context.once && result.is === 'data' ? askedIn(result.data) : undefined
      if (!found || result.is !== 'data') return result
      await ask(operation, found, context)
      return { ...result, data: found.rest }
    },
  }
}

interface Refused {
  /** A label of the counter. */
  result: string
  why: string
}

interface Asked {
  sms: readonly Json[]
  cancel: readonly Json[]
  /** The data without them. */
  rest: Json
}

/** Undefined: it asks for nothing. */
function askedIn(data: Json): Asked | undefined {
  if (data === null || typeof data !== 'object' || Array.isArray(data)) return undefined
  const { sms, cancel, ...rest } = data
  if (!Array.isArray(sms) && !Array.isArray(cancel)) return undefined
  return {
    sms: Array.isArray(sms) ? sms : [],
    cancel: Array.isArray(cancel) ? cancel : [],
    rest: {
      ...rest,
      ...(Array.isArray(sms) || sms === undefined ? {} : { sms }),
      ...(Array.isArray(cancel) || cancel === undefined ? {} : { cancel }),
    },
  }
}

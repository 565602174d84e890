/** Asks the SMSC about an SMS: query_sm, after all USSD, like every SMS. (SMPP v3.4 §4.8) */
import { type QueryLine } from '../outbox/index.ts'
import { type QueryOutcome, type SmsQuery, ownClasses, statusClass } from '../terms/index.ts'
import { messageState } from './receipt.ts'
import { STATUS } from '../../smpp/pdu/index.ts'
import type { Line, OutgoingPdu, SubmitOutcome } from '../../smpp/index.ts'
import type { Clock, SmsSender } from '../../ussd/index.ts'
import type { OfService, SmsLine, SmsSettings } from '../settings/index.ts'

export interface QueryDeps {
  settings: readonly SmsLine[]
  lines: { get(name: string): Line | undefined }
  clock: Clock
  /** What the SMS of a service have of their own, by the owner. Default: nothing. */
  serviceOf?: ((owner?: string) => OfService | undefined) | undefined
}

/** How often each line is checked. */
export const QUERY_EVERY_MS = 5_000

/**
 * The lines that want queries and can send them, and how many SMS each may ask about per look: its share of the SMS
 * rate.
 */
export function queryLines({ settings, lines }: QueryDeps): QueryLine[] {
  return settings.flatMap(({ name, sms }) => {
    const line = lines.get(name)
    if (sms?.queryMs === undefined || !line?.bound() || line.dialect.habits.messageIdUseless) return []
    return [
      {
        line: name,
        afterMs: sms.queryMs,
        limit: Math.max(1, Math.floor((sms.perSecond * sms.queryShare * QUERY_EVERY_MS) / 1000)),
      },
    ]
  })
}

export function smsQuery({ settings, lines, clock, serviceOf }: QueryDeps): SmsQuery {
  return async ({ line: name, messageId, owner }) => {
    const line = lines.get(name)
    const how = settings.find((one) => one.name === name)
    if (!line || !how?.sms) return { is: 'unsent' }
    return said(
      await line.submit(querySm(messageId, serviceOf?.(owner)?.sender ?? line.sms), {
        lane: 'sms',
        deadline: clock.now() + how.timers.responseMs,
      }),
      how.sms,
      line,
    )
  }
}

function said(outcome: SubmitOutcome, how: SmsSettings, { dialect }: Line): QueryOutcome {
  if (outcome.kind === 'ok') {
    const { message_state: state, error_code: error } = outcome.pdu.body
    return {
      is: 'said',
      state: messageState(Number(state ?? 0)) ?? 'unknown',
      error: String(error ?? 0).padStart(3, '0'),
    }
  }
  if (outcome.kind === 'unsent') return { is: 'unsent' }
  if (outcome.kind === 'lost') return { is: 'later' }
  if (outcome.kind === 'timeout' || outcome.status === STATUS.ESME_RINVCMDID) return { is: 'unsupported' }
  const { status } = outcome
  return { is: statusClass(status, ownClasses(how.statuses), dialect.policy(status)) === 'fail' ? 'unknown' : 'later' }
}

function querySm(messageId: string, sms: SmsSender): OutgoingPdu {
  return {
    command: 'query_sm',
    tlvs: [],
    body: {
      message_id: messageId,
      source_addr_ton: sms.sourceTon,
      source_addr_npi: sms.sourceNpi,
      source_addr: sms.source,
    },
  }
}

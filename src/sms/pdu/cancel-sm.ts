/** Cancels an SMS at the SMSC: one cancel_sm for each part. (SMPP v3.4 §4.9) */
import type { Line, OutgoingPdu } from '../../smpp/index.ts'
import type { Clock, SmsSender } from '../../ussd/index.ts'
import type { OfService, SmsLine, SmsSettings } from '../settings/index.ts'
import { type RecallOutcome, type SmsToRecall, urgencyOf } from '../terms/index.ts'

export interface RecallDeps {
  settings: readonly SmsLine[]
  lines: { get(name: string): Line | undefined }
  clock: Clock
  /** What the SMS of a service have of their own, by the owner. Default: nothing. */
  serviceOf?: ((owner?: string) => OfService | undefined) | undefined
}

export function smsRecall({
  settings,
  lines,
  clock,
  serviceOf,
}: RecallDeps): (sms: SmsToRecall) => Promise<RecallOutcome> {
  return async (sms) => {
    const line = lines.get(sms.line)
    const how = settings.find(({ name }) => name === sms.line)
    if (!line || !how?.sms?.manage || !sms.messageIds.length) return 'off'
    let outcome: RecallOutcome = 'gone'
    for (const messageId of sms.messageIds) {
      const deadline = clock.now() + how.timers.responseMs
      const answer = await line.submit(
        cancelSm(messageId, sms.msisdn, { sms: serviceOf?.(sms.owner)?.sender ?? line.sms, how: how.sms }),
        { lane: 'sms', urgency: urgencyOf('transactional'), deadline },
      )
      if (answer.kind === 'unsent') return 'unsent'
      if (answer.kind !== 'ok') outcome = 'kept'
    }
    return outcome
  }
}

function cancelSm(messageId: string, msisdn: string, { sms, how }: { sms: SmsSender; how: SmsSettings }): OutgoingPdu {
  return {
    command: 'cancel_sm',
    tlvs: [],
    body: {
      service_type: how.serviceType,
      message_id: messageId,
      source_addr_ton: sms.sourceTon,
      source_addr_npi: sms.sourceNpi,
      source_addr: sms.source,
      dest_addr_ton: how.destTon,
      dest_addr_npi: how.destNpi,
      destination_addr: msisdn,
    },
  }
}

/** Replaces the text of an SMS that waits at the SMSC: replace_sm. (SMPP v3.4 §4.10) */
import { type SmsReplace, urgencyOf } from '../terms/index.ts'
import { splitSms } from './segments.ts'
import type { OutgoingPdu } from '../../smpp/index.ts'
import type { SmsSender } from '../../ussd/index.ts'
import type { RecallDeps } from './cancel-sm.ts'
import { splittingOf } from './submit-sm.ts'

/** Only the octets of the text can be replaced: its coding and its header stay those of the first text. */
export function smsReplace({ settings, lines, clock, serviceOf }: RecallDeps): SmsReplace {
  return async (sms) => {
    const line = lines.get(sms.line)
    const how = settings.find(({ name }) => name === sms.line)
    if (!line || !how?.sms?.manage) return 'off'
    const [before, after] = [sms.before, sms.text].map((text) => splitSms(text, splittingOf(how.sms!), 1).parts)
    const [old, next] = [before![0]!, after![0]!]
    const isFit =
      before!.length === 1 &&
      after!.length === 1 &&
      old.dataCoding === next.dataCoding &&
      old.esmClass === next.esmClass &&
      next.esmClass === 0 &&
      next.tlvs.length === 0
    if (!isFit) return 'unfit'
    const pdu = replaceSm(sms.messageId, next.shortMessage, {
      sms: serviceOf?.(sms.owner)?.sender ?? line.sms,
      receipts: how.sms.receipts,
    })
    const deadline = clock.now() + how.timers.responseMs
    const { kind } = await line.submit(pdu, { lane: 'sms', urgency: urgencyOf('transactional'), deadline })
    if (kind === 'ok') return 'replaced'
    if (kind === 'refused' || kind === 'unsent') return kind
    return 'unknown'
  }
}

/** Empty times: they stay unchanged. */
function replaceSm(
  messageId: string,
  text: Buffer,
  { sms, receipts }: { sms: SmsSender; receipts: boolean },
): OutgoingPdu {
  return {
    command: 'replace_sm',
    tlvs: [],
    body: {
      message_id: messageId,
      source_addr_ton: sms.sourceTon,
      source_addr_npi: sms.sourceNpi,
      source_addr: sms.source,
      schedule_delivery_time: '',
      validity_period: '',
      registered_delivery: receipts ? 1 : 0,
      sm_default_msg_id: 0,
      short_message: text,
    },
  }
}

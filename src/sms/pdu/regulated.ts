/**
 * What a regulator or an operator wants in an SMS besides its text: the sender of its service, parameters of their own,
 * and the id of a registered template. What is nearer to the SMS goes first: the SMS, its template, its service, the
 * line.
 */
import type { Tlv } from '../../smpp/index.ts'
import type { SmsSender } from '../../ussd/index.ts'
import {
  type OfService,
  type SmsSettings,
  templateFault,
  templateOf,
  vendorOctets,
  type VendorTlvs,
  vendorTlvs,
} from '../settings/index.ts'
import type { SmsToSend } from '../terms/index.ts'

export interface SmsDress {
  tlvs: Tlv[]
  /** Undefined: that of the line. */
  sender: SmsSender | undefined
}

export function dressed(
  sms: SmsToSend,
  how: Pick<SmsSettings, 'tlvs' | 'templates'>,
  own?: OfService,
): SmsDress | { fault: string } {
  const fault = templateFault(sms.text, sms.template, how)
  if (fault) return { fault }
  const { templates } = how
  const template = sms.template ?? (templates && templateOf(sms.text, templates.list)?.id)
  const all: VendorTlvs = {
    ...how.tlvs,
    ...own?.tlvs,
    ...(templates && template !== undefined ? { [templates.tag]: template } : {}),
    ...ownTlvs(sms),
  }
  const byTag = new Map(Object.entries(all).map(([tag, written]) => [Number(tag), vendorOctets(written)]))
  return { tlvs: [...byTag].map(([tag, value]) => ({ tag, value })), sender: own?.sender }
}

/** As the request had them. What an older or newer daemon stored otherwise is left out. */
function ownTlvs({ tlvs }: SmsToSend): VendorTlvs {
  if (tlvs === undefined) return {}
  const read = vendorTlvs.safeParse(JSON.parse(tlvs))
  return read.success ? read.data : {}
}

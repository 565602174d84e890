/** Whose name an SMS carries: that of its line, or of its service. */
import { senderOf, type SmsSender } from '../../ussd/index.ts'
import type { SmsInSettings } from './incoming.ts'
import type { VendorTlvs } from './vendor.ts'

/** What the SMS of one service have of their own. */
export interface OfService {
  /** Undefined: the sender of the line. */
  sender: SmsSender | undefined
  tlvs: VendorTlvs
}

/** The service of each owner that has one. */
export function serviceOfOwner({
  services,
}: Pick<SmsInSettings, 'services'>): (owner?: string) => OfService | undefined {
  const all = new Map(
    Object.values(services).flatMap(({ owners, source, sourceTon, sourceNpi, tlvs }) => {
      const sender = source === undefined ? undefined : senderOf({ source, sourceTon, sourceNpi })
      return owners.map((owner): [string, OfService] => [owner, { sender, tlvs }])
    }),
  )
  return (owner) => (owner === undefined ? undefined : all.get(owner))
}

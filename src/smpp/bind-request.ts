/** The bind request. (SMPP v3.4 §4.1) */
import type { SmscSettings } from './settings.ts'
import { encode, type Encoded } from './codec.ts'

/** What a bind may do: submit, receive, or both. */
export type Role = 'transceiver' | 'transmitter' | 'receiver'

/** Octets with sequence number 0; a fault if a setting cannot be carried. They hold the password: never dump them. */
export function bindRequest(role: Role, smsc: SmscSettings): Encoded {
  return encode({
    command: `bind_${role}`,
    body: {
      system_id: smsc.systemId,
      password: smsc.password,
      system_type: smsc.systemType,
      interface_version: smsc.interfaceVersion,
      addr_ton: smsc.addrTon,
      addr_npi: smsc.addrNpi,
      address_range: smsc.addressRange,
    },
    tlvs: [],
  })
}

/** The bind request. (SMPP v3.4 §4.1) */
import type { SmscSettings } from './settings.ts'
import { encode, type Encoded } from '../pdu/index.ts'

/** What a bind may do: submit, receive, or both. */
export type BindRole = 'transceiver' | 'transmitter' | 'receiver'

/** Octets with sequence number 0, or a fault if a setting cannot be coded. They hold the password: never dump them. */
export function bindRequest(role: BindRole, smsc: SmscSettings): Encoded {
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

/** bind_receiver, bind_transmitter, bind_transceiver, outbind. (SMPP v3.4 §5.1.2.1) */
const WITH_PASSWORD = new Set([0x01, 0x02, 0x09, 0x0b])
const BLOT = Buffer.from('********')

/** The request with eight asterisks in place of its password, whatever its length. Any other PDU stays as it is. */
export function withoutPassword(octets: Buffer): Buffer {
  if (octets.length < 16 || !WITH_PASSWORD.has(octets.readUInt32BE(4))) return octets
  const from = octets.indexOf(0, 16) + 1
  const to = from === 0 ? -1 : octets.indexOf(0, from)
  // If the end of the password is not visible, everything that could be password goes.
  const rest = to < 0 ? Buffer.of(0) : octets.subarray(to)
  const blotted = Buffer.concat([octets.subarray(0, from === 0 ? 16 : from), BLOT, rest])
  blotted.writeUInt32BE(blotted.length, 0)
  return blotted
}

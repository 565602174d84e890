/** The commands of an SMSC and the order of their mandatory parameters, from SMPP v3.4 §4 and §5.1.2.1. */

/** c: C-string of at most this many octets with its NUL · u8: one octet · sm: sm_length and short_message. */
export type Field =
  | { name: string; is: 'c'; octetsMax: number }
  | { name: string; is: 'u8' }
  | { name: string; is: 'sm' }

export interface Command {
  id: number
  name: string
  fields: readonly Field[]
}

const c = (name: string, octetsMax: number): Field => ({ name, is: 'c', octetsMax })
const u8 = (name: string): Field => ({ name, is: 'u8' })

const bind = [
  c('system_id', 16),
  c('password', 9),
  c('system_type', 13),
  u8('interface_version'),
  u8('addr_ton'),
  u8('addr_npi'),
  c('address_range', 41),
]
const bindResp = [c('system_id', 16)]
const source = [u8('source_addr_ton'), u8('source_addr_npi'), c('source_addr', 21)]
const destination = [u8('dest_addr_ton'), u8('dest_addr_npi'), c('destination_addr', 21)]
const dataAddresses = [
  u8('source_addr_ton'),
  u8('source_addr_npi'),
  c('source_addr', 65),
  u8('dest_addr_ton'),
  u8('dest_addr_npi'),
  c('destination_addr', 65),
]
const message = [
  c('service_type', 6),
  ...source,
  ...destination,
  u8('esm_class'),
  u8('protocol_id'),
  u8('priority_flag'),
  c('schedule_delivery_time', 17),
  c('validity_period', 17),
  u8('registered_delivery'),
  u8('replace_if_present_flag'),
  u8('data_coding'),
  u8('sm_default_msg_id'),
  { name: 'short_message', is: 'sm' } as Field,
]
const messageId = [c('message_id', 65)]

const table: [number, string, Field[]][] = [
  [0x00000001, 'bind_receiver', bind],
  [0x80000001, 'bind_receiver_resp', bindResp],
  [0x00000002, 'bind_transmitter', bind],
  [0x80000002, 'bind_transmitter_resp', bindResp],
  [0x00000003, 'query_sm', [...messageId, ...source]],
  [0x80000003, 'query_sm_resp', [...messageId, c('final_date', 17), u8('message_state'), u8('error_code')]],
  [0x00000004, 'submit_sm', message],
  [0x80000004, 'submit_sm_resp', messageId],
  [0x00000005, 'deliver_sm', message],
  [0x80000005, 'deliver_sm_resp', messageId],
  [0x00000006, 'unbind', []],
  [0x80000006, 'unbind_resp', []],
  [
    0x00000007,
    'replace_sm',
    [
      ...messageId,
      ...source,
      c('schedule_delivery_time', 17),
      c('validity_period', 17),
      u8('registered_delivery'),
      u8('sm_default_msg_id'),
      { name: 'short_message', is: 'sm' },
    ],
  ],
  [0x80000007, 'replace_sm_resp', []],
  [0x00000008, 'cancel_sm', [c('service_type', 6), ...messageId, ...source, ...destination]],
  [0x80000008, 'cancel_sm_resp', []],
  [0x00000009, 'bind_transceiver', bind],
  [0x80000009, 'bind_transceiver_resp', bindResp],
  [0x0000000b, 'outbind', [c('system_id', 16), c('password', 9)]],
  [0x00000015, 'enquire_link', []],
  [0x80000015, 'enquire_link_resp', []],
  [
    0x00000102,
    'alert_notification',
    [
      u8('source_addr_ton'),
      u8('source_addr_npi'),
      c('source_addr', 65),
      u8('esme_addr_ton'),
      u8('esme_addr_npi'),
      c('esme_addr', 65),
    ],
  ],
  [
    0x00000103,
    'data_sm',
    [c('service_type', 6), ...dataAddresses, u8('esm_class'), u8('registered_delivery'), u8('data_coding')],
  ],
  [0x80000103, 'data_sm_resp', messageId],
  [0x80000000, 'generic_nack', []],
]

export const COMMANDS_BY_ID: ReadonlyMap<number, Command> = new Map(
  table.map(([id, name, fields]) => [id, { id, name, fields }]),
)
export const COMMANDS_BY_NAME: ReadonlyMap<string, Command> = new Map(
  table.map(([id, name, fields]) => [name, { id, name, fields }]),
)

/** command_status values that the simulator sends or expects. (SMPP v3.4 §5.1.3) */
export const COMMAND_STATUS = {
  ESME_ROK: 0x00,
  ESME_RINVMSGLEN: 0x01,
  ESME_RINVCMDLEN: 0x02,
  ESME_RINVCMDID: 0x03,
  ESME_RINVBNDSTS: 0x04,
  ESME_RALYBND: 0x05,
  ESME_RINVPRTFLG: 0x06,
  ESME_RINVREGDLVFLG: 0x07,
  ESME_RSYSERR: 0x08,
  ESME_RINVSRCADR: 0x0a,
  ESME_RINVDSTADR: 0x0b,
  ESME_RINVMSGID: 0x0c,
  ESME_RBINDFAIL: 0x0d,
  ESME_RINVPASWD: 0x0e,
  ESME_RINVSYSID: 0x0f,
  ESME_RCANCELFAIL: 0x11,
  ESME_RREPLACEFAIL: 0x13,
  ESME_RMSGQFUL: 0x14,
  ESME_RINVSERTYP: 0x15,
  ESME_RINVNUMDESTS: 0x33,
  ESME_RINVDLNAME: 0x34,
  ESME_RINVDESTFLAG: 0x40,
  ESME_RINVSUBREP: 0x42,
  ESME_RINVESMCLASS: 0x43,
  ESME_RCNTSUBDL: 0x44,
  ESME_RSUBMITFAIL: 0x45,
  ESME_RINVSRCTON: 0x48,
  ESME_RINVSRCNPI: 0x49,
  ESME_RINVDSTTON: 0x50,
  ESME_RINVDSTNPI: 0x51,
  ESME_RINVSYSTYP: 0x53,
  ESME_RINVREPFLAG: 0x54,
  ESME_RINVNUMMSGS: 0x55,
  ESME_RTHROTTLED: 0x58,
  ESME_RINVSCHED: 0x61,
  ESME_RINVEXPIRY: 0x62,
  ESME_RINVDFTMSGID: 0x63,
  ESME_RX_T_APPN: 0x64,
  ESME_RX_P_APPN: 0x65,
  ESME_RX_R_APPN: 0x66,
  ESME_RQUERYFAIL: 0x67,
  ESME_RINVOPTPARSTREAM: 0xc0,
  ESME_ROPTPARNOTALLWD: 0xc1,
  ESME_RINVPARLEN: 0xc2,
  ESME_RMISSINGOPTPARAM: 0xc3,
  ESME_RINVOPTPARAMVAL: 0xc4,
  ESME_RDELIVERYFAILURE: 0xfe,
  ESME_RUNKNOWNERR: 0xff,
} as const

const statusNames = new Map<number, string>(Object.entries(COMMAND_STATUS).map(([name, value]) => [value, name]))

/** `0x58 ESME_RTHROTTLED`, for people. */
export function nameOfStatus(status: number): string {
  const name = statusNames.get(status)
  return `0x${status.toString(16).padStart(2, '0')}${name ? ` ${name}` : ''}`
}

/** Names of TLV tags that a trace shows. (SMPP v3.4 §5.3.2) */
export const TAGS: ReadonlyMap<number, string> = new Map([
  [0x0007, 'dest_bearer_type'],
  [0x001e, 'receipted_message_id'],
  [0x0030, 'ms_msg_wait_facilities'],
  [0x0202, 'source_subaddress'],
  [0x0203, 'dest_subaddress'],
  [0x0204, 'user_message_reference'],
  [0x020c, 'sar_msg_ref_num'],
  [0x020d, 'language_indicator'],
  [0x020e, 'sar_total_segments'],
  [0x020f, 'sar_segment_seqnum'],
  [0x0210, 'sc_interface_version'],
  [0x0422, 'ms_availability_status'],
  [0x0423, 'network_error_code'],
  [0x0424, 'message_payload'],
  [0x0427, 'message_state'],
  [0x0428, 'congestion_state'],
  [0x0501, 'ussd_service_op'],
  [0x1380, 'its_reply_type'],
  [0x1383, 'its_session_info'],
])

/** Limits of SMPP fields and optional parameters, and the status that says which limit was exceeded. */
import { STATUS } from './status.ts'

/** Why we cannot accept a PDU: the status of the response, and a few words for counters and logs (never content). */
export interface PduFault {
  status: number
  why: string
}

/** The largest number of optional parameters in one PDU. Real PDUs have fewer than 20. */
export const TLVS_MAX = 64

/** The largest sm_length that we send. (SMPP v3.4 §5.2.21; 5.0 allows 255, which we accept) */
export const SHORT_MESSAGE_OCTETS_MAX = 254

/** Octets of a C-string with its NUL. (SMPP v3.4 §4 and §5.2) */
const C_OCTETS: Record<string, number> = {
  service_type: 6,
  source_addr: 21,
  destination_addr: 21,
  esme_addr: 65,
  schedule_delivery_time: 17,
  validity_period: 17,
  final_date: 17,
  message_id: 65,
  system_id: 16,
  password: 9,
  system_type: 13,
  address_range: 41,
}

/** Addresses of data_sm and alert_notification are longer than those of submit_sm. (SMPP v3.4 §4.7.1, §4.12.1) */
const LONG_ADDRESS = new Set(['data_sm', 'alert_notification'])

/** The most octets that this C-string may have in this command, including the NUL. */
export function cOctetsMax(command: string, field: string): number {
  if (LONG_ADDRESS.has(command) && (field === 'source_addr' || field === 'destination_addr')) return 65
  return C_OCTETS[field] ?? 65
}

/** How much of an overlong C-string is kept: enough to tell what it is, and that it is too long. */
export const LONG_OCTETS_KEPT = 255

const MESSAGES = new Set(['deliver_sm', 'data_sm'])
/** esm_class: the message is a delivery receipt, or an intermediate notification. (SMPP v3.4 §5.2.12; 0x20 is bit 5) */
const RECEIPT = { mask: 0x3c, delivery: 0x04, intermediate: 0x20 }

/** A message about one of our messages. It needs only an id, a reference or a state. */
export function isReceipt(command: string, esmClass: unknown): boolean {
  const type = Number(esmClass) & RECEIPT.mask
  return MESSAGES.has(command) && (type === RECEIPT.delivery || type === RECEIPT.intermediate)
}

/**
 * Whether an overlong C-string is tolerated. It is, unless the field says whose message it is. If an answer would have
 * to repeat the field, the dialect refuses the PDU.
 */
export function mayBeLong(command: string, field: string, esmClass: unknown): boolean {
  return MESSAGES.has(command) && (field !== 'source_addr' || isReceipt(command, esmClass))
}

const FIELD_STATUS: Record<string, number> = {
  service_type: STATUS.ESME_RINVSERTYP,
  source_addr: STATUS.ESME_RINVSRCADR,
  destination_addr: STATUS.ESME_RINVDSTADR,
  schedule_delivery_time: STATUS.ESME_RINVSCHED,
  validity_period: STATUS.ESME_RINVEXPIRY,
  message_id: STATUS.ESME_RINVMSGID,
  system_id: STATUS.ESME_RINVSYSID,
  password: STATUS.ESME_RINVPASWD,
  system_type: STATUS.ESME_RINVSYSTYP,
}

/** The status for a C-string that has no NUL or is too long. */
export function fieldStatus(field: string): number {
  return FIELD_STATUS[field] ?? STATUS.ESME_RINVCMDLEN
}

const ANY_INTEGER: [number, number] = [0, 8]

/**
 * Lengths of known optional parameters, [least, most]. Integers are accepted in any width: senders get it wrong, but
 * the value is clear. An empty integer means absent; a refusal would lose the dialogue or the receipt. its_session_info
 * has 1 to 8 octets (2 by SMPP v3.4 §5.3.2.43, 4 seen); receipted_message_id may lack its NUL. Tags that are not listed
 * are not checked.
 */
const TLV_OCTETS = new Map<number, [number, number]>([
  [0x0005, ANY_INTEGER], // dest_addr_subunit
  [0x0006, ANY_INTEGER], // dest_network_type
  [0x0007, ANY_INTEGER], // dest_bearer_type
  [0x0008, ANY_INTEGER], // dest_telematics_id
  [0x000d, ANY_INTEGER], // source_addr_subunit
  [0x000e, ANY_INTEGER], // source_network_type
  [0x000f, ANY_INTEGER], // source_bearer_type
  [0x0010, ANY_INTEGER], // source_telematics_id
  [0x0017, ANY_INTEGER], // qos_time_to_live
  [0x0019, ANY_INTEGER], // payload_type
  [0x001d, [0, 256]], // additional_status_info_text
  [0x001e, [0, 65]], // receipted_message_id
  [0x0030, ANY_INTEGER], // ms_msg_wait_facilities
  [0x0201, ANY_INTEGER], // privacy_indicator
  [0x0202, [0, 23]], // source_subaddress
  [0x0203, [0, 23]], // dest_subaddress
  [0x0204, ANY_INTEGER], // user_message_reference
  [0x0205, ANY_INTEGER], // user_response_code
  [0x020a, ANY_INTEGER], // source_port
  [0x020b, ANY_INTEGER], // destination_port
  [0x020c, ANY_INTEGER], // sar_msg_ref_num
  [0x020d, ANY_INTEGER], // language_indicator
  [0x020e, ANY_INTEGER], // sar_total_segments
  [0x020f, ANY_INTEGER], // sar_segment_seqnum
  [0x0210, ANY_INTEGER], // sc_interface_version
  [0x0302, ANY_INTEGER], // callback_num_pres_ind
  [0x0303, [1, 65]], // callback_num_atag
  [0x0304, ANY_INTEGER], // number_of_messages
  [0x0381, [4, 19]], // callback_num
  [0x0420, ANY_INTEGER], // dpf_result
  [0x0421, ANY_INTEGER], // set_dpf
  [0x0422, ANY_INTEGER], // ms_availability_status
  [0x0423, ANY_INTEGER], // network_error_code: a type and a number, 3 octets
  [0x0425, ANY_INTEGER], // delivery_failure_reason
  [0x0426, ANY_INTEGER], // more_messages_to_send
  [0x0427, ANY_INTEGER], // message_state
  [0x0428, ANY_INTEGER], // congestion_state
  [0x0501, ANY_INTEGER], // ussd_service_op
  [0x0601, [3, 3]], // broadcast_content_type
  [0x0606, [1, 1024]], // broadcast_area_identifier
  [0x060b, [1, 1024]], // billing_identification
  [0x1380, ANY_INTEGER], // its_reply_type
  [0x1383, [1, 8]], // its_session_info
])

/** False if a known optional parameter has an impossible length. */
export function tlvLengthFits(tag: number, octets: number): boolean {
  const range = TLV_OCTETS.get(tag)
  return !range || (octets >= range[0] && octets <= range[1])
}

/** Requests that have no response PDU. (SMPP v3.4 §4.1.7, §4.12) */
export const UNANSWERED = new Set(['alert_notification', 'outbind', 'generic_nack'])

/** True for a command that is a response. */
export function isResponse(command: string): boolean {
  return command.endsWith('_resp') || command === 'generic_nack'
}

/** esm_class bit 6: short_message begins with a user data header. (SMPP v3.4 §5.2.12) */
export const UDHI = 0x40

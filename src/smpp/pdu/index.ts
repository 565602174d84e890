/** Octets of one PDU to a value and back: framer, codec, optional parameters, command_status. */
export {
  decode,
  encode,
  type Encoded,
  encodeNack,
  encodeResponse,
  fieldNames,
  isKnown,
  type Writable,
} from './codec.ts'
export { cOctetsMax, fieldStatus, isResponse, type PduFault, UDHI, UNANSWERED } from './commands.ts'
export { framer, type Framer, type FramingFault, PDU_OCTETS_MAX } from './framer.ts'
export { STATUS, statusLabel, statusText } from './status.ts'

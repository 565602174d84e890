/** How one operator puts USSD into SMPP: a profile in YAML, compiled to pure functions. */
export {
  endBitInSession,
  endBitOf,
  getSession,
  mintSession,
  type PduTarget,
  type PduView,
  putSession,
  readPlace,
  readPlaceText,
  tlvOf,
  uint,
  withEndBit,
} from './carrier.ts'
export { compileClassifier, ESM_TYPE_MASK, operationOf } from './classify.ts'
export { compileCode } from './code.ts'
export { compileDialect, copiesConfirm, payloadOf, splitHeader, viewOf } from './dialect.ts'
export { type Envelope, readEnvelope, writeEnvelope } from './envelope.ts'
export { dialectNames, loadDialect, loadProfile, merge } from './load.ts'
export {
  type ActionProfile,
  type DialectCondition,
  type DialectPlace,
  type DialectProfile,
  dialectProfile,
  type TextCoding,
} from './schema.ts'
export { decodeText, encodeText } from './text.ts'

/** The vocabulary, texts as handsets show them, MSISDNs, service codes, meanings of statuses. Imports nothing. */
export { directed, directedValue, isRtl, undirected } from './direction.ts'
export { countGsm7, decodeGsm7, encodeGsm7, packSeptets, uncodableAt, unpackSeptets } from './gsm7.ts'
export {
  MSISDN_DIGITS_MAX,
  msisdnOf,
  type NumberedLine,
  type Numbering,
  numberingOf,
  readMsisdn,
  remedyFor,
  senderOf,
  type SmsSender,
} from './msisdn.ts'
export { LOCKING_TABLES, SINGLE_TABLES } from './national-tables.ts'
export { decodeNational, encodeNational, LANGUAGES, NO_SHIFT, type Shift, shiftElements, shiftFor } from './national.ts'
export { decodeAscii, decodeLatin1, decodeUcs2, decodeUtf8, encodeAscii, encodeLatin1, encodeUcs2 } from './octets.ts'
export { isRefusalName, REFUSAL_NAME, refusalInLog } from './refusal-name.ts'
export {
  CODE_LENGTH_MAX,
  type CodeRoute,
  normaliseCode,
  readCode,
  routeCode,
  type ServiceCode,
} from './service-code.ts'
export { blankDialled, blankedCode, hideDialled, isServed, shownCode } from './shown-code.ts'
export {
  isBusyStatus,
  type OwnPolicies,
  STATUS_WHOSE,
  type StatusPolicy,
  statusPolicy,
  type StatusWhen,
} from './status-policy.ts'
export { statusEffect, statusMeans } from './status-words.ts'
export {
  alphabetOf,
  boundaryAt,
  clean,
  clusterAt,
  count,
  fewMarks,
  fit,
  fits,
  longestPage,
  toGsm7Text,
  transliterate,
  isPrintableAscii,
  trimAnswer,
} from './text.ts'
export {
  type Alphabet,
  type Chance,
  type Clock,
  type EndReason,
  type Json,
  type JsonObject,
  type PageLimit,
  type ReturnPath,
  USSD_PAGE,
  type UssdAction,
  type UssdKind,
  type UssdMessage,
  type UssdReply,
} from './vocabulary.ts'

/** The other side: an SMSC, its phones and its faults. Own codec: it shares no code with the daemon's. */
export { networkCodingOf } from './network-codings.ts'
export { profileCoding } from './network-encoder.ts'
export type { Phone } from './phone.ts'
export { simulate } from './simulate.ts'
export { startSmsc } from './smsc.ts'
export {
  dialTerminal,
  frame,
  recordedTalkOf,
  remotePhone,
  type TerminalPhone,
  type TerminalView,
  typedLines,
  type TypedLines,
  writtenLines,
} from './terminal.ts'

/** The other side: an SMSC, its phones and its faults. Own codec: it shares no code with the daemon's. */
export { networkCodingOf, profileCoding } from './network/index.ts'
export type { Phone } from './phone/index.ts'
export { simulate } from './simulate.ts'
export { startSmsc } from './smsc/index.ts'
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
} from './control/index.ts'

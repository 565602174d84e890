/** The network's side: an SMSC, its phones and its faults. It shares no codec with the daemon. */
export { loadTalks, type PlayedTalk, type ScreenCheck, type TalkLoadResult, type TalkTurn } from './load/index.ts'
export { networkCodingOf, profileCoding } from './network/index.ts'
export type { Phone } from './phone/index.ts'
export { simulate } from './simulate.ts'
export { seededChance, type Smsc, startSmsc } from './smsc/index.ts'
export {
  dialTerminal,
  frame,
  HANDSET_FILES,
  pageEvent,
  type PageServer,
  pageStream,
  recordedTalkOf,
  remotePhone,
  servePageFiles,
  startPageServer,
  type TerminalPhone,
  type TerminalView,
  typedLines,
  type TypedLines,
  writtenLines,
} from './control/index.ts'

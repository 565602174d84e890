/** The control HTTP (web phone, JSON API, events), and the phone in a terminal, which uses it. */
export { startControl, type Control, type ControlOptions } from './http.ts'
export { type PageServer, startPageServer } from './page-server.ts'
export { pageEvent, pageStream } from './page-stream.ts'
export { HANDSET_FILES, servePageFiles } from './pages.ts'
export type { TalkOf } from './phone-routes.ts'
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

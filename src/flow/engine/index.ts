/** What a compiled flow is, and how it is stepped: snapshots, layout, answers. */
export {
  advance,
  type Advanced,
  advanceOrWait,
  type CallOutcome,
  CALLS_PER_TURN_MAX,
  type CallWant,
  outcomeEvent,
} from './advance.ts'
export {
  examplesOf,
  lengthReader,
  numberReader,
  patternReader,
  type Rule,
  ruleOf,
  TALK_MSISDN,
  typedDay,
  WALKED_AT,
  WORD_CODE,
} from './answer-checks.ts'
export { APP_LEAD, type AppAsk, appFlow, appHistory, appName, type AppSaid, closing } from './app-flow.ts'
export {
  fitLine,
  keyLines,
  type LayoutLine,
  type Many,
  layPage,
  lookUp,
  onceWhole,
  type Page,
  pageFor,
  relay,
  roomAbove,
  type ScreenContent,
} from './layout.ts'
export type { CompiledFlow, FlowArchive, FlowEvent, FlowInput, FlowRegistry, FlowSnapshot, Want } from './types.ts'

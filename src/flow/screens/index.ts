/** One file for each kind of screen: its schema, its targets, its texts, and how it is asked, shown and answered. */
export { abandonedCall } from './abandoned.ts'
export type { BranchScreen } from './branch.ts'
export type { CallScreen } from './call.ts'
export {
  type CallExample,
  type ExampleDeps,
  type Examples,
  fieldPath,
  type Lengths,
  type Reads,
  readsMade,
  type RowFields,
} from './examples.ts'
export { type DeclaredFields, declaredFields, type Expect, expectsOf, refusalExpects } from './expect.ts'
export { acceptsAlone, type InputScreen } from './input.ts'
export type { KeptSize, Outcome, RowsUsed } from './kind.ts'
export {
  BASIC_KINDS,
  type Kind,
  kindOf,
  KINDS,
  SCREEN_TYPES,
  type ScreenDefinition,
  SCREENS,
  writtenKindOf,
  type WrittenScreen,
} from './kinds.ts'
export { KEEP_LANGUAGE, SUBSCRIBER } from './language.ts'
export type { FlowScreen, ReturnScreen } from './part.ts'
export type { Expanded, ScreenType, ScreenTypes } from './screen-type.ts'
export { SMS, SMS_CANCEL, SMS_LEFT, SMS_SEND } from './sms.ts'

/** What a flow file may say: its schema, its definition after reading, and where it says what. */
export {
  builtIn,
  builtInFor,
  condition,
  length,
  name,
  NEVER_RIGHT,
  number,
  path,
  type Path,
  scalar,
  text,
  type Text,
  TEXT_KEYS,
  UNREVIEWED,
  type TextKey,
  values,
} from '../terms/index.ts'
export {
  BASIC_KINDS,
  type BranchScreen,
  type CallScreen,
  type DeclaredFields,
  type Expect,
  expectsOf,
  type Expanded,
  type FlowPlace,
  type FlowScreen,
  type InputScreen,
  type Kind,
  kindOf,
  KINDS,
  refusalExpects,
  type ReturnScreen,
  SCREEN_TYPES,
  type ScreenDefinition,
  SCREENS,
  type ScreenType,
  type ScreenTypes,
  SMS,
  SMS_CANCEL,
  SMS_SEND,
  SUBSCRIBER,
  type TextUse,
  writtenKindOf,
  type WrittenScreen,
} from '../screens/index.ts'
export type { Scalar } from '../expression/index.ts'
export {
  asks,
  callOf,
  type Catalogue,
  type FlowDefinition,
  inputOf,
  isSeen,
  keepsUnder,
  keptAt,
  rowsFrom,
  secretsOf,
  setIn,
  targetsOf,
  usesOf,
} from './definition.ts'
export {
  circle,
  firstScreens,
  guardedScreens,
  homeScreens,
  leavable,
  reachable,
  rememberingScreens,
  unaskedChange,
} from './graph.ts'
export { backendJsonSchema, catalogueJsonSchema, flowJsonSchema, partJsonSchema } from './json-schema.ts'
export { hasKeys, keysOn, takesLabels } from './keys.ts'
export { layTypes } from './lay-types.ts'
export { BACKEND, CATALOGUE, FLOW, type OperationSaid, PART, SCREENS_MAX, SPEC } from './schema.ts'
export { FLOW_FILE_OCTETS_MAX, type Inside, pointing, readYaml, schemaProblems, type Yaml } from './source.ts'

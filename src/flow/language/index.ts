/** What a flow file may say: its schema, its definition after reading, and where it says what. */
export { BUILT_IN, builtIn, TEXT_KEYS, type TextKey } from './built-in-texts.ts'
export {
  asks,
  type BranchScreen,
  type CallScreen,
  type Catalogue,
  type Choice,
  type EndScreen,
  expectsOf,
  type FlowDefinition,
  type FlowScreen,
  type InputScreen,
  isRouter,
  type Kind,
  type ListScreen,
  type MenuScreen,
  type NotifyScreen,
  refusalExpects,
  type ReturnScreen,
  type Route,
  type RouterScreen,
  rowsFrom,
  type Scalar,
  type ScreenDefinition,
  secretsOf,
  type SetScreen,
  targetsOf,
  type Text,
  type WrittenScreen,
} from './definition.ts'
export {
  circle,
  firstScreens,
  guardedScreens,
  leavable,
  reachable,
  rememberingScreens,
  unaskedChange,
} from './graph.ts'
export { catalogueJsonSchema, flowJsonSchema, partJsonSchema } from './json-schema.ts'
export { hasKeys, type Keys, keysOn, takesLabels } from './keys.ts'
export { SUBSCRIBER } from './language-screen.ts'
export { type Check, CHECKSUMS, RULES } from './schema-checks.ts'
export {
  ANSWER_CHARS_MAX,
  condition,
  length,
  name,
  NEVER_RIGHT,
  number,
  path,
  scalar,
  text,
  values,
} from './schema-terms.ts'
export { CATALOGUE, FLOW, KINDS, PART, SCREENS, SCREENS_MAX, SPEC } from './schema.ts'
export { type Expanded, layTypes, SCREEN_TYPES, type ScreenType, type ScreenTypes } from './screen-type.ts'
export { SMS, SMS_SEND } from './sms-screen.ts'
export {
  FLOW_FILE_OCTETS_MAX,
  type Inside,
  type Path,
  pointing,
  readYaml,
  schemaProblems,
  type Yaml,
} from './source.ts'
export { type FlowPlace, setIn, type TextUse, usesOf } from './uses.ts'

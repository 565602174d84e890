/** What screens of every kind are made of: names, texts, paths, conditions, values, checks, built-in texts. */
export { BUILT_IN, builtIn, builtInFor, TEXT_KEYS, type TextKey, UNREVIEWED } from './built-in-texts.ts'
export { type Check, checks, CHECKSUMS, RULES } from './schema-checks.ts'
export {
  ANSWER_CHARS_MAX,
  caching,
  choiceKey,
  condition,
  handed,
  key,
  language,
  length,
  name,
  NEVER_RIGHT,
  number,
  path,
  type Path,
  refusalName,
  scalar,
  text,
  type Text,
  values,
} from './schema-terms.ts'
export {
  EXPECTED,
  type ExpectedType,
  fieldChars,
  fieldRange,
  type FieldType,
  fieldTypeOf,
  isOfType,
  type RowField,
  rowField,
  TYPE_WORDS,
  typeFor,
  wrongFields,
} from './value-types.ts'

/** Conditions and values of flows: read, checked, measured and computed. Pure. */
export {
  type Against,
  compileCondition,
  type Condition,
  type ConditionSource,
  conditionWords,
  type Made,
  Slip,
} from './condition.ts'
export { type Arithmetic, DECIMALS_MAX, readDecimal } from './decimal.ts'
export { isDay, isTimeOfDay, type Node, nodesOf } from './expression.ts'
export { folded, labelNamed } from './fold.ts'
export { type Fn, FUNCTIONS, type Type } from './functions.ts'
export { LIST_ROWS_KEPT_MAX, PATH, readPath, readRows, ROOTS, type Scope, SEARCH_ROWS_MAX } from './path.ts'
export { knownDay, namedDay, RELATIVE_DAY } from './named-day.ts'
export { exampleOf } from './pattern-sample.ts'
export { compilePattern, longestOf } from './pattern.ts'
export type { Reading, RowsRead } from './reading.ts'
export { added, charsOf, largest, NUMBER_MAX, type Size } from './size.ts'
export { typed, WORDS } from './typing.ts'
export {
  compileValues,
  expressionIn,
  isExpression,
  pathsOf,
  readingOf,
  type Scalar,
  Unfit,
  wholePath,
} from './value.ts'

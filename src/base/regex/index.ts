/** Regular expressions of operators, matched in linear time. */
export { compileLinear, type Linear } from './linear.ts'
export { type Expression, isOptional, type Limits, type Part, readRegex } from './read.ts'

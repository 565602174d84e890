/** What every room may use, and what knows nothing of USSD: clocks, dates, log, metrics, errors, ids, SQL. */
export {
  type DateFormat,
  dayOf,
  DEFAULT_DATE_FORMAT,
  isDayFormat,
  isZone,
  plainBlanks,
  showDate,
  showTime,
  tellsApart,
} from './dates.ts'
export { didYouMean, remedyAmong } from './did-you-mean.ts'
export { FlowFault, type Problem, ProblemsError, saidOf, sentence, StoreError, UsageError } from './errors.ts'
export { failpoint, failpointOnceWritten, isArmed } from './failpoints.ts'
export { isAllowed, isLoopback, isLoopbackAddress, urlFault } from './http-addresses.ts'
export { askedOf, FOREIGN_PAGE, fromForeignPage, notFromHere } from './http-callers.ts'
export { boundConnections } from './http-connections.ts'
export { httpTimes } from './http-server-times.ts'
export { pooled, uuidV7 } from './ids.ts'
export { type Log, silentLog } from './log-port.ts'
export { createLog, maskMsisdn } from './log.ts'
export { type CounterName, type Counters, createMetrics, type Metrics } from './metrics.ts'
export { monotonicClock } from './monotonic-clock.ts'
export { packageRoot, packageVersion } from './package-root.ts'
export { readSecretFile } from './secret-file.ts'
export { type Gate, gate, semaphore } from './semaphore.ts'
export { remembered } from './remembered.ts'
export { inPieces, toEnd } from './sliced-work.ts'
export {
  prepareSql,
  type PreparedStatement,
  repeating,
  type Sql,
  type SqlBindings,
  type SqlRunner,
  sqlState,
  sqlValues,
  statement,
} from './sql.ts'
export { systemChance, systemClock } from './wall-clock.ts'
export { YAML_TYPES } from './yaml-types.ts'

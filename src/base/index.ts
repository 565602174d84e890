/** What every room may use and what knows nothing of USSD: clocks, dates, log, metrics, errors, ids, SQL. */
export { asciiInto } from './ascii.ts'
export { ownPiece } from './cut.ts'
export { didYouMean, remedyAmong } from './did-you-mean.ts'
export { FlowFault, type Problem, ProblemsError, saidOf, sentence, StoreError, UsageError } from './errors.ts'
export { failpoint, failpointOnceWritten, isArmed } from './failpoints.ts'
export {
  askedOf,
  boundConnections,
  createServer,
  FOREIGN_PAGE,
  fromForeignPage,
  httpTimes,
  isAllowed,
  isLoopback,
  isLoopbackAddress,
  notFromHere,
  signatureOf,
  type SignedRequest,
  urlFault,
} from './http/index.ts'
export { createLockout, FAILED_EACH_MS, type Lockout } from './lockout.ts'
export { pooled, randomWords, uuidV7, uuidV7Ms } from './ids.ts'
export { type CounterName, type Counters, createMetrics, type Metrics } from './metrics.ts'
export { addressBehind, callerOf, isNetwork, type Networks, networksOf } from './networks.ts'
export { LOOK_CSS } from './look.ts'
export { createRates } from './rates.ts'
export { createRefusals, type HttpRefusal } from './refusals.ts'
export { packageRoot, packageVersion } from './package-root.ts'
export { openToOthers, readSecretFile, readSecretOctets, saidOfFault, secretIn } from './secret-file.ts'
export { LastFew, oncePer, RecentMap, remembered, TurnoverMap } from './memory/index.ts'
export {
  prepareSql,
  NoConnection,
  type PreparedStatement,
  repeating,
  type Sql,
  type SqlBindings,
  type SqlRunner,
  sqlState,
  sqlValues,
  statement,
  type StatementKind,
} from './sql.ts'
export { isHashOfWeak, TOKEN_REMEDY, weakness } from './weak-token.ts'
export { firstYamlFault } from './yaml-fault.ts'
export { YAML_TYPES } from './yaml-types.ts'
export {
  createLogLevels,
  FOLLOWED_MAX,
  LOG_LEVELS,
  type LogLevel,
  type LogLevelRows,
  type LogLevels,
  type Subsystem,
  SUBSYSTEMS,
  createLog,
  fieldsWithoutNumbers,
  maskMsisdn,
  subscriberHash,
  dialogueInLog,
  type DialogueNamed,
  type Log,
  silentLog,
  tellsDebug,
} from './log/index.ts'
export {
  abortAfter,
  NEVER_ABORTED,
  clockOf,
  type DateFormat,
  DAY_UNITS,
  dayLater,
  dayOf,
  type DayUnit,
  DEFAULT_DATE_FORMAT,
  isDayFormat,
  isZone,
  plainBlanks,
  showDate,
  showTime,
  tellsApart,
  timeOfDay,
  yearsBetween,
  isoOf,
  utcDayOf,
  isoIn,
  minutesAhead,
  luxonZone,
  monotonicClock,
  createStillness,
  type Standstill,
  type Stillness,
  carriedTime,
  looseClock,
  systemChance,
  systemClock,
  type WallClock,
} from './time/index.ts'
export {
  gathering,
  type Gathering,
  type Gate,
  gate,
  semaphore,
  inPieces,
  toEnd,
  stretch,
  STRETCH_MS_MAX,
  watchStretches,
} from './tasks/index.ts'

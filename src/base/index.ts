/** What every room may use and what knows nothing of USSD: clocks, dates, log, metrics, errors, ids, SQL. */
export { abortAfter, NEVER_ABORTED } from './abort-after.ts'
export { asciiInto } from './ascii.ts'
export { ownPiece } from './cut.ts'
export {
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
} from './dates.ts'
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
export { dialogueInLog, type DialogueNamed, type Log, silentLog, tellsDebug } from './log-port.ts'
export {
  createLogLevels,
  FOLLOWED_MAX,
  LOG_LEVELS,
  type LogLevel,
  type LogLevelRows,
  type LogLevels,
  type Subsystem,
  SUBSYSTEMS,
} from './log-levels.ts'
export { createLog, fieldsWithoutNumbers, maskMsisdn, subscriberHash } from './log.ts'
export { type CounterName, type Counters, createMetrics, type Metrics } from './metrics.ts'
export { addressBehind, callerOf, isNetwork, type Networks, networksOf } from './networks.ts'
export { LOOK_CSS } from './look.ts'
export { createRates } from './rates.ts'
export { createRefusals, type HttpRefusal } from './refusals.ts'
export { monotonicClock } from './monotonic-clock.ts'
export { packageRoot, packageVersion } from './package-root.ts'
export { openToOthers, readSecretFile, readSecretOctets, saidOfFault, secretIn } from './secret-file.ts'
export { type Gate, gate, semaphore } from './semaphore.ts'
export { LastFew, oncePer, RecentMap, remembered, TurnoverMap } from './memory/index.ts'
export { inPieces, toEnd } from './sliced-work.ts'
export { createStillness, type Standstill, type Stillness } from './stillness.ts'
export { stretch, STRETCH_MS_MAX, watchStretches } from './stretch.ts'
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
export { carriedTime, looseClock, systemChance, systemClock, type WallClock } from './wall-clock.ts'
export { isHashOfWeak, TOKEN_REMEDY, weakness } from './weak-token.ts'
export { firstYamlFault } from './yaml-fault.ts'
export { YAML_TYPES } from './yaml-types.ts'

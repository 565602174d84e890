/** The log: its levels, what masks numbers in it, and the form in which everybody writes to it. */
export {
  createLogLevels,
  FOLLOWED_MAX,
  LOG_LEVELS,
  type LogLevel,
  type LogLevelRows,
  type LogLevels,
  type Subsystem,
  SUBSYSTEMS,
} from './levels.ts'
export { createLog, fieldsWithoutNumbers, maskMsisdn, subscriberHash } from './log.ts'
export { dialogueInLog, type DialogueNamed, type Log, silentLog, tellsDebug } from './port.ts'

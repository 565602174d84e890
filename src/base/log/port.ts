/** Where log events go: fields first, then a constant message. pino fits; `silentLog` is for tests. */
export interface Log {
  debug: LogWrite
  info: LogWrite
  warn: LogWrite
  error: LogWrite
  /** Absent: all levels are. */
  isLevelEnabled?(level: string): boolean
}

/** Asked before the fields of a line at debug are made, where that would be many times a second. */
export const tellsDebug = (log: Pick<Log, 'isLevelEnabled'>): boolean => log.isLevelEnabled?.('debug') ?? true

export type LogWrite = (fields: object, message: string) => void

/** Whose dialogue a line is about. A record has the number in its key. */
export type DialogueNamed = { line: string; epoch?: string } & ({ msisdn: string } | { key: { msisdn: string } })

/**
 * The fields by which every line about a dialogue is found: its epoch, its line, and the subscriber, of whose number
 * the log keeps the hash. What is not known is left out: a read that is the same for everybody names nobody.
 */
export function dialogueInLog(named: DialogueNamed): { msisdn?: string; line?: string; epoch?: string } {
  const { line, epoch = '' } = named
  const msisdn = 'key' in named ? named.key.msisdn : named.msisdn
  return { ...(msisdn && { msisdn }), ...(line && { line }), ...(epoch && { epoch }) }
}

/** Discards everything. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

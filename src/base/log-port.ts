/** Where log events go: fields first, then a constant message. pino fits; `silentLog` is for tests. */
export interface Log {
  debug: LogWrite
  info: LogWrite
  warn: LogWrite
  error: LogWrite
}

export type LogWrite = (fields: object, message: string) => void

/** Discards everything. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

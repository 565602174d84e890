/** What each part of a daemon gets: settings, time and chance, log and metrics, and the id of this daemon. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import {
  createLog,
  createLogLevels,
  type LogLevels,
  type Subsystem,
  createMetrics,
  pooled,
  randomWords,
  readSecretOctets,
  saidOfFault,
  UsageError,
  uuidV7,
  type Metrics,
} from '../base/index.ts'
import type { Settings } from '../config/index.ts'
import { openSpans, type Spans } from '../spans/index.ts'
import type { Chance, Clock } from '../ussd/index.ts'

export interface Runtime {
  settings: Settings
  clock: Clock
  chance: Chance
  log: Logger
  /** Of the log, by subsystem and by subscriber. */
  levels: LogLevels
  metrics: Metrics
  /** Identifies this daemon among those that share its stores; new at each start. */
  instance: string
  /** Its name for people; the same after a restart. */
  name: string
  mint: { epoch(): string; token(): string }
  /** Hashes the numbers of subscribers in the log and in captures. */
  key: Buffer
  /** Undefined: no SDK of OpenTelemetry was loaded before the daemon. */
  spans: Spans | undefined
}

export interface RuntimeOptions {
  settings: Settings
  clock: Clock
  chance: Chance
  /** Where the log goes. Default: stdout. */
  log?: Logger
  /** Node's own metrics in /metrics. Off in tests that start many daemons. */
  processMetrics?: boolean
}

export function createRuntime({ settings, clock, chance, log, processMetrics }: RuntimeOptions): Runtime {
  const key = logKey(settings)
  const random = pooled(randomBytes)
  const instance = randomBytes(4).toString('hex')
  const root = log ?? createLog({ level: settings.log.level, key, services: settings.services })
  const metrics = createMetrics({ process: processMetrics ?? true })
  return {
    settings,
    clock,
    chance,
    key,
    log: root,
    levels: createLogLevels(root, clock, metrics),
    metrics,
    instance,
    name: daemonName(settings, instance),
    spans: openSpans(),
    mint: { epoch: () => uuidV7(clock.now(), random), token: randomWords(randomBytes, 9) },
  }
}

/** Of these settings on this machine. `run` is for daemons whose port is any that is free. */
export function daemonName({ instance, admin }: Settings, run = '0'): string {
  return instance ?? `${hostname()}:${admin.port || run}`
}

/** The same, writing its log lines as this part of the daemon. */
export function logging(runtime: Runtime, subsystem: Subsystem): Runtime {
  return { ...runtime, log: runtime.levels.of(subsystem) }
}

function makeData(folder: string): void {
  inData(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }))
}

/** Throws UsageError that names the setting. */
export function inData<T>(folder: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const remedy = 'make the folder, and let the user of the daemon write there; or set another one'
    throw new UsageError(`data: cannot write in ${folder} (${code}): ${remedy}`)
  }
}

/** The given key, or one that is created once and kept with the data. */
export function logKey(settings: Settings): Buffer {
  makeData(settings.data)
  const file = settings.log.msisdnKeyFile ?? join(settings.data, 'log-key')
  if (!existsSync(file)) {
    if (settings.log.msisdnKeyFile) throw new UsageError(`log.msisdnKeyFile: there is no file ${file}`)
    inData(settings.data, () => writeFileSync(file, randomBytes(32), { mode: 0o600 }))
  }
  const read = readSecretOctets(file)
  if ('octets' in read) return read.octets
  throw new UsageError(saidOfFault(read, settings.log.msisdnKeyFile ? 'log.msisdnKeyFile' : 'the key of the log'))
}

/** `ussd-connector run`: the daemon as a process: signals, exit codes, systemd. */
import { setFlagsFromString } from 'node:v8'
import {
  carriedTime,
  isLoopback,
  systemChance,
  systemClock,
  ProblemsError,
  UsageError,
  isArmed,
} from '../base/index.ts'
import { loadSettings, type LoadedSettings, type Settings } from '../config/index.ts'
import { startDaemon, type Daemon } from './daemon.ts'
import { systemdNotifier } from './systemd.ts'

/**
 * V8 makes objects of a place old from the start if they once lived long there. On a busy daemon those are PDUs and
 * records, and what they hold then lives until the next full collection. See docs/WHY.md, "What outlives a young
 * collection".
 */
const YOUNG_FIRST = '--no-allocation-site-pretenuring'

/**
 * How much of what lives the old heap may grow by, in per cent, before V8 collects all of it. Left to itself V8 allows
 * the less the slower that heap grows, down to a tenth: then a collection moves more to the old heap than the next one
 * waits for, and they come each second or two. See docs/WHY.md, "Whole collections are rare".
 */
const OLD_MAY_GROW = '--heap-growing-percent=200'

export async function runDaemon(config: string): Promise<void> {
  for (const flag of [YOUNG_FIRST, OLD_MAY_GROW]) setFlagsFromString(flag)
  const frozen = process.env.USSD_CONNECTOR_FROZEN_CLOCK
  const read = (): LoadedSettings => {
    const loaded = loadSettings(config, process.env)
    const { settings } = loaded
    if (frozen) requireLoopback(settings, 'USSD_CONNECTOR_FROZEN_CLOCK')
    if (isArmed) requireLoopback(settings, 'USSD_CONNECTOR_FAILPOINTS')
    return loaded
  }
  const { settings, exposed } = read()
  const time = carriedTime({ now: () => Date.now(), steady: () => performance.now() })
  const [clock, { wall }] = [systemClock(frozen, time.now), time]
  const daemon = await startDaemon({ settings, clock, wall, chance: systemChance, read: () => read().settings })
  process.on('SIGHUP', () => void reload(daemon))
  if (frozen) daemon.log.warn({ at: frozen }, 'the calendar is frozen: for tests only')
  if (exposed.length) {
    daemon.log.warn(
      { file: config, settings: exposed },
      'other users can read the settings file: if one of these settings is a secret, chmod 600',
    )
  }
  const notifier = systemdNotifier(process.env, clock, daemon.healthy)
  notifier.ready('serving')
  await untilSignal(daemon, settings.stopMs)
  notifier.stopping()
  daemon.log.info({}, 'stopping')
  await daemon.stop()
  daemon.log.info({}, 'stopped')
  process.exitCode = 0
}

/** SIGHUP: if the new settings are wrong, the log says why, and the old ones stay. */
async function reload(daemon: Daemon): Promise<void> {
  try {
    daemon.log.info(await daemon.reload(), 'settings reloaded')
  } catch (error) {
    if (!(error instanceof ProblemsError || error instanceof UsageError)) throw error
    daemon.log.error({ problem: error.message }, 'settings refused: nothing has changed')
  }
}

/** With a real SMSC, a frozen calendar would repeat the reminders of one day for ever, and failpoints would kill us. */
function requireLoopback(settings: Settings, name: string): void {
  const real = settings.lines.find((line) => !isLoopback(line.smsc.host))
  if (real) throw new UsageError(`${name} is set, but line '${real.name}' is not on loopback: unset it`)
}

/** SIGTERM or SIGINT. A second one, or a drain that takes too long, ends the process at once. */
function untilSignal(daemon: Daemon, stopMs: number): Promise<void> {
  process.on('uncaughtException', (error) => {
    // A bug: it is counted and logged, and other dialogues continue. systemd restarts us if the event loop hangs.
    daemon.metrics.count('bugs_total', { where: 'uncaught' })
    daemon.log.error({ err: error }, 'uncaught exception')
  })
  process.on('unhandledRejection', (error) => {
    daemon.metrics.count('bugs_total', { where: 'unhandled' })
    daemon.log.error({ err: error }, 'unhandled rejection')
  })
  return new Promise((done) => {
    let signals = 0
    const on = () => {
      signals++
      if (signals > 1) process.exit(1)
      // The binds are gone after stopMs; stores may take a little longer. After that, waiting does not help.
      setTimeout(() => process.exit(1), stopMs + 10_000).unref()
      done()
    }
    process.on('SIGTERM', on)
    process.on('SIGINT', on)
  })
}

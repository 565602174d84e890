/** `ussd-connector run`: the daemon as a process: signals, exit codes, systemd. */
import { isLoopback, systemChance, systemClock, ProblemsError, UsageError, isArmed } from '../base/index.ts'
import { loadSettings, type Settings } from '../config/index.ts'
import { startDaemon, type Daemon } from './daemon.ts'
import { systemdNotifier } from './systemd.ts'

export async function runDaemon(config: string): Promise<void> {
  const frozen = process.env.USSD_CONNECTOR_FROZEN_CLOCK
  const read = (): Settings => {
    const { settings } = loadSettings(config, process.env)
    if (frozen) requireLoopback(settings, 'USSD_CONNECTOR_FROZEN_CLOCK')
    if (isArmed) requireLoopback(settings, 'USSD_CONNECTOR_FAILPOINTS')
    return settings
  }
  const settings = read()
  const clock = systemClock(frozen)
  const daemon = await startDaemon({ settings, clock, chance: systemChance, read })
  process.on('SIGHUP', () => reload(daemon))
  if (frozen) daemon.log.warn({ at: frozen }, 'the calendar is frozen: for tests only')
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
function reload(daemon: Daemon): void {
  try {
    daemon.log.info(daemon.reload(), 'settings reloaded')
  } catch (error) {
    if (!(error instanceof ProblemsError || error instanceof UsageError)) throw error
    daemon.log.error({ problem: error.message }, 'settings refused: nothing has changed')
  }
}

/** At a real SMSC, a frozen calendar would repeat the reminders of one day for ever, and failpoints would kill us. */
function requireLoopback(settings: Settings, name: string): void {
  const real = settings.lines.find((line) => !isLoopback(line.smsc.host))
  if (real) throw new UsageError(`${name} is set, but line '${real.name}' is not on loopback: unset it`)
}

/** SIGTERM or SIGINT. A second one, or an overrun of the drain, ends the process hard. */
function untilSignal(daemon: Daemon, stopMs: number): Promise<void> {
  process.on('uncaughtException', (error) => {
    // A bug: it is counted and logged, and other dialogues go on. systemd restarts us if the event loop hangs.
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
      // Drain, then window, then stores: twice stopMs and a margin. After that, waiting no longer helps.
      setTimeout(() => process.exit(1), stopMs * 2 + 10_000).unref()
      done()
    }
    process.on('SIGTERM', on)
    process.on('SIGINT', on)
  })
}

/**
 * Tells systemd our state (Type=notify, WatchdogSec). Node has no local datagram sockets, so systemd-notify does it for
 * us; without NOTIFY_SOCKET nothing happens.
 */
import { execFile } from 'node:child_process'
import type { Clock } from '../ussd/index.ts'

export interface Notifier {
  ready(status: string): void
  stopping(): void
}

/** `healthy` is checked before each ping: a daemon that runs but does not answer must be restarted. */
export function systemdNotifier(env: NodeJS.ProcessEnv, clock: Clock, healthy: () => boolean): Notifier {
  if (!env.NOTIFY_SOCKET) return { ready: () => undefined, stopping: () => undefined }
  const tell = (...words: string[]) => void execFile('systemd-notify', ['--no-block', ...words], () => undefined)
  const watchdogMs = Number(env.WATCHDOG_USEC ?? 0) / 1000
  let stop = (): void => undefined
  const ping = () => {
    if (healthy()) tell('WATCHDOG=1')
    stop = clock.after(watchdogMs / 2, ping)
  }
  return {
    ready(status) {
      tell('--ready', `--status=${status}`)
      if (watchdogMs > 0) ping()
    },
    stopping() {
      stop()
      tell('--stopping')
    },
  }
}

/** An SMSC, tables and the daemon as a process, for tests that kill or stop it. */
import { rmSync } from 'node:fs'
import type { Knex } from 'knex'
import type { Settings } from '../../src/config/schema.ts'
import { startSmsc, type Smsc, type SmscOptions } from '../../src/simulator/smsc/smsc.ts'
import { realClock } from './clock.ts'
import { newStage, settingsFor, stageTables } from './daemon.ts'
import { bound, runProcess, type DaemonProcess } from './process.ts'

export class ProcessStage {
  readonly stage = newStage()
  readonly #change: (settings: Settings) => void
  smsc!: Smsc
  knex!: Knex
  /** The last one that was started. */
  daemon!: DaemonProcess

  constructor(change: (settings: Settings) => void) {
    this.#change = change
  }

  /** Starts the SMSC and makes the tables. */
  async open(manners: Partial<SmscOptions> = {}): Promise<void> {
    this.smsc = await startSmsc({ clock: realClock, chance: Math.random, ...manners })
    this.knex = await stageTables(this.stage)
  }

  /** Starts a daemon, and does not wait for it. */
  start(env: Record<string, string> = {}): void {
    const settings = settingsFor({ smscPort: this.smsc.port, change: this.#change }, this.stage)
    this.daemon = runProcess(settings, this.stage.data, env)
  }

  async startBound(env?: Record<string, string>): Promise<void> {
    this.start(env)
    await bound(this.daemon, this.smsc)
  }

  async kill(): Promise<void> {
    this.daemon.kill('SIGKILL')
    await this.daemon.exited
  }

  async close(): Promise<void> {
    this.daemon?.kill('SIGKILL')
    await this.smsc?.stop()
    await this.knex?.raw(`DROP SCHEMA IF EXISTS "${this.stage.schema}" CASCADE`)
    await this.knex?.destroy()
    rmSync(this.stage.data, { recursive: true, force: true })
  }
}

/** What a dead daemon had in hand is taken over within the second. */
export function soonTakenOver(settings: Settings): void {
  settings.dialogue.leaseMs = 600
  settings.dialogue.sweepMs = 100
  // A machine that starts the daemon slowly makes no turn a late one, which would get the busy text.
  settings.dialogue.turnMs = 60_000
  settings.lines[0]!.timers.reconnectMs = 100
}

/** The back ends of a settings file without a daemon, for a flow that is played by hand. */
import { randomBytes } from 'node:crypto'
import { systemChance, silentLog, createMetrics, type Sql } from '../../base/index.ts'
import type { Backend } from '../../backend/index.ts'
import { loadSettings, type Settings } from '../../config/index.ts'
import { createBackends, pinPepperOf } from '../../daemon/index.ts'
import type { CallOutcome, CallWant } from '../../flow/engine/index.ts'
import type { Clock } from '../../ussd/index.ts'
import { connectDatabase } from '../database.ts'

/** Makes a call for real; never rejects. */
export type Answering = (want: CallWant, of: { msisdn: string; language: string }) => Promise<CallOutcome>

export interface SettingsBackends {
  answering: Answering
  names: readonly string[]
  /** The service code of this flow. */
  codeOf(flow: string): string | undefined
  /** The dialogue is over: what back ends held for it is released. */
  dialogueOver(): Promise<void>
  close(): Promise<void>
}

export async function settingsBackends(config: string, clock: Clock): Promise<SettingsBackends> {
  const { settings } = loadSettings(config, process.env)
  return backendsOf(settings, clock, await connectDatabase(settings))
}

/** A call has the time of a turn. Closes the database with the back ends. */
export async function backendsOf(
  settings: Settings,
  clock: Clock,
  database: { sql: Sql; close(): Promise<void> },
): Promise<SettingsBackends> {
  const metrics = createMetrics({ process: false })
  const backends = await createBackends({
    settings,
    sql: database.sql,
    clock,
    chance: systemChance,
    metrics,
    log: silentLog,
    pinPepper: pinPepperOf(settings),
  }).catch(async (error: unknown) => {
    await database.close()
    throw error
  })
  const newEpoch = () => `talk-${randomBytes(8).toString('hex')}`
  let epoch = newEpoch()
  let calls = 0
  const called = new Set<Backend>()
  const dialogueOver = async (): Promise<void> => {
    const [old, asked] = [epoch, [...called]]
    epoch = newEpoch()
    called.clear()
    for (const backend of asked) await backend.ended?.(old, 'completed').catch(() => undefined)
  }
  return {
    names: backends.names,
    codeOf: (flow) => settings.services.find((service) => service.flow === flow)?.code,
    answering: async (want, { msisdn, language }) => {
      const backend = backends.get(want.backend)
      if (!backend) return { is: 'failed', why: 'refused-call' }
      called.add(backend)
      const result = await backend.call(want.operation, want.args, {
        intention: `${epoch}:0:${calls++}`,
        epoch,
        msisdn,
        language,
        line: 'talk',
        todayMs: clock.today(),
        signal: AbortSignal.timeout(want.timeoutMs ?? settings.dialogue.turnMs),
      })
      return result.is === 'failed' ? { is: 'failed', why: result.why } : result
    },
    dialogueOver,
    close: async () => {
      await dialogueOver()
      await backends.close()
      await database.close()
    },
  }
}

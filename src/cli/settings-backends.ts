/** The back ends of a settings file without a daemon, for a flow that is played by hand. */
import { randomBytes } from 'node:crypto'
import { systemChance, silentLog, createMetrics } from '../base/index.ts'
import type { Backend } from '../backend/index.ts'
import { loadSettings } from '../config/index.ts'
import { createBackends, pinPepperOf } from '../daemon/index.ts'
import type { CallOutcome, CallWant } from '../flow/engine/index.ts'
import type { Clock } from '../ussd/index.ts'
import { connectDatabase } from './database.ts'

/** Makes a call for real; never rejects. */
export type Answering = (want: CallWant, of: { msisdn: string; language: string }) => Promise<CallOutcome>

export interface SettingsBackends {
  answering: Answering
  /** The service code of this flow. */
  codeOf(flow: string): string | undefined
  close(): Promise<void>
}

/** A call has the time of a turn. */
export async function settingsBackends(config: string, clock: Clock): Promise<SettingsBackends> {
  const { settings } = loadSettings(config, process.env)
  const postgres = await connectDatabase(settings)
  const metrics = createMetrics({ process: false })
  const backends = await createBackends({
    settings,
    sql: postgres.sql,
    clock,
    chance: systemChance,
    metrics,
    log: silentLog,
    pinPepper: pinPepperOf(settings),
  }).catch(async (error: unknown) => {
    await postgres.close()
    throw error
  })
  const epoch = `talk-${randomBytes(8).toString('hex')}`
  const called = new Set<Backend>()
  let calls = 0
  return {
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
    close: async () => {
      // Releases what a dialogue held, such as a slot.
      for (const backend of called) await backend.ended?.(epoch, 'completed').catch(() => undefined)
      await backends.close()
      await postgres.close()
    },
  }
}

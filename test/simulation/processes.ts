/** The daemons of a history: each slot has one at a time; one that dies is followed by another. */
import type { DialogueStore } from '../../src/dialogue/types.ts'
import { silentLog, type Log } from '../../src/base/log/port.ts'
import type { Settings } from '../../src/config/schema.ts'
import type { Chance } from '../../src/ussd/vocabulary.ts'
import { startSimDaemon, type SimDaemon } from './daemon.ts'
import { host, type Host } from './host.ts'
import type { OnRequest } from './history.ts'
import type { Net } from './net.ts'
import type { Scheduler } from './scheduler.ts'
import type { Sql } from './sql.ts'
import { simFlows } from './stage.ts'

export interface SimProcesses {
  /** Those that live. */
  all(): SimDaemon[]
  /** Those that died too. */
  ever(): readonly SimDaemon[]
  nameOf(slot: number): string
  kill(slot: number, downMs: number): void
  step(slot: number, ms: number): void
  /** Wall clocks are right again. Those that are down come up by themselves. */
  heal(): void
}

export interface SimProcessesDeps {
  daemons: number
  scheduler: Scheduler
  settings: Settings
  net: Net
  sql: Sql
  chance: Chance
  dialoguesOf(host: Host): DialogueStore
  log?: Log | undefined
  before?: OnRequest | undefined
}

export async function simProcesses(deps: SimProcessesDeps): Promise<SimProcesses> {
  const { scheduler, settings, net, sql, chance, log = silentLog } = deps
  const flows = await simFlows()
  const ever: SimDaemon[] = []
  const slots = Array.from({ length: deps.daemons }, () => ({
    skewMs: 0,
    lives: 0,
    now: undefined as SimDaemon | undefined,
    name: '',
  }))

  async function start(slot: number): Promise<void> {
    const own = slots[slot]!
    own.name = `d${slot}.${++own.lives}`
    const process = host(own.name, scheduler, own.skewMs)
    own.now = await startSimDaemon({
      host: process,
      settings,
      flows,
      dialogues: deps.dialoguesOf(process),
      sql,
      net,
      chance,
      log,
      before: deps.before,
    })
    ever.push(own.now)
  }
  for (const slot of slots.keys()) await start(slot)
  return {
    all: () => slots.flatMap(({ now }) => now ?? []),
    ever: () => ever,
    nameOf: (slot) => slots[slot]?.name ?? '',
    kill(slot, downMs) {
      const own = slots[slot]
      if (!own?.now) return
      own.now.host.kill()
      own.now = undefined
      scheduler.after(downMs, `d${slot} comes up`, () => void start(slot))
    },
    step(slot, ms) {
      const own = slots[slot]
      if (!own) return
      own.skewMs += ms
      own.now?.host.step(ms)
    },
    heal() {
      for (const own of slots) {
        own.now?.host.step(-own.skewMs)
        own.skewMs = 0
      }
    },
  }
}

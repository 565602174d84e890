/**
 * What the daemons of a history are told: settings with deadlines scaled down, so that each is met many times a minute.
 */
import { join } from 'node:path'
import { parseSettings } from '../../src/config/load.ts'
import type { Settings } from '../../src/config/schema.ts'
import type { DialogueLimits } from '../../src/dialogue/types.ts'
import { openFlows } from '../../src/flow/release/registry.ts'
import type { FlowRegistry } from '../../src/flow/engine/types.ts'
import { packageRoot } from '../../src/base/package-root.ts'

export const SETTINGS: Settings = parseSettings(
  `
lines:
  - name: test
    links: 2
    smsc: { host: 127.0.0.1, port: 2775, systemId: ussd, password: canary99 }
    sms: { source: "123", perSecond: 500 }
    timers: { enquireMs: 2000, enquireRespMs: 500, responseMs: 2000, reconnectMs: 100, reconnectMaxMs: 1000 }
services:
  - { code: "*123#", flow: dental }
redis: embedded
postgres: embedded
flows: { dir: ${join(packageRoot, 'flows')}, reloadMs: 0 }
backends:
  dental: { module: dental }
dialogue:
  { leaseMs: 600, sweepMs: 250, confirmMs: 1500, idleMs: 12000, totalMs: 60000, turnMs: 4000,
    perSubscriber: { perSecond: 10000, burst: 10000 } }
reminders: { leads: ["24h"], quietHours: null, pollMs: 500, leaseMs: 3000, ambiguousGraceMs: 1500 }
`,
  'simulation',
  {},
).settings

/** As src/daemon/stores/stores.ts has them. */
export const LIMITS: DialogueLimits = {
  ...SETTINGS.dialogue,
  tombstoneMs: 120_000,
  confirmMs: SETTINGS.dialogue.confirmMs,
  snapshotOctetsMax: 16_384,
  duplicateBeginMs: 10_000,
}

let loaded: Promise<FlowRegistry> | undefined

/** The flows that are shipped, read and compiled once: they are the same in every history. */
export function simFlows(): Promise<FlowRegistry> {
  return (loaded ??= openFlows({ folder: SETTINGS.flows.dir, backends: ['dental'] }).then(({ flows }) => flows))
}

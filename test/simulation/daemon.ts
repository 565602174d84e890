/**
 * One daemon: the real core, put together as src/daemon/daemon.ts does it, on a simulated process, network and stores.
 */
import { createBackends } from '../../src/daemon/backends/backends.ts'
import { factoryOf } from '../../src/daemon/backends/modules.ts'
import { sampleModule } from '../../src/daemon/samples.ts'
import { createLines, type Lines } from '../../src/daemon/lines/index.ts'
import { createDaemonDeferred } from '../../src/daemon/services/deferred.ts'
import { createDaemonPush } from '../../src/daemon/services/push.ts'
import { servicesOf } from '../../src/daemon/backends/apps.ts'
import type { Settings } from '../../src/config/schema.ts'
import type { DialogueStore } from '../../src/dialogue/types.ts'
import type { FlowRegistry } from '../../src/flow/engine/types.ts'
import { createGateway, type Gateway, type GatewayDeps } from '../../src/gateway/gateway.ts'
import { uuidV7 } from '../../src/base/ids.ts'
import type { Log } from '../../src/base/log/port.ts'
import { plainSealer } from '../../src/store/seal.ts'
import { createMetrics, type Metrics } from '../../src/base/metrics.ts'
import { createOverload } from '../../src/gateway/admission.ts'
import { createSmsSide, type SmsSide } from '../../src/sms/service.ts'
import { fileParts } from '../../src/store/journal/file-parts.ts'
import type { Chance } from '../../src/ussd/vocabulary.ts'
import type { OnRequest } from './history.ts'
import type { Host } from './host.ts'
import type { Net } from './net.ts'
import type { Sql } from './sql.ts'

export interface SimDaemon {
  readonly host: Host
  readonly metrics: Metrics
  readonly lines: Lines
}

export interface SimDaemonDeps {
  host: Host
  settings: Settings
  flows: FlowRegistry
  dialogues: DialogueStore
  sql: Sql
  net: Net
  chance: Chance
  log: Log
  before?: OnRequest | undefined
}

// Reading a file takes real time, of which a simulated daemon has none.
await factoryOf(sampleModule('dental')!)

/** Where the SMSC listens. */
export const SMSC = 'smsc'

/** Starts it: it binds, sweeps, and sends what is owed, until its process dies. */
export async function startSimDaemon(deps: SimDaemonDeps): Promise<SimDaemon> {
  const { host, settings, flows, dialogues, net, chance, log } = deps
  const { clock } = host
  const metrics = createMetrics({ process: false })
  const random = (octets: number) => Uint8Array.from({ length: octets }, () => Math.floor(chance() * 256))
  const mint: GatewayDeps['mint'] = {
    epoch: () => uuidV7(clock.now(), random),
    token: () => Buffer.from(random(9)).toString('base64url'),
  }
  const sql = deps.sql.of(host)
  const backends = await createBackends({ settings, sql, clock, chance, metrics, log })
  const lines: Lines = createLines({
    settings,
    clock,
    chance,
    log,
    metrics,
    instance: host.name,
    connect: (_to, _tls, ready) => net.connect(host, SMSC, ready),
    onRequest(pdu, line, link) {
      deps.before?.(pdu, link)
      return gateway.onRequest(pdu, line, link)
    },
    onLate: (late, line) => sms.onLate(late, line),
  })
  const common = { settings, sql, lines, clock, chance, log, metrics }
  const push = createDaemonPush({
    ...common,
    dialogues,
    flows,
    services: servicesOf(settings),
    backend: backends.get,
    mint,
  })
  const msisdnOf = (name: string) => settings.lines.find((line) => line.name === name)?.msisdn
  const overload = createOverload(settings.dialogue.perSubscriber, msisdnOf)
  const sms: SmsSide = createSmsSide({
    ...common,
    push,
    access: overload,
    subjects: backends.subjects,
    shelf: fileParts({ subscribersMax: settings.sms.long.subscribersMax }),
  })
  // Not started: no back end here is patient.
  const late = createDaemonDeferred({
    ...common,
    dialogues,
    flows,
    backend: backends.get,
    push,
    mint,
    instance: host.name,
    sealer: plainSealer,
  })
  const gateway: Gateway = createGateway({
    dialogues,
    flows,
    deferred: late,
    services: servicesOf(settings),
    backend: backends.get,
    line: lines.get,
    onReceipt: sms.onReceipt,
    onSms: sms.onSms,
    clock,
    chance,
    mint,
    log,
    metrics,
    limits: settings.dialogue,
    texts: settings.texts,
    overload,
  })
  sweepOn(host, settings.dialogue.sweepMs, async () => (lines.anyBound() ? gateway.sweep() : undefined), metrics)
  sms.start()
  lines.start()
  return { host, metrics, lines }
}

function sweepOn(host: Host, everyMs: number, sweep: () => Promise<void>, metrics: Metrics): void {
  const again = () =>
    host.after(everyMs, `${host.name} sweep`, () => {
      sweep()
        .catch(() => metrics.count('bugs_total', { where: 'sweep' }))
        .finally(again)
    })
  again()
}

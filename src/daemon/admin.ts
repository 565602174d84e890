/** The admin server of a daemon, the desk on it, and its place in the fleet: what operators and monitoring ask. */
import type { Logger } from 'pino'
import {
  changeLines,
  createAdminService,
  createFleetService,
  createFlowService,
  startAdmin,
  type Reloaded,
} from '../admin/index.ts'
import type { Audit } from '../audit/index.ts'
import type { FleetCommand } from '../fleet/index.ts'
import type { DaemonOptions, DaemonParts } from './daemon.ts'
import { openDesk } from './desk.ts'
import { trustedProxy } from '../desk/index.ts'
import { registerGauges } from './gauges.ts'
import { erasePerson } from '../privacy/index.ts'
import { absentSamples } from './backends/index.ts'
import { groupsOf } from './lines/index.ts'
import { forgottenByFleet, personalDeps } from './records/index.ts'
import { daemonPushLimits } from './services/index.ts'
import { readinessOf } from './readiness.ts'
import { createReload, noFile } from './reload/index.ts'
import type { Runtime } from './runtime.ts'
import { BEAT_LOOK_MS, createState } from './watch/index.ts'

/** For the signal: who sent it, nobody knows. */
function auditedReload(reload: () => Promise<Reloaded>, { note }: Audit): () => Promise<Reloaded> {
  const told = (more: object) => note({ who: '-', role: 'signal', what: 'settings reloaded', more })
  return async () => {
    try {
      const after = await reload()
      told({ after })
      return after
    } catch (error) {
      told({ refused: (error as Error).message })
      throw error
    }
  }
}

/** The admin server, for operators and their monitoring. */
export async function openAdmin(runtime: Runtime, parts: DaemonParts, { read = noFile, desk: demo }: DaemonOptions) {
  const { settings, clock, levels, metrics } = runtime
  const { stores, backends, flows, connections, services, gateway, clockCheck, watch, fleet, audit, holds } = parts
  const { opened } = parts
  const { lines, ingress } = connections
  const own = { lines, backends, flows, ingress, storeTls: stores.tls, services: services.services }
  const proxy = trustedProxy(settings.admin.trustedProxy)
  const { reload, check } = createReload({ settings, ...own, deskProxy: proxy, log: levels, metrics, read })
  const readiness = () => readinessOf({ ...runtime, stores, lines, flows: flows.registry, clockCheck, holds })
  registerGauges({ metrics, name: runtime.name, settings, stores, lines, gateway, holds })
  const service = adminService(runtime, parts, { reload, checkReload: check })
  const isReady = () =>
    (lines.anyBound() || settings.lines.length === 0) && clockCheck.isRight() && watch.areStoresWell()
  const around = { metrics, clock, lines: service.lines, loads: lines.loads, ...watch }
  const seen = { ...around, flows: flows.registry, isReady, opened }
  const state = createState({ ...seen, lookMs: BEAT_LOOK_MS })
  const fleetService = createFleetService({ fleet, service, state })
  const flowService = adminFlows(runtime, parts)
  const deskState = createState({ ...seen, lookMs: DESK_LOOK_MS })
  const deskParts = { ...parts, fleetService, flows: flowService, service, state: deskState, proxy, demo }
  const desk = await openDesk(runtime, deskParts)
  const admin = await startAdmin({
    host: settings.admin.host,
    port: settings.admin.port,
    registry: metrics.registry,
    readiness,
    now: clock.now,
    counters: metrics,
    log: levels.of('admin'),
    audit,
    tokens: parts.tokens.tokens,
    service,
    fleet: fleetService,
    flows: flowService,
    desk: desk.app,
  })
  const stopAdmin = async () => {
    desk.stop()
    await admin.stop()
  }
  const carryOut = carryingOut(service, levels.of('admin'), audit)
  const joinFleet = () => fleet.start({ admin: `${settings.admin.host}:${admin.port}`, state, carryOut })
  return { admin, stopAdmin, readiness, reload: auditedReload(async () => (await reload()).told, audit), joinFleet }
}

/** What another daemon asks for, as if it had been asked here. */
function carryingOut(service: Parameters<typeof changeLines>[0], log: Logger, { note }: Audit) {
  return async (command: FleetCommand, who: string) => {
    const { what, status, body, audit: more } = await changeLines(service, command, who)
    if (more) {
      log.warn({ who, role: 'operate', what, ...more }, 'admin audit')
      note({ who, role: 'operate', what, more })
    }
    return { status, body }
  }
}

type Reloading = Pick<Parameters<typeof createAdminService>[0], 'reload' | 'checkReload'>

function adminService(runtime: Runtime, parts: DaemonParts, reloading: Reloading) {
  const { stores, connections, services, gateway, watch, testDials, holds } = parts
  return createAdminService({
    ...runtime,
    groups: () => groupsOf(runtime.settings),
    ...stores,
    types: parts.flows.types,
    lines: connections.lines,
    holds,
    now: runtime.clock.now,
    onHold: parts.lineEvents.change,
    gateway,
    push: services.push,
    pushLimits: daemonPushLimits(runtime, stores),
    trace: connections.recorder.trace,
    lineEvents: parts.lineEvents,
    watch,
    testDials,
    sms: services.sms,
    requests: parts.requests,
    chosenLanguage: services.chosenLanguage,
    erase: erasing(runtime, parts),
    forgetAnswers(msisdn) {
      parts.backends.forget(msisdn)
      parts.stores.dialogues.forget()
    },
    ...reloading,
  })
}

/** As the command line erases, and out of the memory of this daemon, too. */
function erasing(runtime: Runtime, { stores, backends, fleet }: DaemonParts) {
  const { settings, name: own } = runtime
  return async (msisdn: string, { keepOptOut, by }: { keepOptOut: boolean; by: string }) => {
    const absent = await absentSamples(settings, { ...runtime, sql: stores.sql })
    const deps = personalDeps({ ...runtime, stores, modules: [...backends.modules, ...absent] })
    const forget = () => {
      backends.forget(msisdn)
      return forgottenByFleet(fleet, msisdn, { by, own })
    }
    return erasePerson({ ...deps, forget }, msisdn, keepOptOut)
  }
}

/** Pages of the desk show figures of the last second. */
const DESK_LOOK_MS = 900

function adminFlows({ settings, clock, name }: Runtime, { stores, flows, flowEvents, opened }: DaemonParts) {
  return createFlowService({
    ...stores,
    flows: flows.registry,
    openCount: opened.read,
    backends: flows.callable,
    declared: flows.declared,
    types: flows.types,
    readable: settings.privacy.storeKeyFile === undefined,
    settings,
    clock,
    events: flowEvents,
    name,
  })
}

/**
 * Connections that are dead, and nobody says so, under the virtual clock: how long a daemon takes to find out is its own
 * doing and not the machine's.
 */
import { silentLog } from '../../src/base/log/port.ts'
import { seededChance } from '../../src/simulator/smsc/chaos.ts'
import { openSmsc } from './history.ts'
import { kvOf, kvRegister, kvWire } from './kv.ts'
import { net as newNet } from './net.ts'
import { simProcesses } from './processes.ts'
import { scheduler as newScheduler } from './scheduler.ts'
import { sql as newSql } from './sql.ts'
import { LIMITS, SETTINGS } from './stage.ts'
import { emptyDatabase } from './tables.ts'

const { timers, links } = SETTINGS.lines[0]!
/** From a new connection to its bind, on the simulated network. */
const BIND_MS = 100
/** Before connecting anew: always the same but for its jitter, of a quarter. */
const RECONNECT_MS = 100
/** An interval of silence; two enquire_link without an answer; then a new connection. */
export const FOUND_MS_MAX = timers.enquireMs + 2 * timers.enquireRespMs + 1.25 * RECONNECT_MS + BIND_MS
const WITHIN_MS = 60_000
/** Between two of them, so that they fall anywhere between two enquire_link. */
const PAUSE_MS = [5_000, 10_000] as const

export interface HalfOpening {
  seed: number
  times: number
  /** A daemon that asks later than the settings say: what shows that the measure tells. */
  enquireMs?: number
}

/** Milliseconds from the death of all connections to all links being bound anew, each time. */
export async function halfOpen({ seed, times, enquireMs = timers.enquireMs }: HalfOpening): Promise<number[]> {
  const scheduler = newScheduler()
  const chance = (of: number) => seededChance(seed * 16 + of)
  const net = newNet(scheduler, chance(1))
  const smsc = await openSmsc(scheduler, net, chance(4))
  const settings = structuredClone(SETTINGS)
  Object.assign(settings.lines[0]!.timers, { enquireMs, reconnectMs: RECONNECT_MS, reconnectMaxMs: RECONNECT_MS })
  const [register, versions] = [kvRegister(), chance(7)]
  const kv = kvWire(scheduler, chance(2))
  const daemons = await simProcesses({
    daemons: 1,
    scheduler,
    net,
    sql: newSql({ scheduler, chance: chance(3), database: emptyDatabase() }),
    chance: chance(6),
    settings,
    log: silentLog,
    dialoguesOf: (host) => kvOf({ register, limits: LIMITS, way: kv, host, chance: versions, unwritten: new Set() }),
  })
  const bound = () => smsc.binds().flatMap(({ id, state }) => (state === 'bound' ? [id] : []))
  const pause = chance(5)
  const foundMs: number[] = []
  await scheduler.runUntil(() => bound().length === links, WITHIN_MS)
  for (let n = 0; n < times; n++) {
    await scheduler.runUntil(() => false, scheduler.nowMs() + PAUSE_MS[0] + pause() * (PAUSE_MS[1] - PAUSE_MS[0]))
    const dead = new Set(bound())
    net.deafen(daemons.nameOf(0))
    const goneMs = scheduler.nowMs()
    const isBack = () => bound().filter((id) => !dead.has(id)).length === links
    const isFound = await scheduler.runUntil(isBack, goneMs + WITHIN_MS)
    foundMs.push(isFound ? Math.round(scheduler.nowMs() - goneMs) : Infinity)
  }
  for (const one of daemons.all()) one.host.kill()
  return foundMs
}

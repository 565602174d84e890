/**
 * One history: daemons, stores, an SMSC and subscribers under one plan of faults, from the first dial to the last
 * receipt.
 */
import { check, type Breach } from '../campaigns/judging/checker.ts'
import { countersOf, type Counters } from '../campaigns/staging/counters.ts'
import type { DialogueStore } from '../../src/dialogue/types.ts'
import type { Log } from '../../src/base/log/port.ts'
import { seededChance } from '../../src/simulator/smsc/chaos.ts'
import type { NetworkCoding } from '../../src/simulator/network/coding.ts'
import { startSmsc, type Smsc } from '../../src/simulator/smsc/smsc.ts'
import type { Chance } from '../../src/ussd/vocabulary.ts'
import type { LinkPort, Pdu } from '../../src/smpp/types.ts'
import { simProcesses, type SimProcesses } from './processes.ts'
import { SMSC, type SimDaemon } from './daemon.ts'
import { host } from './host.ts'
import { kvOf, kvRegister, kvWire, type Unwritten } from './kv.ts'
import { net as newNet, type Net } from './net.ts'
import type { Plan } from './plan.ts'
import { scheduler as newScheduler, type Scheduler } from './scheduler.ts'
import { sql as newSql } from './sql.ts'
import { LIMITS, SETTINGS } from './stage.ts'
import type { Model } from './sql-model.ts'
import { emptyDatabase, type Tables } from './tables.ts'
import { evidenceOf, walkers } from './walkers.ts'
import { injectFaults } from './fault-injector.ts'

/** A core that is not as it should be: what shows that the simulation would find it. */
export interface Sabotage {
  dialogues?(store: DialogueStore): DialogueStore
  model?: Model
  onRequest?: OnRequest
}

/** Comes before the gateway hears a request. */
export type OnRequest = (pdu: Pdu, link: LinkPort) => void

export interface HistoryOptions {
  sabotage?: Sabotage
  /** Told of everything that happens, in order. */
  onNote?: (line: string) => void
  /** See scheduler.ts. */
  between?: () => Promise<unknown>
  log?: Log
}

export interface Told {
  breaches: Breach[]
  /**
   * What docs/OPERATIONS.md says may be lost: of a subscriber whose dial met no store, if its daemon never came to
   * write it down, or the store carried it out later.
   */
  excused: Breach[]
  /** The same plan on the same sources: the same hash. */
  hash: string
  dialogues: number
  bookings: number
  sms: number
  virtualMs: number
  events: number
  /** What the counter did, and the copies of keys. */
  counters: Counters['counts']
}

/** All deadlines, leases, graces and back-offs are over by then. */
const SETTLE_MS = 240_000
const LOOK_MS = 500
/** Time for what is on its way when all is settled: responses, receipts. */
const QUIET_MS = 6_000
/** How long a subscriber waits for a screen. */
const SCREEN_MS = 30_000
const PROBES = 4
/** Nobody reads a screen in less time, which is what `sameKeyMs` rests on. */
const READS_MS = 1_100
/** Longer than a subscriber waits: a key that nobody answers is missed, and does not end as an apology for being idle. */
const PATIENT_MS = 40_000

const CHANCES = { net: 1, kv: 2, sql: 3, smsc: 4, walk: 5, daemon: 6, version: 7, counter: 8 } as const

export async function play(plan: Plan, options: HistoryOptions = {}): Promise<Told> {
  const { sabotage = {}, onNote, between, log } = options
  const scheduler = newScheduler({ onNote, between })
  const chance = (of: keyof typeof CHANCES): Chance => seededChance(plan.seed * 16 + CHANCES[of])
  const net = newNet(scheduler, chance('net'))
  const database = emptyDatabase()
  const sql = newSql({ scheduler, chance: chance('sql'), database, model: sabotage.model })
  const kv = kvWire(scheduler, chance('kv'))
  const counts = plan.counting !== undefined && plan.counting !== 'echoes'
  const idle = counts ? { idleMs: PATIENT_MS } : {}
  const limits = { ...LIMITS, ...idle }
  const dialogues = kvRegister()
  const counters = countersOf({
    chance: chance('counter'),
    of: () => plan.counting ?? 'echoes',
    after: (ms, run) => void scheduler.after(ms, 'copy', run),
  })
  const smsc = await openSmsc(scheduler, net, chance('smsc'), counters.coding)
  counters.watch(smsc)
  const unwritten: Unwritten = new Set()
  const versions = chance('version')
  const daemons = await simProcesses({
    daemons: plan.daemons,
    scheduler,
    net,
    sql,
    chance: chance('daemon'),
    settings: { ...SETTINGS, dialogue: { ...SETTINGS.dialogue, ...idle } },
    log,
    before: sabotage.onRequest,
    dialoguesOf(one) {
      const own = kvOf({ register: dialogues, limits, way: kv, host: one, chance: versions, unwritten })
      return sabotage.dialogues?.(own) ?? own
    },
  })
  const walking = walkers({
    count: plan.walkers,
    scheduler,
    smsc,
    chance: chance('walk'),
    byHand: sql.byHand,
    counters,
    readsMs: counts ? READS_MS : 0,
  })
  const faults = injectFaults(plan.faults, { scheduler, net, chaos: smsc.chaos, kv, sql: sql.wire, ...daemons })
  const { tables } = database

  await scheduler.runUntil(() => false, plan.walkMs)
  faults.clear()
  daemons.heal()
  walking.stop()
  const endMs = plan.walkMs + SETTLE_MS
  await scheduler.runUntil(walking.isOver, endMs)
  while (scheduler.nowMs() < endMs && (isOwed(tables) || (await dialogues.count()) > 0)) {
    await scheduler.runUntil(() => false, scheduler.nowMs() + LOOK_MS)
  }
  await scheduler.runUntil(() => false, scheduler.nowMs() + QUIET_MS)
  const { diary } = walking
  const dialoguesOpen = await dialogues.count()
  const metrics = await Promise.all(daemons.all().map((one) => one.metrics.registry.metrics()))
  const evidence = evidenceOf(tables, smsc, { diary, metrics, dialoguesOpen })
  const found = [...check(evidence), ...(await bugs(daemons)), ...(await deaf(scheduler, smsc))]
  if (!walking.isOver()) found.push({ invariant: 'I5', what: 'a subscriber still walks when all deadlines are over' })
  for (const one of daemons.all()) one.host.kill()
  const mayBeLost = mayLose(unwritten)
  return {
    breaches: found.filter((breach) => !mayBeLost(breach)),
    excused: found.filter(mayBeLost),
    hash: scheduler.hash(),
    dialogues: diary.dialogues,
    bookings: evidence.bookings.length,
    sms: evidence.sms.length,
    virtualMs: scheduler.nowMs(),
    events: scheduler.events(),
    counters: counters.counts,
  }
}

export function openSmsc(scheduler: Scheduler, net: Net, chance: Chance, coding?: NetworkCoding): Promise<Smsc> {
  const operator = host(SMSC, scheduler)
  return startSmsc({
    clock: operator.clock,
    chance,
    ...(coding ? { coding } : {}),
    screenMs: SCREEN_MS,
    traceMax: 1,
    receipts: { send: true, delayMs: 100 },
    enquireMs: 2_000,
    deliveries: { responseMs: 3_000, attemptsMax: 12, temporaryMs: 1_000 },
    async listen(accept) {
      net.listen(SMSC, operator, accept)
      return { port: 0, close: async () => undefined }
    },
  }).then((smsc) => {
    smsc.watch((event) => event.is === 'pdu' && scheduler.note(event.traced.octets.toString('hex')))
    return smsc
  })
}

function isOwed(tables: Tables): boolean {
  return [...tables.sms.values()].some((row) => ['due', 'submitting', 'ambiguous'].includes(row.state))
}

/**
 * The screen of a subscriber: a dial that nobody remembers, or that a slow store carries out late, takes the place of
 * the dialogue under way.
 */
function mayLose(unwritten: Unwritten): (breach: Breach) => boolean {
  const msisdns = new Set([...unwritten].map((begin) => begin.split(' ')[0]!))
  return ({ invariant, what }) =>
    (invariant === 'I1' || what.startsWith('odd screen')) &&
    [...msisdns].some((msisdn) => what.includes(`: ${msisdn} `))
}

/** What no fault may bring about in any daemon, dead ones too. */
async function bugs(daemons: SimProcesses): Promise<Breach[]> {
  const counted = async ({ host, metrics }: SimDaemon) => ({ host, count: await metrics.value('bugs_total') })
  const all = await Promise.all(daemons.ever().map(counted))
  return all
    .filter(({ count }) => count > 0)
    .map(({ host, count }) => ({ invariant: 'I6', what: `${host.name} counted ${count} bugs` }))
}

/** Everything is well again, so every bind must serve. */
async function deaf(scheduler: Scheduler, smsc: Smsc): Promise<Breach[]> {
  const breaches: Breach[] = []
  for (let i = 0; i < PROBES; i++) {
    const phone = smsc.phone(`67579${i}`)
    let shown: string | null = null
    phone.dial('*123#').then(
      ({ text }) => void (shown = text),
      (error: Error) => void (shown = error.message),
    )
    await scheduler.runUntil(() => shown !== null, scheduler.nowMs() + SCREEN_MS * 2)
    const isWell = String(shown).startsWith('Welcome')
    if (!isWell) breaches.push({ invariant: 'I5', what: `a dial when all is well came to ${shown ?? 'nothing'}` })
    phone.hangUp()
  }
  return breaches
}
